package life

import (
	"os"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jingle"
)

// step is a line of a conversation.
type step struct {
	talk string
	e    Event
	to   State
	why  Why
	do   Effect
}

// talks are the conversations of testdata.
func talks(t testing.TB) (out [][]step) {
	b, err := os.ReadFile("testdata/conversations.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	for _, line := range strings.Split(string(b), "\n") {
		if n, ok := strings.CutPrefix(line, "= "); ok {
			name = n
			out = append(out, nil)
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := columns(line)
		s := step{talk: name, e: event(t, fields[0])}
		state, why, _ := strings.Cut(fields[1], " ")
		s.to, s.why = one(t, state, States, func(i int) string { return State(i).String() }, State(0)), one(t, why, Whys, func(i int) string { return Why(i).String() }, Why(0))
		if len(fields) > 2 {
			s.do = effects(t, fields[2])
		}
		out[len(out)-1] = append(out[len(out)-1], s)
	}
	return out
}

// columns are parted by the width of the first, or by two blanks or more.
func columns(line string) []string {
	out := []string{strings.TrimSpace(line[:26])}
	for _, f := range strings.Split(line[26:], "  ") {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

func one[T ~uint8](t testing.TB, s string, n int, name func(int) string, _ T) T {
	for i := range n {
		if name(i) == s {
			return T(i)
		}
	}
	t.Fatalf("there is no %q", s)
	return 0
}

func event(t testing.TB, s string) Event {
	return one(t, s, Events, func(i int) string { return Event(i).String() }, Event(0))
}

func effects(t testing.TB, s string) (do Effect) {
	for _, name := range strings.Split(s, ", ") {
		before := do
		for e := Effect(1); e <= Log; e <<= 1 {
			if e.String() == name {
				do |= e
			}
		}
		if do == before {
			t.Fatalf("there is no effect %q", name)
		}
	}
	return do
}

func TestCallsGoAsTheConversationsSay(t *testing.T) {
	for _, talk := range talks(t) {
		c := Call{}
		for i, s := range talk {
			var do Effect
			c, do = c.Step(s.e)
			if c.State != s.to || c.Why != s.why || do != s.do {
				t.Fatalf("%s, step %d, %s: %s %s, %s; want %s %s, %s", s.talk, i+1, s.e, c.State, c.Why, list(do), s.to, s.why, list(s.do))
			}
		}
	}
}

func list(do Effect) string {
	var out []string
	for e := range do.All {
		out = append(out, e.String())
	}
	return strings.Join(out, ", ")
}

func TestThePageShowsTheTable(t *testing.T) {
	b, err := os.ReadFile("../../../../docs/protocol/calls.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "```life\n" + Table() + "```\n"; !strings.Contains(string(b), want) {
		t.Errorf("docs/protocol/calls.md does not show the table; it must have\n%s", want)
	}
}

func TestNamesAreDifferentAndNoCellIsThereTwice(t *testing.T) {
	seen := map[string]bool{}
	note := func(kind, name string) {
		if name == "" || seen[kind+name] {
			t.Errorf("%s: %q is no name, or twice", kind, name)
		}
		seen[kind+name] = true
	}
	for s := range States {
		note("state", State(s).String())
	}
	for e := range Events {
		note("event", Event(e).String())
	}
	for w := 1; w < Whys; w++ {
		note("why", Why(w).String())
	}
	for i := range EffectBits {
		note("effect", Effect(1<<i).String())
	}
	for _, r := range table {
		note("cell", r.in.String()+" "+r.on.String())
	}
	if Log != 1<<(EffectBits-1) {
		t.Error("EffectBits does not count the effects")
	}
}

// What a device says shows a server how far its call is: the same state, but for
// media, which it does not see, and an end that nobody is told.
func TestAServerThatWatchesADeviceKnowsItsState(t *testing.T) {
	seen := func(s State) State {
		if s == Active {
			return Connecting
		}
		return s
	}
	for _, talk := range talks(t) {
		var c, shadow Call
		for _, s := range talk {
			var do Effect
			c, do = c.Step(s.e)
			if s.e >= PeerProposes {
				shadow, _ = shadow.Step(s.e)
			}
			for effect := range do.All {
				if e, ok := Said(jingle.Invite{Kind: said(effect)}); ok {
					shadow, _ = shadow.Step(e)
				}
			}
			if s.e == Timeout && do&(SendRetract|SendFinish) == 0 {
				break
			}
			if seen(shadow.State) != seen(c.State) {
				t.Fatalf("%s: after %s it is %s, and from outside %s", s.talk, s.e, c.State, shadow.State)
			}
		}
	}
}

func said(do Effect) jingle.Kind {
	switch do {
	case SendPropose:
		return jingle.Propose
	case SendProceed:
		return jingle.Proceed
	case SendReject:
		return jingle.Reject
	case SendRetract:
		return jingle.Retract
	case SendFinish:
		return jingle.Finish
	}
	return 0
}

func TestWhoIsToldOfAnEndIsToldWhy(t *testing.T) {
	for _, r := range table {
		told := r.do&(SendReject|SendRetract|SendTerminate|SendFinish) != 0
		if told && r.why.Cause() == jingle.NoCondition {
			t.Errorf("%s, %s: %s is told without a reason", r.in, r.on, r.why)
		}
	}
	for s := range State(States) {
		if (s.Lasts() == 0) != (s == Idle || s == Ended) {
			t.Errorf("%s lasts %s", s, s.Lasts())
		}
	}
}
