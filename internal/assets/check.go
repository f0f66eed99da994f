package assets

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// Check asks a site for every file of the set, in each shape in which a browser may get
// it, and says of each that is not as here what is wrong with it, one line each. headers are those
// that a file, by its name, has to come with. An error means
// that the site could not be asked. The page is asked for at "/", as browsers do; redirects are for c
// to follow or not.
func (s *Set) Check(ctx context.Context, c *http.Client, site string, headers func(name string) http.Header) (wrong []string, err error) {
	manifest, err := s.Manifest()
	if err != nil {
		return nil, err
	}
	sum, err := fetched(ctx, c, site+"/manifest.json", "", int64(len(manifest)))
	switch {
	case sum.asked != nil:
		return nil, err
	case err != nil || sum.hash != Hash(manifest):
		wrong = append(wrong, "manifest.json: another list of files")
	}
	for _, name := range s.names {
		for _, coding := range []string{"", "gzip", "br"} {
			if why := s.compare(ctx, c, site, s.files[name], coding, headers(name)); why != "" {
				wrong = append(wrong, name+": "+why)
				break
			}
		}
	}
	return wrong, ctx.Err()
}

// compare tells what is wrong with a file that is asked for packed in a way.
func (s *Set) compare(ctx context.Context, c *http.Client, site string, f *file, coding string, headers http.Header) string {
	path := "/" + f.name
	if f.name == index {
		path = "/"
	}
	got, err := fetched(ctx, c, site+path, coding, f.size)
	if err != nil {
		return err.Error()
	}
	want := f.sum
	if got.coding == "br" {
		if want, err = s.packedSum(f); err != nil {
			return "packed with Brotli, and not here, so it cannot be compared"
		}
	}
	if got.hash != want {
		return "differs"
	}
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		if want := headers.Values(key); !slices.Equal(got.header.Values(key), want) {
			return fmt.Sprintf("%s is %q, not %q", key, got.header.Values(key), want)
		}
	}
	return ""
}

// packedSum is the hash of a file as it is packed with Brotli, which nobody here unpacks.
func (s *Set) packedSum(f *file) (string, error) {
	r, err := s.fsys.Open(f.name + ".br")
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	_, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

// gotten is what a site has answered.
type gotten struct {
	hash, coding string
	header       http.Header
	asked        error // it did not answer at all
}

// fetched asks for a file and hashes it, unpacked where that is possible. What is longer
// than it may be is not read to its end.
func fetched(ctx context.Context, c *http.Client, url, accept string, most int64) (g gotten, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return gotten{asked: err}, err
	}
	// set by ourselves, so that net/http unpacks nothing
	req.Header.Set("Accept-Encoding", accept)
	if accept == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	resp, err := c.Do(req)
	if err != nil {
		return gotten{asked: err}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return g, fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	g.header, g.coding = resp.Header, resp.Header.Get("Content-Encoding")
	body := io.Reader(resp.Body)
	if g.coding == "gzip" {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			return g, err
		}
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(body, most+1))
	if err == nil && n > most && g.coding != "br" {
		err = fmt.Errorf("longer than the %d bytes that it has", most)
	}
	g.hash = hex.EncodeToString(h.Sum(nil))
	return g, err
}
