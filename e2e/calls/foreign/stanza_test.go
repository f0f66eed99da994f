package foreign

import (
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

const (
	alice = "alice@" + device.Domain
	bob   = "bob@" + device.Domain
)

// scene is alice, who has Mirsal's terminal, and bob, who has stanza.js; they are contacts.
type scene struct {
	*device.Server
	alice string // folder of the profile
	bob   *page
	said  []string // by and to stanza.js, in the test that is at work
}

func newScene(t *testing.T) *scene {
	t.Helper()
	p := openPage(t)
	s := &scene{Server: device.Serve(t, []string{"alice", "bob"}, "--set", "calls.loopback=true"), alice: filepath.Join(t.TempDir(), "alice"), bob: p}
	p.does("enter", map[string]any{"address": bob, "password": device.Password, "at": "ws://" + s.Web + "/ws"}, nil)
	a := device.NewLocal(t, s.Server, "alice", alice, s.alice)
	a.SignIn(s.C2S)
	a.Must(&port.AddContact{Address: bob})
	a.Until("being contacts", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == bob && c.Contact.State == "contact" && c.Contact.Online
	})
	a.Close()
	return s
}

// in is the scene for a test that is part of another.
func (s *scene) in(t *testing.T) *scene {
	s.bob.t = t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stanza.js:\n%s", strings.Join(append(s.said, s.bob.wire()...), "\n"))
		}
	})
	s.bob.wire()
	s.said = nil
	return s
}

// open requires the lock that such a call has: nothing binds its key to a person, and that is told.
func open(t *testing.T, c port.Call) {
	t.Helper()
	if c.Lock == nil || c.Lock.State != port.Open || c.Lock.Why != "call-unsealed" {
		t.Errorf("the lock of a call without OMEMO is %+v", c.Lock)
	}
}

// why requires how a call has ended.
func why(t *testing.T, p *phone.Phone, want string) {
	t.Helper()
	if c := p.State("ended"); c.Why != want {
		t.Errorf("the call has ended as %+v", c)
	}
}

// quiet requires that neither side has refused anything that the other has said.
func (s *scene) quiet(t *testing.T) {
	t.Helper()
	s.said = s.bob.wire()
	for _, line := range s.said {
		if strings.Contains(line, "type=\"error\"") || strings.Contains(line, "type='error'") {
			t.Errorf("refused: %s", line)
		}
	}
}

func TestCallsWithStanzaJS(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	t.Run("it calls with video, mutes, and hangs up", func(t *testing.T) { s.in(t).itCalls(t) })
	t.Run("it is called with video, and is hung up on", func(t *testing.T) { s.in(t).itIsCalled(t) })
	t.Run("it calls by voice, and is hung up on", func(t *testing.T) { s.in(t).itCallsByVoice(t) })
	t.Run("it is called by voice, and hangs up", func(t *testing.T) { s.in(t).itIsCalledByVoice(t) })
	t.Run("it declines", func(t *testing.T) { s.in(t).itDeclines(t) })
	t.Run("it is not answered any more", func(t *testing.T) { s.in(t).itIsTakenBack(t) })
}

func (s *scene) itCalls(t *testing.T) {
	a := phone.Ready(t, s.Bin, s.alice, "--answer", "--count", "1", "--video")
	s.bob.does("place", map[string]any{"to": alice, "video": true}, nil)
	s.bob.until("ringing")
	open(t, a.State("active"))
	here, there := a.Flows(true), s.bob.flows(true)
	var contents []struct{ Name, Kind string }
	s.bob.does("contents", nil, &contents)
	for _, c := range contents {
		s.bob.does("mute", map[string]any{"content": c.Name}, nil)
		a.Until("theirs muted: "+c.Kind, func(l phone.Line) bool {
			m := l.Call.TheirMuted
			return c.Kind == "audio" && m.Audio && !m.Video || c.Kind == "video" && m.Video && !m.Audio
		})
		s.bob.does("mute", map[string]any{"content": c.Name, "off": true}, nil)
	}
	s.bob.does("hangUp", nil, nil)
	a.Exits(0)
	why(t, a, "peer-hung-up")
	s.quiet(t)
	t.Logf("here %+v, there %+v", here, there)
}

func (s *scene) itIsCalled(t *testing.T) {
	a := phone.Dial(t, s.Bin, s.alice, bob, "--video")
	s.bob.until("propose")
	a.State("ringing")
	s.bob.does("answer", map[string]any{"video": true}, nil)
	open(t, a.State("active"))
	here, there := a.Flows(true), s.bob.flows(true)
	a.Interrupt()
	if e := s.bob.until("terminated"); e.Reason != "success" {
		t.Errorf("the session has ended as %+v", e)
	}
	s.bob.until("finish")
	a.Exits(0)
	why(t, a, "hung-up")
	s.quiet(t)
	t.Logf("here %+v, there %+v", here, there)
}

func (s *scene) itCallsByVoice(t *testing.T) {
	a := phone.Ready(t, s.Bin, s.alice, "--answer", "--count", "1")
	s.bob.does("place", map[string]any{"to": alice}, nil)
	a.State("active")
	here, there := a.Flows(false), s.bob.flows(false)
	a.Interrupt()
	s.bob.until("terminated")
	a.Exits(0)
	s.quiet(t)
	t.Logf("here %+v, there %+v", here, there)
}

func (s *scene) itIsCalledByVoice(t *testing.T) {
	a := phone.Dial(t, s.Bin, s.alice, bob)
	s.bob.until("propose")
	s.bob.does("answer", nil, nil)
	a.State("active")
	here, there := a.Flows(false), s.bob.flows(false)
	s.bob.does("hangUp", nil, nil)
	a.Exits(0)
	why(t, a, "peer-hung-up")
	s.quiet(t)
	t.Logf("here %+v, there %+v", here, there)
}

func (s *scene) itDeclines(t *testing.T) {
	a := phone.Dial(t, s.Bin, s.alice, bob)
	s.bob.until("propose")
	s.bob.does("decline", nil, nil)
	a.Exits(7)
	why(t, a, "rejected")
}

func (s *scene) itIsTakenBack(t *testing.T) {
	a := phone.Dial(t, s.Bin, s.alice, bob)
	p := s.bob.until("propose")
	a.State("ringing")
	a.Interrupt()
	if e := s.bob.until("retract"); e.ID != p.ID {
		t.Errorf("%+v was taken back, not %+v", e, p)
	}
	a.Exits(7)
	why(t, a, "cancelled")
}
