package files

import (
	"encoding/json"
	"fmt"

	"mirsal/internal/client/keep"
)

// Rows of transfers that are to go on when the program runs again, by their IDs.
const (
	downloads keep.Table = "files.downloads"
	uploads   keep.Table = "files.uploads"
)

// Pending is an upload that is not done: it begins anew in the next run.
type Pending struct {
	ID   string          `json:"id"`   // whose it is; the engine's own
	Path string          `json:"path"` // for the host to open
	Name string          `json:"name"`
	Size int64           `json:"size"`
	Note json.RawMessage `json:"note,omitempty"` // the engine's own: chat, caption, …
}

// PutDownload keeps how far a download is.
func PutDownload(b *keep.Batch, d Download) error { return put(b, downloads, d.ID, d) }

// PutUpload keeps an upload.
func PutUpload(b *keep.Batch, p Pending) error { return put(b, uploads, p.ID, p) }

// Drop forgets the download and the upload of an ID.
func Drop(b *keep.Batch, id string) {
	b.Delete(downloads, id)
	b.Delete(uploads, id)
}

// Downloads lists those that are not done.
func Downloads(s keep.Store) ([]Download, error) { return list[Download](s, downloads) }

// Uploads lists those that are not done.
func Uploads(s keep.Store) ([]Pending, error) { return list[Pending](s, uploads) }

func put(b *keep.Batch, t keep.Table, id string, v any) error {
	row, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	b.Put(t, id, row)
	return nil
}

func list[T any](s keep.Store, t keep.Table) (out []T, err error) {
	scanned := s.Scan(t, keep.Range{}, func(_ string, row []byte) bool {
		var v T
		if err = json.Unmarshal(row, &v); err != nil {
			return false
		}
		out = append(out, v)
		return true
	})
	if scanned != nil {
		return nil, scanned
	}
	if err != nil {
		return nil, fmt.Errorf("files: a row of %s: %w", t, err)
	}
	return out, nil
}
