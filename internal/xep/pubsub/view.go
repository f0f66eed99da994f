package pubsub

import (
	"bytes"
	"context"
	"iter"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
)

// view is what a client that knows a mirror last saw of the mirrored items. Such a
// client writes the whole list, however old its copy: against the view we see
// what it changed, and what came or went meanwhile by others stays so. A view is
// never written to.
type view struct {
	ids      []string
	payloads map[string][]byte
}

// maxView is how many bytes a view holds; a client with a longer list writes over
// what is there.
const maxView = 64 << 10

// look makes a view of items, nil when they are too many.
func look(items iter.Seq2[string, []byte]) *view {
	v, size := &view{payloads: map[string][]byte{}}, 0
	for id, p := range items {
		if size += len(id) + len(p) + 64; size > maxView {
			return nil
		}
		v.ids = append(v.ids, id)
		v.payloads[id] = p
	}
	return v
}

func (v *view) items(yield func(string, []byte) bool) {
	for _, id := range v.ids {
		if p, ok := v.payloads[id]; ok && !yield(id, p) {
			return
		}
	}
}

// after is the view with changes, nil when it became too large.
func (v *view) after(changes iter.Seq2[string, []byte]) *view {
	now := look(v.items)
	for id, p := range changes {
		if p == nil {
			delete(now.payloads, id)
			continue
		}
		if _, ok := now.payloads[id]; !ok {
			now.ids = append(now.ids, id)
		}
		now.payloads[id] = p
	}
	return look(now.items)
}

// views are the views of the sessions that know mirrors.
type views struct {
	mu sync.Mutex // held for single operations
	by map[*core.Session]map[string]*view
}

// set notes what a session saw of a mirror; nil forgets it.
func (w *views) set(s *core.Session, mirror string, v *view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v == nil || s.Ended() {
		delete(w.by[s], mirror)
		return
	}
	if w.by == nil {
		w.by = map[*core.Session]map[string]*view{}
	}
	if w.by[s] == nil {
		w.by[s] = map[string]*view{}
	}
	w.by[s][mirror] = v
}

func (w *views) get(s *core.Session, mirror string) *view {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[s][mirror]
}

func (w *views) forget(s *core.Session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by, s)
}

// saw notes that sessions of the owner were shown a mirror as it is now; under
// owner's lock.
func (s *Service) saw(ctx context.Context, owner jid.JID, acct *account, m *Mirror, by ...*core.Session) {
	items, err := s.all(ctx, owner, acct.nodes[m.Of])
	if err != nil {
		items = nothing // what they write next then removes nothing
	}
	v := look(items)
	for _, to := range by {
		if to.JID.Bare() == owner {
			s.views.set(to, m.Node, v)
		}
	}
}

// wrote reads what a session changed in a mirror: against what it saw, or, when
// that is not known, against what is there.
func (d *Draft) wrote(by *core.Session, m *Mirror, now iter.Seq2[string, []byte], take func(iter.Seq2[string, []byte]) (iter.Seq2[string, []byte], error)) (iter.Seq2[string, []byte], error) {
	v := d.service.views.get(by, m.Node)
	if v == nil {
		v = look(now)
	}
	if v == nil {
		return take(now)
	}
	changes, err := take(v.items)
	if err != nil {
		return nil, err
	}
	d.wroteBy, d.wroteView, d.wroteTo = by, v.after(changes), m.Node
	have := map[string][]byte{}
	for id, p := range now {
		have[id] = p
	}
	return func(yield func(string, []byte) bool) {
		for id, p := range changes {
			if was, ok := have[id]; ok && bytes.Equal(was, p) {
				continue
			}
			if !yield(id, p) {
				return
			}
		}
	}, nil
}
