package caps

import (
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/xtok"
)

// hashOf is an answer's hash of XEP-0390.
func hashOf(t *testing.T, algorithm, inner string) string {
	t.Helper()
	e, err := xtok.Parse([]byte("<query xmlns='"+nsDisco+"'>"+inner+"</query>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	input, err := ecaps2.Input(e)
	if err != nil {
		t.Fatal(err)
	}
	return ecaps2.Hash(algorithm, input)
}

// set is a <c/> of XEP-0390 of names and hashes.
func set(pairs ...string) string {
	b := "<c xmlns='urn:xmpp:caps'>"
	for i := 0; i < len(pairs); i += 2 {
		b += "<hash xmlns='urn:xmpp:hashes:2' algo='" + pairs[i] + "'>" + pairs[i+1] + "</hash>"
	}
	return b + "</c>"
}

func here(c string) string { return "<presence>" + c + "</presence>" }

const mood = "<identity category='client' type='pc'/><feature var='mood+notify'/>"

func TestAVerifiedAnswerOfTheSecondEditionServesAll(t *testing.T) {
	for _, algorithm := range ecaps2.Algorithms() {
		world(t, func(w *coretest.World, c *Caps, heard *[]known) {
			p := here(set("x-future", "abc", algorithm, hashOf(t, algorithm, mood)))
			a, b := w.Bind("alice@example.org/a"), w.Bind("bob@example.org/b")
			a.Send(p)
			b.Send(p)
			id := asked(a)
			if id == "" || asked(b) != "" {
				t.Fatal("not exactly one was asked")
			}
			answer(a, id, mood)
			if !c.Notify(a.Session, "mood") || !c.Notify(b.Session, "mood") || c.Known() != 1 || len(*heard) != 2 {
				t.Errorf("%s: known %d, heard %v", algorithm, c.Known(), *heard)
			}
		})
	}
}

func TestAWrongHashOfTheSecondEditionCountsForItsSenderOnly(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		p := here(set("sha-256", hashOf(t, "sha-256", mood)))
		mallory, b := w.Bind("mallory@example.org/m"), w.Bind("bob@example.org/b")
		mallory.Send(p)
		b.Send(p)
		answer(mallory, asked(mallory), "<feature var='poison+notify'/>")
		if !c.Notify(mallory.Session, "poison") || c.Notify(b.Session, "poison") || c.Known() != 0 {
			t.Fatal("the answer got beyond its sender")
		}
		id := asked(b)
		if id == "" {
			t.Fatal("the next client with that hash was not asked")
		}
		answer(b, id, mood)
		if !c.Notify(b.Session, "mood") || c.Known() != 1 {
			t.Error("the honest answer was not taken")
		}
	})
}

func TestNothingThatCannotBeVerifiedIsShared(t *testing.T) {
	big := mood + "<feature var='" + strings.Repeat("x", maxFeatures) + "'/>"
	for name, p := range map[string]struct{ c, inner string }{
		"hash function that we do not know": {set("x-future", hashOf(t, "sha-256", mood)), mood},
		"weak hash function":                {set("sha-1", hashOf(t, "sha-256", mood)), mood},
		"answer with more than belongs":     {set("sha-256", hashOf(t, "sha-256", mood)), mood + "<other xmlns='x'/>"},
		"answer without measure":            {set("sha-256", hashOf(t, "sha-256", big)), big},
	} {
		world(t, func(w *coretest.World, c *Caps, _ *[]known) {
			a := w.Bind("alice@example.org/a")
			a.Send(here(p.c))
			id := asked(a)
			if id == "" {
				t.Fatalf("%s: not asked", name)
			}
			answer(a, id, p.inner)
			if c.Known() != 0 {
				t.Errorf("%s: shared", name)
			}
		})
	}
}

func TestHashesOfOneEditionAreNotTakenForThoseOfTheOther(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		_, first := verOf(t, tuneInner)
		a, b := w.Bind("alice@example.org/a"), w.Bind("bob@example.org/b")
		a.Send(presence(first))
		answer(a, asked(a), tuneInner)
		b.Send(here(set("sha-1", first)))
		if c.Notify(b.Session, "tune") || asked(b) == "" {
			t.Error("a hash of XEP-0115 was believed in XEP-0390")
		}
		d := w.Bind("dora@example.org/d")
		d.Send(strings.Replace(presence("x"), "ver='x'", "ver='urn:xmpp:caps#sha-256."+hashOf(t, "sha-256", mood)+"'", 1))
		answer(d, asked(d), mood)
		e := w.Bind("eve@example.org/e")
		e.Send(here(set("sha-256", hashOf(t, "sha-256", mood))))
		if asked(e) == "" {
			t.Error("a hash of XEP-0390 was taken from XEP-0115")
		}
	})
}

func TestTheSecondEditionIsBelievedBeforeTheFirst(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		_, first := verOf(t, tuneInner)
		a, b := w.Bind("alice@example.org/a"), w.Bind("bob@example.org/b")
		a.Send(presence(first))
		answer(a, asked(a), tuneInner)
		both := strings.Replace(presence(first), "</presence>", set("sha3-256", hashOf(t, "sha3-256", mood))+"</presence>", 1)
		b.Send(both)
		if got := b.Got(); !strings.Contains(got, "node='urn:xmpp:caps#sha3-256.") || c.Notify(b.Session, "tune") {
			t.Errorf("asked by %s", got)
		}
		third := w.Bind("carol@example.org/c")
		third.Send(strings.Replace(presence(first), "</presence>", set("x-future", "abc")+"</presence>", 1))
		if !c.Notify(third.Session, "tune") {
			t.Error("what can be verified was not preferred")
		}
	})
}

func TestOneWhoSaidItByTheSecondEditionNeedNotSayItAgain(t *testing.T) {
	world(t, func(w *coretest.World, c *Caps, _ *[]known) {
		a := w.Bind("alice@example.org/a")
		a.Send(here(set("sha-256", hashOf(t, "sha-256", mood))))
		answer(a, asked(a), mood)
		a.Send("<presence><show>away</show></presence>")
		if !c.Notify(a.Session, "mood") {
			t.Error("forgotten with the next presence")
		}
		a.Send("<presence type='unavailable'/>")
		a.Send("<presence/>")
		if c.Notify(a.Session, "mood") {
			t.Error("remembered of an earlier time")
		}
	})
}
