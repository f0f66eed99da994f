package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	nsInvite = "urn:xmpp:jingle-message:0"
	nsCalls  = "urn:mirsal:calls:0"
)

// TestACallThatRangIsTracedThroughAKill kills the server while calls come and are taken back:
// whatever a device has heard of is in the traces when the server is back.
func TestACallThatRangIsTracedThroughAKill(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "calls.strangers=true", "--set", "c2s.require_tls=false",
		"--set", "calls.pair=1000", "--set", "calls.callee=1000", "--set", "calls.caller=1000", "--set", "calls.newcomer=1000", "--set", "log.level=warn"}})
	s.Accounts(password, "alice", "bob")
	heard, rounds := 0, kills(t, 10)
	for i := range rounds {
		rang := untilKilled(t, s, i)
		if err := s.Start(); err != nil {
			t.Fatalf("after kill %d: %v", i+1, err)
		}
		there := attempts(t, s)
		for _, id := range rang {
			if !there[id] {
				t.Errorf("after kill %d: %s rang and left no trace", i+1, id)
			}
		}
		heard += len(rang)
	}
	t.Logf("%d kills, %d calls rang, all of them traced", rounds, heard)
}

// device is one of somebody's, online.
func device(t *testing.T, ctx context.Context, s *mirsal.Server, name string) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain, Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(ctx, name, password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(ctx, "phone"); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	return c
}

// untilKilled lets alice call and take back, and kills the server when some of it has rung:
// the ids of what bob's device heard of.
func untilKilled(t *testing.T, s *mirsal.Server, round int) (rang []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	alice, bob := device(t, ctx, s, "alice"), device(t, ctx, s, "bob")
	defer alice.Kill()
	defer bob.Kill()
	const most = 90 // what one answer has of traces
	go func() {
		for n := range most {
			const about = "<message to='bob@" + mirsal.Domain + "' type='chat'><%s xmlns='" + nsInvite + "' id='r%d-%d'>%s</%[1]s></message>"
			const audio = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
			if alice.Send(fmt.Sprintf(about, "propose", round, n, audio)+fmt.Sprintf(about, "retract", round, n, "")) != nil {
				return // killed
			}
		}
	}()
	enough := 1 + rand.IntN(most-10)
	for {
		n, err := bob.Next(ctx)
		if err != nil {
			return rang // what had left the server before it was killed is read to its end
		}
		if p := n.Child(nsInvite, "propose"); p != nil {
			rang = append(rang, p.Attr("id"))
			if len(rang) == enough {
				s.Kill()
			}
		}
	}
}

// attempts are the ids of the calls that bob can look up.
func attempts(t *testing.T, s *mirsal.Server) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	bob := device(t, ctx, s, "bob")
	defer bob.Kill()
	if err := bob.Send("<iq type='get' id='t'><attempts xmlns='" + nsCalls + "'/></iq>"); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := bob.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n.Attr("id") != "t" {
			continue
		}
		there := map[string]bool{}
		for _, a := range n.Child(nsCalls, "attempts").Children {
			there[a.Attr("id")] = true
		}
		return there
	}
}
