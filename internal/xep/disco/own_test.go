package disco

import (
	"crypto/sha1"
	"encoding/base64"
	"maps"
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
func run(t *testing.T, contacts []Contact, f func(offer xtok.Elem, ask func(node string) xtok.Elem), forms ...string) {
	t.Helper()
	coretest.Run(t, func(w *coretest.World) {
		New(w.Router, "urn:x").Register(w.Host)
		for _, form := range forms {
			what := w.Host.DiscoAt(core.Server)
			what.Forms = append(what.Forms, func(*core.Query) []byte { return []byte(form) })
		}
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
		}, extension("urn:xmpp:sos:0", "x-y", "x"), extension("a", "x"))
	}
}

// TestTheHashOfTheFirstEditionIsThatOfTheAnswer computes it anew from the answer,
// as XEP-0115 §5.1 says, whatever order forms and their fields stand in.
func TestTheHashOfTheFirstEditionIsThatOfTheAnswer(t *testing.T) {
	addresses := []Contact{
		{Purpose: "sales", Addresses: []string{"mailto:s@example.org"}}, {Purpose: "admin", Addresses: []string{"mailto:b@example.org", "mailto:a@example.org"}},
	}
	for what, forms := range map[string][]string{
		"no other form":             nil,
		"one that is sorted behind": {extension("urn:xmpp:sos:0", "external-status-addresses")},
		"one that is sorted before": {extension("a", "x")},
		"fields that < would sort":  {extension("urn:y", "x-y", "x"), extension("urn:x", "x", "x-y")},
	} {
		for _, contacts := range [][]Contact{nil, addresses} {
			run(t, contacts, func(offer xtok.Elem, ask func(string) xtok.Elem) {
				ver := offer.Child(nsCaps, "c").Attr("ver")
				sum := sha1.Sum([]byte(verification(ask("urn:x#" + ver))))
				if got := base64.StdEncoding.EncodeToString(sum[:]); got != ver {
					t.Errorf("%s: %s, said %s", what, got, ver)
				}
			}, forms...)
		}
	}
}

// extension is a form of some type, with a field of each name.
func extension(of string, names ...string) string {
	s := "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>" + of + "</value></field>"
	for _, name := range names {
		s += "<field var='" + name + "'><value>" + name + "</value></field>"
	}
	return s + "</x>"
}

// verification is the string to be hashed for an answer; XEP-0115 §5.1.
func verification(query xtok.Elem) string {
	var ids, vars []string
	forms := map[string]map[string][]string{}
	for e := range query.Children() {
		switch e.Local() {
		case "identity":
			ids = append(ids, e.Attr("category")+"/"+e.Attr("type")+"/"+e.AttrNS(xtok.NSXML, "lang")+"/"+e.Attr("name"))
		case "feature":
			vars = append(vars, e.Attr("var"))
		case "x":
			fields := map[string][]string{}
			for f := range e.Children() {
				for v := range f.Children() {
					fields[f.Attr("var")] = append(fields[f.Attr("var")], v.Text())
				}
			}
			forms[fields["FORM_TYPE"][0]] = fields
			delete(fields, "FORM_TYPE")
		}
	}
	slices.Sort(ids)
	slices.Sort(vars)
	list := append(ids, vars...)
	for _, of := range slices.Sorted(maps.Keys(forms)) {
		list = append(list, of)
		for _, name := range slices.Sorted(maps.Keys(forms[of])) {
			list = append(append(list, name), slices.Sorted(slices.Values(forms[of][name]))...)
		}
	}
	return strings.Join(list, "<") + "<"
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
