package core

import (
	"hash/maphash"
	"sync"

	"mirsal/internal/xmpp/jid"
)

const shards = 64

// Directory tells who is here: the sessions of each account. Lists that it
// returns are never changed; a change makes a new list.
type Directory struct {
	seed  maphash.Seed
	shard [shards]struct {
		sync.RWMutex
		accounts map[jid.JID][]*Session
	}
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{seed: maphash.MakeSeed()}
	for i := range d.shard {
		d.shard[i].accounts = map[jid.JID][]*Session{}
	}
	return d
}

func (d *Directory) at(bare jid.JID) int {
	return int(maphash.String(d.seed, bare.String()) % shards)
}

// Sessions are all sessions of an account, hibernating ones included.
func (d *Directory) Sessions(bare jid.JID) []*Session {
	s := &d.shard[d.at(bare)]
	s.RLock()
	defer s.RUnlock()
	return s.accounts[bare]
}

// Session is the one with a full JID, or nil.
func (d *Directory) Session(full jid.JID) *Session {
	for _, s := range d.Sessions(full.Bare()) {
		if s.JID == full {
			return s
		}
	}
	return nil
}

// Count is the number of sessions.
func (d *Directory) Count() int {
	n := 0
	d.Each(func(*Session) { n++ })
	return n
}

// Each calls f with every session, under no lock.
func (d *Directory) Each(f func(*Session)) {
	for i := range d.shard {
		s := &d.shard[i]
		s.RLock()
		lists := make([][]*Session, 0, len(s.accounts))
		for _, l := range s.accounts {
			lists = append(lists, l)
		}
		s.RUnlock()
		for _, l := range lists {
			for _, sess := range l {
				f(sess)
			}
		}
	}
}

// add puts a session in and returns the one with the same full JID that it
// replaces, or nil. It returns ok false when the account has max sessions.
func (d *Directory) add(sess *Session, most int) (old *Session, ok bool) {
	bare := sess.JID.Bare()
	s := &d.shard[d.at(bare)]
	s.Lock()
	defer s.Unlock()
	was := s.accounts[bare]
	now := make([]*Session, 0, len(was)+1)
	for _, o := range was {
		if o.JID == sess.JID {
			old = o
			continue
		}
		now = append(now, o)
	}
	if len(now) >= most {
		return nil, false
	}
	s.accounts[bare] = append(now, sess)
	return old, true
}

// remove takes a session out and tells whether it was in.
func (d *Directory) remove(sess *Session) bool {
	bare := sess.JID.Bare()
	s := &d.shard[d.at(bare)]
	s.Lock()
	defer s.Unlock()
	was := s.accounts[bare]
	for i, o := range was {
		if o != sess {
			continue
		}
		if len(was) == 1 {
			delete(s.accounts, bare)
			return true
		}
		now := append(make([]*Session, 0, len(was)-1), was[:i]...)
		s.accounts[bare] = append(now, was[i+1:]...)
		return true
	}
	return false
}
