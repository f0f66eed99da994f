package people

import (
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

func TestPeopleBefriendedInAGroupSeeEachOtherAtOnceAndAreToldOnce(t *testing.T) {
	worldOn(t, memory.New(), func(w *coretest.World, p *People) {
		a, b := w.Login("alice@example.org/phone"), w.Login("bob@example.org/phone")
		a.Send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
		a.Got()
		for range 2 {
			if err := p.BefriendIn(t.Context(), jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org"), "friends"); err != nil {
				t.Fatal(err)
			}
		}
		got := a.Got()
		if strings.Count(got, "<presence") != 1 || strings.Count(got, "<group>friends</group>") != 1 || !strings.Contains(got, "subscription=\"both\"") && !strings.Contains(got, "subscription='both'") {
			t.Error(got)
		}
		if got := b.Got(); strings.Count(got, "<presence") != 1 {
			t.Error(got)
		}
	})
}

func TestARequestThatWasVouchedForIsGrantedBothWays(t *testing.T) {
	worldOn(t, memory.New(), func(w *coretest.World, p *People) {
		p.Vouch = append(p.Vouch, func(owner, asker jid.JID, request xtok.Elem) bool {
			return request.Child("urn:xmpp:pars:0", "preauth").AttrIs("token", "good")
		})
		a := w.Login("alice@example.org/phone")
		a.Send("<presence type='subscribe' to='bob@example.org'><preauth xmlns='urn:xmpp:pars:0' token='good'/></presence>")
		a.Send("<presence type='subscribe' to='carol@example.org'><preauth xmlns='urn:xmpp:pars:0' token='bad'/></presence>")
		a.Got()
		alice := jid.MustParse("alice@example.org")
		bob, _ := p.Contact(alice, jid.MustParse("bob@example.org"))
		back, _ := p.Contact(jid.MustParse("bob@example.org"), alice)
		carol, _ := p.Contact(alice, jid.MustParse("carol@example.org"))
		if bob.State != Both || back.State != Both || carol.State != NoneOut {
			t.Error(bob.State, back.State, carol.State)
		}
	})
}
