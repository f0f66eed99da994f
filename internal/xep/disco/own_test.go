package disco

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// stream is a connection after authentication, or before it.
type stream struct {
	core.Stream
	account jid.JID
}

func (s *stream) Account() jid.JID { return s.account }

// run gives f the stream features' children and what a question to a node is
// answered, as a client reads it on a stream in another language.
func run(t *testing.T, contacts []Contact, f func(offer xtok.Elem, ask func(node string) xtok.Elem)) {
	t.Helper()
	coretest.Run(t, func(w *coretest.World) {
		New(w.Router, "urn:x").Register(w.Host)
		Contacts(w.Host, contacts)
	}, func(w *coretest.World) {
		parse := func(s string) xtok.Elem {
			e, err := xtok.Parse([]byte(s), xtok.Limits{})
			if err != nil {
				t.Fatal(s, err)
			}
			return e
		}
		if b := w.Host.Offers(&stream{}, nil); len(b) > 0 {
			t.Errorf("offered before authentication: %s", b)
		}
		offers := w.Host.Offers(&stream{account: jid.MustParse("alice@example.org")}, nil)
		alice := w.Login("alice@example.org/a")
		f(parse("<features>"+string(offers)+"</features>"), func(node string) xtok.Elem {
			alice.Send("<iq type='get' id='q' to='example.org'><query xmlns='" + nsInfo + "' node='" + node + "'/></iq>")
			return parse("<stream xml:lang='uk'>" + alice.Got() + "</stream>").First().First()
		})
	})
}

func TestTheHashesOfTheSecondEditionAreThoseOfTheAnswer(t *testing.T) {
	for _, contacts := range [][]Contact{nil, {{Purpose: "admin", Addresses: []string{"mailto:b@example.org", "mailto:a@example.org"}}}} {
		run(t, contacts, func(offer xtok.Elem, ask func(string) xtok.Elem) {
			said := 0
			for h := range offer.Child(ecaps2.NS, "c").Children() {
				said++
				name := h.Attr("algo")
				answer := ask(ecaps2.Node(name, h.Text()))
				input, err := ecaps2.Input(answer)
				if err != nil || ecaps2.Hash(name, input) != h.Text() {
					t.Errorf("%s: the answer has another hash: %v", name, err)
				}
			}
			if said != 2 {
				t.Errorf("%d hashes", said)
			}
		})
	}
}

func TestTheHashOfTheFirstEditionIsThatOfTheAnswer(t *testing.T) {
	run(t, nil, func(offer xtok.Elem, ask func(string) xtok.Elem) {
		ver := offer.Child(nsCaps, "c").Attr("ver")
		var ids, vars []string
		for e := range ask("urn:x#" + ver).Children() {
			if e.Local() == "identity" {
				ids = append(ids, e.Attr("category")+"/"+e.Attr("type")+"/"+e.AttrNS(xtok.NSXML, "lang")+"/"+e.Attr("name")+"<")
			} else {
				vars = append(vars, e.Attr("var")+"<")
			}
		}
		slices.Sort(ids)
		slices.Sort(vars)
		sum := sha1.Sum([]byte(strings.Join(ids, "") + strings.Join(vars, "")))
		if got := base64.StdEncoding.EncodeToString(sum[:]); got != ver || len(vars) == 0 {
			t.Errorf("%s, said %s", got, ver)
		}
	})
}

func TestOtherNodesAreNotThere(t *testing.T) {
	run(t, nil, func(_ xtok.Elem, ask func(string) xtok.Elem) {
		for _, node := range []string{"urn:x#", "urn:xmpp:caps#sha-256.", "urn:xmpp:caps#sha-1.x"} {
			if e := ask(node); e.Local() == "query" {
				t.Errorf("%s is answered", node)
			}
		}
	})
}
