package client

import (
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
)

// Sweeper is Files that lie somewhere and can be removed. A path of the person's own
// choice is the person's: what lies there stays.
type Sweeper interface {
	// Keep removes all parts but those of these downloads.
	Keep(ids []string) error
	// Forget removes a file, if it lies in the profile's own folder.
	Forget(path string) error
}

// sweepParts removes what has come of downloads that were given up, or whose message was taken
// back. Nothing is being fetched yet.
func (e *Engine) sweepParts() {
	s, ok := e.Files.(Sweeper)
	if !ok || e.lines == nil {
		return
	}
	left, err := files.Downloads(e.Store)
	if err != nil {
		e.Log.Error("what is left of downloads cannot be listed", "err", err)
		return
	}
	var ids []string
	var gone keep.Batch
	for _, d := range left {
		if _, there, err := e.lines.FileOf(d.ID); there || err != nil {
			ids = append(ids, d.ID)
		} else {
			files.Drop(&gone, d.ID)
		}
	}
	if !e.keepBatch(&gone) {
		return
	}
	if err := s.Keep(ids); err != nil {
		e.Log.Error("what is left of a download that was given up cannot be removed", "err", err)
	}
}

// forgetFiles removes files that nobody is to keep. Their names say what was in them, and are
// not for the log.
func (e *Engine) forgetFiles(paths ...string) {
	s, ok := e.Files.(Sweeper)
	if !ok || len(paths) == 0 {
		return
	}
	log := e.Log
	go func() {
		for _, p := range paths {
			if p != "" && s.Forget(p) != nil {
				log.Error("a file whose message was taken back is still there")
			}
		}
	}()
}
