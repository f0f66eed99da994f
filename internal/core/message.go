package core

import (
	"slices"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// message takes a message through Screen, Stamp and Keep to the archive's
// pipeline, or at once to delivery when nothing is to be kept and nothing of
// this sender is still in the pipeline.
func (r *Router) message(t *Transit) {
	if t.Head.To.IsZero() {
		// RFC 6120 §10.3.1
		t.Head.To = t.Session.JID.Bare()
	}
	if s := r.Site(t.Head.To); s != nil {
		r.toSite(s, t, s.Message)
		return
	}
	if err := r.screen(t); err != nil {
		r.refuse(t, &t.Head, err)
		r.settle(t)
		return
	}
	for _, f := range r.host.Stamp {
		f(t)
	}
	r.keepAndGo(t)
}

// keepAndGo decides who keeps a message and sends it on, through the archive's
// pipeline where one keeps it or another of this sender is in there.
func (r *Router) keepAndGo(t *Transit) {
	for _, f := range r.host.Keep {
		f(t)
	}
	if r.vanishes(t) {
		// RFC 6121 §8.5.2.2.1: who sends a text hears that it goes nowhere
		r.refuse(t, &t.Head, Absent(&t.Head))
		r.settle(t)
		return
	}
	if t.Stanza == nil {
		t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
	}
	s := t.Session
	if len(t.Owners) == 0 && s != nil && !s.flyIfBusy() {
		r.deliver(t)
		s.settle(t.number)
		return
	}
	if len(t.Owners) > 0 && s != nil {
		s.fly()
		s.promise(t)
	}
	t.release = r.released
	r.archive.Append(t)
}

// vanishes tells whether what people are to see would reach nobody: its recipient is
// away and no archive keeps it for him.
func (r *Router) vanishes(t *Transit) bool {
	h := &t.Head
	return (h.Type == stanza.Chat || h.Type == stanza.Normal) && seen(h) && !t.Kept(h.To.Bare()) && len(r.recipients(h)) == 0
}

// seen tells whether a message is shown to people, and not only to their clients.
func seen(h *stanza.Head) bool { return stanza.RuleOf(h).Push != stanza.NoPush }

// Absent is what the sender of a message hears of an account that is not there, or
// has blocked him: to the word what he hears of one where everybody is away. What nobody
// would see gets no answer: by signs of typing one could find out who is here, and
// nobody would know.
// RFC 6121 §8.5.1, §8.5.2.2.1, §8.5.3.2.1
func Absent(h *stanza.Head) error {
	atDevice := h.Type == stanza.Normal && h.To.IsFull() // only chat goes elsewhere
	if h.Type == stanza.Headline || h.Type != stanza.Groupchat && !atDevice && !seen(h) {
		return ErrSilently
	}
	return stanza.Errorf(stanza.ServiceUnavailable, "")
}

// screen refuses what cannot be delivered and asks the hooks.
func (r *Router) screen(t *Transit) error {
	if !r.Local(t.Head.To) {
		return stanza.Errorf(stanza.RemoteServerNotFound, "this server does not federate yet")
	}
	if err := r.pass(t); err != nil {
		return err
	}
	return r.reachable(&t.Head)
}

// reachable applies the rows of RFC 6121 §8.5 that answer with an error.
func (r *Router) reachable(h *stanza.Head) error {
	bare := h.To.Bare()
	switch {
	case h.Type == stanza.Error || h.Type == stanza.Headline:
		return nil // ignored later where nobody takes it
	case !r.Exists(bare):
		return Absent(h)
	case h.Type == stanza.Groupchat && h.To.IsBare():
		// RFC 6121 §8.5.2.1.1
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case h.Type != stanza.Chat && h.To.IsFull() && r.dir.Session(h.To) == nil:
		// RFC 6121 §8.5.3.2.1: normal and group chat; only chat goes elsewhere
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return nil
}

// promise notes in the transit which count becomes durable with it.
func (s *Session) promise(t *Transit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sm.resume {
		t.Mark, t.H = s.sm.id, t.number-s.sm.base
	}
}

// released runs on the archive's release goroutine, in log order: only now do
// others see the message and may the sender be acknowledged.
func (r *Router) released(t *Transit) {
	if !t.Repeats {
		r.deliver(t)
	}
	r.landed(t)
}

// landed settles a transit that came out of the pipeline.
func (r *Router) landed(t *Transit) {
	if t.Session != nil {
		t.Session.landed(t.number, len(t.Owners) > 0 && t.Mark != [16]byte{}, t.H)
	}
}

// deliver gives a message to its sessions.
func (r *Router) deliver(t *Transit) {
	d := Delivery{router: r, transit: t}
	d.toRecipient()
	for _, f := range r.host.Spread {
		f(t, &d)
	}
	r.notice(t)
}

// recipients are the sessions that a message goes to (RFC 6121 §8.5, table 1).
func (r *Router) recipients(h *stanza.Head) []*Session {
	if h.To.IsFull() {
		if s := r.dir.Session(h.To); s != nil {
			return []*Session{s}
		}
		if h.Type != stanza.Chat {
			// RFC 6121 §8.5.3.2.1
			return nil
		}
	} else if h.Type == stanza.Error || h.Type == stanza.Groupchat {
		return nil
	}
	return online(r.dir.Sessions(h.To.Bare()))
}

func online(all []*Session) []*Session {
	for i, s := range all {
		if s.Online() {
			continue
		}
		some := append([]*Session(nil), all[:i]...)
		for _, o := range all[i+1:] {
			if o.Online() {
				some = append(some, o)
			}
		}
		return some
	}
	return all
}

func (r *Router) notice(t *Transit) {
	if len(r.host.Notice) == 0 {
		return
	}
	h := &t.Head
	select {
	case r.notices <- Notice{h.Kind, h.Type, h.From, h.To, h.Facts, t.Seq != 0, t.Time}:
	default:
		r.metrics.noticesDropped.Inc()
	}
}

// Delivery is where a released message goes: Spread hooks add to it.
type Delivery struct {
	router  *Router
	transit *Transit
	direct  []*Session // who got the message itself
	site    bool       // the message is a site's, and of its sender's sessions …
	copies  []*Session // … these alone may be shown it
}

// Direct are the sessions that were given the message itself.
func (d *Delivery) Direct() []*Session { return d.direct }

// MayCopy tells whether a session may be given a copy of the message.
func (d *Delivery) MayCopy(s *Session) bool {
	return !slices.Contains(d.direct, s) && (!d.site || slices.Contains(d.copies, s))
}

func (d *Delivery) toRecipient() {
	t := d.transit
	d.direct = d.router.recipients(&t.Head)
	owner := t.Head.To.Bare()
	if len(d.direct) > 0 {
		p := d.router.Packet(t.Stanza, t.SeqFor(owner), owner)
		p.Sole = t.Head.To.IsFull() && len(d.direct) == 1 && len(t.also) == 0
		for _, s := range d.direct {
			d.Give(s, p)
		}
	}
	for _, s := range t.also {
		if !slices.Contains(d.direct, s) {
			h := t.Head
			h.To = s.JID
			d.direct = append(d.direct[:len(d.direct):len(d.direct)], s)
			d.Give(s, d.router.Packet(stanza.New(h, t.Stanza.Content()), t.SeqFor(owner), owner))
		}
	}
}

// SeqFor is the message's place in an account's archive, 0 when it is not kept there.
func (t *Transit) SeqFor(bare jid.JID) uint64 {
	if t.Seq != 0 && t.Kept(bare) {
		return t.Seq
	}
	return 0
}

// Give delivers a packet to a session, past the Deliver hooks.
func (d *Delivery) Give(s *Session, p Packet) {
	for _, f := range d.router.host.Deliver {
		if f(s, d.transit) != Pass {
			return
		}
	}
	d.router.metrics.delivered.Inc()
	s.Push(p)
}

// Packet makes the packet that an owner's sessions get: the stanza with the
// owner's stanza-id where it is kept. The stanza's bytes are shared, not copied.
func (r *Router) Packet(s *stanza.Stanza, seq uint64, owner jid.JID) Packet {
	if seq == 0 {
		return Bytes(s.Raw)
	}
	return Packet{Segments: [][]byte{s.Opening(), r.StanzaIDElement(seq, owner), s.Closing()}, Seq: seq}
}

// StanzaIDElement is the <stanza-id/> of a place in an owner's archive
// (XEP-0359 §3).
func (r *Router) StanzaIDElement(seq uint64, owner jid.JID) []byte {
	id, by := r.archive.StanzaID(seq), owner.String()
	b := make([]byte, 0, 56+len(id)+len(by))
	b = append(b, "<stanza-id xmlns='urn:xmpp:sid:0' id='"...)
	b = append(b, id...)
	b = append(b, "' by='"...)
	b = xtok.Escape(b, by)
	return append(b, "'/>"...)
}
