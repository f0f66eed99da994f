package rooms

import (
	"context"
	"errors"
	"fmt"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// newNotes declares where it is noted which rooms have an archive that is to go with
// them. A note is written before the first message is kept, and before what is
// kept of a room that stayed goes; it is dropped once the archive is gone, or the
// room stays.
func newNotes(kv store.KV) *store.Bucket {
	return kv.Declare(store.Space{
		Name:    "room-notes",
		Fields:  "a room's address",
		Purpose: "what was said in a room that does not stay goes with it, also when the server stops in between",
		Until:   "the room is gone",
	})
}

// note writes that the room's archive is to go with it, durable on return; under mu.
func (r *room) note() error {
	if r.noted {
		return nil
	}
	err := r.svc.notes.Put(r.svc.background(), "", r.jid.String(), nil)
	r.noted = err == nil
	return err
}

// noteFirst does so for a room that does not stay, before something is kept of it.
func (r *room) noteFirst() error {
	if !r.cfg.Archive || r.stays() {
		return nil
	}
	return r.note()
}

// unnote drops the note of a room that stays from now on; under mu. One that is
// left over means nothing as long as it stays: see forgetLeft.
func (r *room) unnote() {
	if !r.noted {
		return
	}
	err := r.svc.notes.Delete(r.svc.background(), "", r.jid.String())
	if r.noted = err != nil; r.noted {
		r.svc.set.Log.Error("a note of a room could not be dropped", "room", r.jid.String(), "err", err)
	}
}

// vanish removes the archive of a room that is gone, then the note of it. Where that
// fails, the next room of this name or the next start does it.
func (s *Rooms) vanish(ctx context.Context, j jid.JID) error {
	if err := s.past.Forget(ctx, j.String()); err != nil {
		return err
	}
	return s.notes.Delete(ctx, "", j.String())
}

// clear makes sure that a new room begins with nothing, also where the archive of
// the last one of its name could not be removed.
func (s *Rooms) clear(j jid.JID) error {
	_, err := s.notes.Get(s.background(), "", j.String())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return s.vanish(s.background(), j)
}

// forgetLeft removes what rooms have left behind that were there when the server
// stopped, and did not stay.
func (s *Rooms) forgetLeft(ctx context.Context) error {
	items, err := s.notes.Scan(ctx, "", store.Range{})
	if err != nil {
		return err
	}
	for _, i := range items {
		j, err := jid.Parse(i.Key)
		if err != nil {
			return fmt.Errorf("rooms: %q: %w", i.Key, err)
		}
		if _, stays := s.index[j]; stays {
			err = s.notes.Delete(ctx, "", i.Key)
		} else {
			err = s.vanish(ctx, j)
		}
		if err != nil {
			return fmt.Errorf("rooms: %s: %w", j, err)
		}
	}
	return nil
}
