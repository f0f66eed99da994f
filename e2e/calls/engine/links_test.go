package engine

import (
	"strings"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// links asks an engine for its links, as a command says.
func (p *person) links(c port.CallLinks) []port.CallLink {
	p.t.Helper()
	return p.Must(&c).(*port.CallLinkList).Links
}

// link makes one that lasts for so many seconds.
func (p *person) link(lasts int) (id, token string) {
	p.t.Helper()
	for _, l := range p.links(port.CallLinks{Lasts: lasts}) {
		if _, token, ok := strings.Cut(l.URI, "xmpp:"+p.Address+"?call;link="); ok {
			return l.ID, token
		}
	}
	p.t.Fatal("there is no link")
	return "", ""
}

// silent has mallory call by what is no link any more: nothing rings. Who has asked the server for something
// behind that knows that it has heard all before.
func silent(t *testing.T, what string, b, m *person, token string) {
	t.Helper()
	call := m.Must(&port.PlaceCall{Chat: bob, Link: token}).(*port.Done).Call
	m.links(port.CallLinks{})
	b.links(port.CallLinks{})
	for _, c := range b.calls() {
		if c.State != "ended" {
			t.Errorf("%s: it rings: %+v", what, c)
		}
	}
	m.Must(&port.HangUpCall{Call: call})
	m.is("ended", "cancelled")
	if len(b.seat()) > 0 {
		t.Errorf("%s: bob's seat did %q", what, b.seat())
	}
}

func TestALinkRingsOnceAndNeverOnceItIsRevokedOrHasEnded(t *testing.T) {
	s := device.Serve(t, []string{"bob", "mallory"})
	b, m := signIn(t, s, "bob", 2), signIn(t, s, "mallory", 4)
	b.sits()
	m.sits()
	_, token := b.link(3600)
	gone, revoked := b.link(604800)
	if open := b.links(port.CallLinks{}); len(open) != 2 || open[1].ID != gone || open[0].URI+open[1].URI != "" || time.Until(open[1].Until) < 6*24*time.Hour {
		t.Errorf("bob's links are %+v", open)
	}

	call := m.Must(&port.PlaceCall{Chat: bob, Link: token}).(*port.Done).Call
	rings := b.is("incoming", "")
	if !rings.Link || rings.Chat != m.Address || len(b.seat()) > 0 {
		t.Errorf("bob sees %+v, his seat did %q", rings, b.seat())
	}
	if open := b.links(port.CallLinks{}); len(open) != 1 || open[0].ID != gone {
		t.Errorf("it is not used up: %+v", open)
	}
	m.Must(&port.HangUpCall{Call: call})
	if c := b.is("ended", "missed"); !c.Link || c.Silent != "" {
		t.Errorf("bob's log has %+v", c)
	}

	silent(t, "one that was used", b, m, token)
	if open := b.links(port.CallLinks{Revoke: gone}); len(open) != 0 {
		t.Errorf("it is not revoked: %+v", open)
	}
	silent(t, "one that was revoked", b, m, revoked)
	_, ended := b.link(1)
	for len(b.links(port.CallLinks{})) > 0 { // until it is over
		time.Sleep(100 * time.Millisecond)
	}
	silent(t, "one that has ended", b, m, ended)
	silent(t, "none", b, m, "")
	if c := b.until("the trace", func(c port.Call) bool { return c.Silent == "stranger" }); c.Chat != m.Address || c.Link {
		t.Errorf("bob's log has %+v", c)
	}
}

func TestACallByALinkIsSpokenWithoutAddresses(t *testing.T) {
	s := device.Serve(t, []string{"bob", "mallory"})
	b, m := signIn(t, s, "bob", 2), signIn(t, s, "mallory", 4)
	b.sits()
	m.sits()
	_, token := b.link(60)
	m.Must(&port.PlaceCall{Chat: bob, Link: token})
	b.Must(&port.AnswerCall{Call: b.is("incoming", "").ID})
	for _, p := range []*person{b, m} {
		p.is("active", "")
		p.mu.Lock()
		for _, ev := range p.log {
			if media, ok := ev.(*port.CallMedia); ok && (media.Do == "create" && !media.RelayOnly || media.Do == "address" && media.Candidate != "") {
				t.Errorf("%s learns, or tells: %+v", p.Name, media)
			}
		}
		p.mu.Unlock()
	}
	b.Must(&port.HangUpCall{Call: b.calls()[0].ID})
	if c := m.is("ended", "peer-hung-up"); c.Link {
		t.Errorf("of who has called it is said: %+v", c)
	}
}
