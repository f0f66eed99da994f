package call

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

// An IQ of type get is no way around who may call.
func TestASessionGoesByASetAlone(t *testing.T) {
	play(t, nil, func(p *place) {
		bob := p.Login("bob@example.org/b")
		for _, name := range []string{"alice", "mallory"} {
			from := p.Login(name + "@example.org/x")
			for _, action := range []string{"session-initiate", "transport-info"} {
				from.Send(strings.Replace(jingleIQ("bob@example.org/b", action, "s", content("")), "type='set'", "type='get'", 1))
				if got := from.Got(); !strings.Contains(got, "<bad-request ") {
					t.Errorf("%s got %s", name, got)
				}
			}
		}
		if got := bob.Got(); got != "" {
			t.Errorf("bob got %s", got)
		}
	})
}

// Two who call each other on and on do not fill what is known of all calls.
func TestACallerIsKnownByTheLastCallsAlone(t *testing.T) {
	for _, end := range []string{"retract", "proceed"} {
		play(t, nil, func(p *place) {
			alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
			for i := range 3 * mostCalled {
				id := fmt.Sprint("c", i)
				alice.Send(invite("propose", id, audio))
				if end == "retract" {
					alice.Send(invite("retract", id, ""))
				} else {
					bob.Send(to("alice@example.org/a", invite("proceed", id, "")))
				}
			}
			if n := len(p.calls.calls); n != mostCalled || len(p.calls.known) != 1 {
				t.Errorf("%s: %d calls are known", end, n)
			}
			bob.Got()
			carol := p.Login("carol@example.org/c")
			carol.Send(invite("propose", "other", audio))
			if got := bob.Got(); !strings.Contains(got, "<propose ") {
				t.Errorf("%s: of another bob got %s", end, got)
			}
			p.calls.accountGone(jid.MustParse("alice@example.org"))
			if n := len(p.calls.calls); n != 1 || len(p.calls.known) != 1 {
				t.Errorf("%s: %d calls are known of nobody", end, n-1)
			}
		})
	}
}
