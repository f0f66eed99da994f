package call

import (
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// How often devices are told that there are silent calls.
const (
	tick     = 5 * time.Second
	newsEach = time.Minute
)

// tellAll tells the callee's devices what became of a call: all but the one that
// made it so.
func (f *Calls) tellAll(c *open, o outcome) {
	if !f.router.Local(c.callee) {
		return
	}
	for _, s := range f.router.Directory().Sessions(c.callee) {
		if s.JID != o.but {
			f.tell(s, c, o.how)
		}
	}
}

// tell is the server's word to one device, from its own account's address, under
// which nobody else can send.
func (f *Calls) tell(s *core.Session, c *open, how string) {
	word := "ended"
	if how == wasAnswered {
		word = "answered"
	}
	b := append([]byte("<"), word...)
	b = append(b, " xmlns='"+NS+"'"...)
	b = xtok.AppendAttr(b, "id", c.id)
	b = xtok.AppendAttr(b, "with", c.caller.String())
	if how != wasAnswered {
		b = xtok.AppendAttr(b, "why", how)
	}
	h := stanza.Head{Kind: stanza.Message, Type: stanza.Headline, From: s.JID.Bare(), To: s.JID}
	p := core.Bytes(stanza.New(h, append(b, "/>"...)).Raw)
	p.Prompt = true
	s.Push(p)
}

// news is when an account was told last that there are silent calls, and whether
// there are more since.
type news struct {
	told time.Time
	more bool
}

// hint tells an account's devices of a silent call, at most once a minute: who
// calls often must not be able to keep them busy.
func (f *Calls) hint(bare jid.JID) {
	now := time.Now()
	f.mu.Lock()
	n := f.news[bare]
	soon := now.Sub(n.told) < newsEach
	if soon {
		n.more = true
	} else {
		n = news{told: now}
	}
	f.news[bare] = n
	f.mu.Unlock()
	if !soon {
		f.pushHint(bare)
	}
}

// tellNews tells those who have waited long enough.
func (f *Calls) tellNews(now time.Time) {
	var due []jid.JID
	f.mu.Lock()
	for bare, n := range f.news {
		switch {
		case now.Sub(n.told) < newsEach:
		case n.more:
			f.news[bare] = news{told: now}
			due = append(due, bare)
		default:
			delete(f.news, bare)
		}
	}
	f.mu.Unlock()
	for _, bare := range due {
		f.pushHint(bare)
	}
}

// pushHint is an event of a node that has no items: a device reads the attempts
// when it has time. Like all events it waits where nobody looks, one for all, and
// wakes nothing. Devices that are away see the attempts when they are back.
func (f *Calls) pushHint(bare jid.JID) {
	for _, s := range f.router.Directory().Sessions(bare) {
		if _, asleep := s.Hibernating(); asleep || !s.Online() {
			continue
		}
		h := stanza.Head{Kind: stanza.Message, Type: stanza.Headline, From: bare, To: s.JID}
		s.PushStanza(stanza.New(h, []byte("<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='"+NS+"'><item id='attempts'/></items></event>")))
	}
}
