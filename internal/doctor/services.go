package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirsal/internal/config"
	"mirsal/internal/store/s3"
)

// services looks at what rooms, uploads and push need beyond the rest.
func (e *exam) services(ctx context.Context) []Finding {
	list := e.uploads(ctx)
	push := Finding{"push.web", "", OK, "Push by browsers' services (Web Push) is off.", ""}
	if e.cfg.Push.Web {
		push.Text = "For Web Push the server connects to whatever public address devices name, by HTTPS. Whether a firewall lets it was not tried: that would be to knock at strangers."
	}
	return append(list, push)
}

// uploads looks at where files are kept.
func (e *exam) uploads(ctx context.Context) []Finding {
	u := &e.cfg.Upload
	if !u.Enabled {
		return []Finding{{"upload.store", "", OK, "Uploads are off.", ""}}
	}
	links := e.linksToFiles()
	if u.Store == config.InS3 {
		// files come through the data folder
		return slices.Concat([]Finding{e.bucket(ctx)}, links, e.roomForFiles(e.cfg.Data))
	}
	dir := u.Folder
	if dir == "" {
		dir = filepath.Join(e.cfg.Data, "uploads")
	}
	return slices.Concat([]Finding{e.folder(dir)}, links, e.roomForFiles(dir))
}

// linksToFiles looks whether links can be made that clients take.
func (e *exam) linksToFiles() []Finding {
	const check, remedy = "upload.links", "Listen for HTTPS (listen.http), or say in public_url where a web server with a certificate passes requests on to this one."
	at := cmp.Or(e.cfg.Upload.PublicURL, e.cfg.PublicURL)
	switch {
	case at == "" && e.cfg.Listen.HTTP.Off():
		return []Finding{{check, "", Warning, "Nobody can send files: links to them begin with https:, and there is neither a listener for that nor a public_url.", remedy}}
	case strings.HasPrefix(at, "http:"):
		return []Finding{{check, "", Warning, "Links to files begin with " + at + ", and most clients take none without https:.", remedy}}
	}
	return nil
}

func (e *exam) folder(dir string) Finding {
	const check, asWho = "upload.store", "If the server runs as another user, run this command as that one. "
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.server.answers:
		return Finding{check, "", Problem, "The folder for files, " + absolute(dir) + ", is not there, though the server runs.", "Start the server anew: it makes the folder. Files that were in it are gone, unless you have them elsewhere."}
	case errors.Is(err, fs.ErrNotExist):
		return Finding{check, "", OK, "The next start makes the folder for files, " + absolute(dir) + ".", ""}
	case err != nil:
		return Finding{check, "", Problem, "The folder for files cannot be looked at: " + err.Error() + ".", asWho + "Else mend that."}
	case !st.IsDir():
		return Finding{check, "", Problem, absolute(dir) + " is no folder, so no files can be kept there.", "Name a folder by upload.folder, or leave it empty."}
	}
	if err := e.Writable(dir); err != nil {
		return Finding{check, "", Problem, fmt.Sprintf("The folder for files, %s, cannot be written: %v.", absolute(dir), err), asWho + "Else: chown -R USER " + absolute(dir)}
	}
	if e.cfg.Upload.Folder != "" && st.Mode().Perm()&0o077 != 0 {
		return Finding{check, "", Warning, "Other users of this machine can get at the files in " + absolute(dir) + ".", "Close it: chmod -R go= " + absolute(dir)}
	}
	return Finding{check, "", OK, "Files are kept in " + absolute(dir) + ".", ""}
}

// roomForFiles compares the room on a disk with what has to stay free there.
func (e *exam) roomForFiles(dir string) []Finding {
	const check = "upload.space"
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	s, err := e.Space(dir)
	if err != nil {
		return []Finding{{check, "", Warning, "How much room is left for files cannot be told: " + err.Error() + ".", "Look with df " + absolute(dir)}}
	}
	stays := uint64(e.cfg.Upload.MinFree)
	const mend = "Make room, keep files for a shorter time (upload.keep), or lower upload.min_free."
	switch free := fmt.Sprintf("%s are free where files go, and %s have to stay free (upload.min_free)", size(s.free), size(stays)); {
	case s.free <= stays:
		return []Finding{{check, "", Problem, free + ": no file is taken.", mend}}
	case s.free-stays < uint64(e.cfg.Upload.MaxSize):
		return []Finding{{check, "", Warning, free + ": the next large file is not taken.", mend}}
	}
	return nil
}

// bucket asks the server that keeps the files whether it knows us.
func (e *exam) bucket(ctx context.Context) Finding {
	c := &e.cfg.Upload.S3
	place := "bucket " + c.Bucket + " at " + c.Endpoint
	secret, err := c.Secret()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		err = e.Bucket(ctx, s3.Config{Endpoint: c.Endpoint, Bucket: c.Bucket, Region: c.Region, AccessKey: c.AccessKey, SecretKey: secret, Prefix: c.Prefix})
	}
	if err != nil {
		return Finding{"upload.store", "", Problem, "The " + place + " cannot be used: " + short(err) + ".", "Look at upload.s3, at the rights of its key, and at the way there. Until then nobody can send or fetch files."}
	}
	return Finding{"upload.store", "", OK, "The " + place + " answers, and lets the server list what is there.", ""}
}
