package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// patience is how long anything may take: the machine may be busy.
const patience = 60 * time.Second

// person is one account on one device, and its seat.
type person struct {
	*device.Local
	t *testing.T
	n int

	mu   sync.Mutex // guards what follows
	log  []port.Event
	more chan struct{} // closed when there is more in log
	did  []string      // what the seat was told
	at   int           // how far until has looked
	both [2]bool       // descriptions of ours and of theirs
}

// signIn opens a new profile of somebody on a new device.
func signIn(t *testing.T, s *device.Server, name string, n int) *person {
	t.Helper()
	p := &person{Local: device.NewLocal(t, s, fmt.Sprintf("%s-%d", name, n), name+"@"+device.Domain, t.TempDir()), t: t, n: n, more: make(chan struct{})}
	p.SignIn(s.C2S)
	return p
}

// meet makes two people contacts.
func meet(a, b *person) {
	a.t.Helper()
	a.Must(&port.AddContact{Address: b.Address})
	b.Until("being asked", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == a.Address && c.Contact.State == "asks"
	})
	b.Must(&port.AddContact{Address: a.Address})
	for _, x := range [][2]*person{{a, b}, {b, a}} {
		x[0].Until("being contacts", func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == x[1].Address && c.Contact.State == "contact" && c.Contact.Online
		})
	}
}

// sits has the seat answer from now on, until the engine ends. What happens is heard by until.
func (p *person) sits() *person {
	ctx, end := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			ev, err := p.Next(ctx)
			if err != nil {
				return
			}
			if m, ok := ev.(*port.CallMedia); ok {
				p.does(m)
			}
			p.mu.Lock()
			p.log = append(p.log, ev)
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
	}()
	p.t.Cleanup(func() { end(); <-over })
	return p
}

// does is what a tab would.
func (p *person) does(m *port.CallMedia) {
	p.mu.Lock()
	p.did = append(p.did, strings.TrimSpace(m.Do+" "+m.Type))
	switch m.Do {
	case "open":
		p.both = [2]bool{}
	case "offer", "answer":
		p.both[0] = true
	case "remote":
		p.both[1] = true
	}
	connected := p.both == [2]bool{true, true} && m.Do != "address"
	p.mu.Unlock()
	switch m.Do {
	case "offer":
		p.Do(&port.CallDescribed{Call: m.Call, SDP: p.describe("actpass")})
	case "answer":
		p.Do(&port.CallDescribed{Call: m.Call, SDP: p.describe("active")})
	}
	if m.Do == "offer" || m.Do == "answer" {
		p.Do(&port.CallAddress{Call: m.Call, Mid: "0", Candidate: fmt.Sprintf("candidate:1 1 udp 2122260223 192.0.2.%d 50000 typ host generation 0", p.n)})
	}
	if connected {
		p.Do(&port.CallConnected{Call: m.Call})
	}
}

// describe is a description as Chromium writes them, shortened.
func (p *person) describe(setup string) string {
	print := strings.Repeat(fmt.Sprintf("%02X:", p.n), 31) + "AB"
	return "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
		fmt.Sprintf("a=ice-ufrag:uf%02d\r\na=ice-pwd:0123456789abcdef01234567\r\na=ice-options:trickle\r\n", p.n) +
		"a=fingerprint:sha-256 " + print + "\r\na=setup:" + setup + "\r\na=mid:0\r\na=sendrecv\r\na=msid:- track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
		"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:0 PCMU/8000\r\n"
}

// until waits for a call being so, behind what was waited for before.
func (p *person) until(what string, right func(port.Call) bool) port.Call {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		p.mu.Lock()
		for p.at < len(p.log) {
			ev := p.log[p.at]
			p.at++
			if c, ok := ev.(*port.CallChanged); ok && right(c.Call) {
				p.mu.Unlock()
				return c.Call
			}
		}
		more, did := p.more, slices.Clone(p.did)
		p.mu.Unlock()
		select {
		case <-more:
		case <-limit.C:
			p.t.Fatalf("%s waited in vain for %s; its seat did %q, its log is %+v", p.Name, what, did, p.calls())
		}
	}
}

// is waits for a call in a state, and, if it has ended, why.
func (p *person) is(state, why string) port.Call {
	p.t.Helper()
	return p.until(state+" "+why, func(c port.Call) bool { return c.State == state && c.Why == why })
}

// seat is what the seat was told.
func (p *person) seat() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

func (p *person) calls() []port.Call {
	p.t.Helper()
	return p.Must(&port.ListCalls{Limit: 50}).(*port.CallList).Calls
}

// lines are what the lines about calls in a chat say.
func (p *person) lines(chat string) (out []string) {
	p.t.Helper()
	for _, m := range p.Must(&port.History{Chat: chat, Limit: 50}).(*port.Page).Messages {
		if m.Notice == "call" {
			out = append(out, strings.Join(m.Params[1:4], " "))
		}
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}
