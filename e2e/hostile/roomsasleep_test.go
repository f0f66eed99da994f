package hostile

import (
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
)

// What is taken back while somebody sleeps is not written out for him when the server
// stops, and what he wakes up to is a tombstone in its place.
// XEP-0425#usecase, XEP-0424#tombstones
func TestTakenBackWhileSomebodySleeps(t *testing.T) {
	const secret = "ohmygoodnessthissecretword"
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "carol", "witness", "friend")
	v := &victim{Server: s, ctx: t.Context()}
	owner, witness := v.available(t, "carol"), v.available(t, "witness")
	makes(t, owner, "dreams", "enablearchiving=1")
	enter(t, witness, "dreams", "witness")
	friend, previous := v.resumable(t, "friend", password, "sleeper")
	say(t, friend, "<presence/>")
	enter(t, friend, "dreams", "friend")
	friend.Kill()
	heard1(t, owner, "dreams", witness)
	id, own := said(t, witness, "dreams", secret), said(t, witness, "dreams", secret+" again")
	said(t, witness, "dreams", "harmless")
	succeeds(t, owner, at("dreams"), moderation(id))
	say(t, witness, toRoom("dreams", "back", "<retract xmlns='urn:xmpp:message-retract:1' id='"+own+"'/>"))
	heard1(t, owner, "dreams", witness)
	if err := v.Stop(); err != nil {
		t.Fatal(err)
	}
	if where := v.onDisk(t, secret); len(where) > 0 {
		t.Errorf("what was taken back is in %v", where)
	}
	if err := v.Start(); err != nil {
		t.Fatal(err)
	}
	again, n := v.resumes(t, "friend", password, "sleeper", previous, "0")
	if !resumed(n) {
		t.Fatalf("not resumed: %s", n)
	}
	say(t, again, "<iq type='get' id='behind' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	tombs, harmless := 0, false
	for n := next(t, again); n.Attr("id") != "behind"; n = next(t, again) {
		if strings.Contains(n.String(), secret) {
			t.Errorf("who slept was sent %s", n)
		}
		if n.Child("urn:xmpp:message-retract:1", "retracted") != nil && (place(n) == id || place(n) == own) {
			tombs++
		}
		harmless = harmless || strings.Contains(n.String(), "harmless")
	}
	if tombs != 2 || !harmless {
		t.Errorf("who slept was sent %d tombstones, what stands: %v", tombs, harmless)
	}
}
