package e2ee

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

func TestAMessageUnderAnothersNameIsNotThatOthers(t *testing.T) {
	w, a, p := met(t)
	// Bob's message, said to be Carol's: in a running session, and with a key exchange.
	out, err := a.get(carol, p.writes("I am Carol", a.own()))
	if err == nil && out.Proof.Lock.State != port.Changed || err != nil && out.Text != "" {
		t.Errorf("%+v, %v", out, err)
	}
	fresh := &puppet{w: w, who: bob, device: p.device}
	out, err = a.get(carol, fresh.writes("I am Carol", a.own()))
	if err != nil || out.Proof.Lock.State != port.Changed || out.Proof.Lock.Why != WhyForeign {
		t.Errorf("%+v, %v", out, err)
	}
	// Hidden real addresses prove nothing.
	if out, _, err := a.Decrypt(Incoming{Room: room, Element: fresh.writes("who?", a.own())}); !errors.Is(err, ErrUnreadable) || out.Proof.Lock.Why != WhyNoSender {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestReorderedAndWithheldMessagesAreAllReadOnce(t *testing.T) {
	_, a, p := met(t)
	var texts []string
	var late []func() (Opened, error)
	for i := range 20 {
		e := p.writes(fmt.Sprint("n", i), a.own())
		late = append(late, func() (Opened, error) { return a.get(bob, e) })
	}
	for _, i := range []int{19, 3, 3, 0, 12, 19, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 0} {
		out, err := late[i]()
		if err != nil {
			t.Error(i, err)
		}
		if !out.Duplicate {
			texts = append(texts, out.Text)
		}
	}
	slices.Sort(texts)
	if len(slices.Compact(texts)) != 20 {
		t.Errorf("%d of 20 were read", len(texts))
	}
}

func TestEveryTamperingIsSeenAndHarmsNothing(t *testing.T) {
	_, a, p := met(t)
	whole := string(p.writes("the text", a.own()).AppendTo(nil))
	turn := func(from, to string) string {
		i := strings.Index(whole, from)
		j := i + strings.Index(whole[i:], to)
		body := []byte(whole[i+len(from) : j])
		k := len(body) / 2
		body[k] = map[bool]byte{true: 'B', false: 'A'}[body[k] == 'A']
		return whole[:i+len(from)] + string(body) + whole[j:]
	}
	cases := map[string]string{
		"payload":      turn("<payload>", "</payload>"),
		"key":          turn(fmt.Sprintf("rid='%d'>", a.ID()), "</key>"),
		"sender":       strings.Replace(whole, "sid='101'", "sid='102'", 1),
		"no sender":    strings.Replace(whole, "sid='101'", "", 1),
		"recipient":    strings.Replace(whole, fmt.Sprintf("rid='%d'", a.ID()), "rid='5'", 1),
		"x no payload": whole[:strings.Index(whole, "<payload>")] + "</encrypted>",
		"giant":        strings.Replace(whole, "<payload>", "<payload>"+strings.Repeat("AAAA", 1<<19), 1),
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		text := cases[name]
		out, s, err := a.Decrypt(Incoming{From: bob, Element: parse(t, text)})
		a.do(s)
		if name == "x no payload" { // nobody can tell it from an empty message: nothing is shown
			if err != nil || !out.Empty || out.Text != "" {
				t.Errorf("%s: %+v, %v", name, out, err)
			}
			continue
		}
		if err == nil || out.Text != "" || out.Proof.Lock.State != port.Broken {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	// It was not read, and that is said.
	if out, err := a.get(bob, parse(t, whole)); !errors.Is(err, ErrUnreadable) || out.Duplicate {
		t.Errorf("the whole message after one without its payload: %+v, %v", out, err)
	}
}

func TestAfterATamperedCopyTheTrueOneIsRead(t *testing.T) {
	_, a, p := met(t)
	e := p.writes("the text", a.own())
	whole := string(e.AppendTo(nil))
	i := strings.Index(whole, "<payload>") + len("<payload>")
	bad := whole[:i] + "AAAA" + whole[i+4:]
	if _, err := a.get(bob, parse(t, bad)); !errors.Is(err, ErrTampered) {
		t.Error(err)
	}
	mustRead(t, a, bob, "the text", func() (Opened, error) { return a.get(bob, e) })
}

func TestDoubleKeysForUsDoNotConfuse(t *testing.T) {
	_, a, p := met(t)
	whole := string(p.writes("the text", a.own()).AppendTo(nil))
	i := strings.Index(whole, "<key")
	bogus := fmt.Sprintf("<key rid='%d'>AAAA</key>", a.ID())
	mustRead(t, a, bob, "the text", func() (Opened, error) { return a.get(bob, parse(t, whole[:i]+bogus+whole[i:])) })
	many := strings.Repeat(bogus, 100)
	if out, err := a.get(bob, parse(t, whole[:i]+many+whole[i:])); err == nil && !out.Duplicate {
		t.Errorf("%+v", out)
	}
}

func TestStrippedEncryptionIsSaid(t *testing.T) {
	_, a, _ := met(t)
	if got := a.Plain(bob); got.State != port.Open || got.Why != WhyStripped {
		t.Errorf("%+v", got)
	}
	if got := a.Plain(carol); got.State != port.Open || got.Why != WhyPlain {
		t.Errorf("%+v", got)
	}
}
