package omemo

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	ours "mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// The client's whole OMEMO, which speaks both profiles, with somebody whose program has one
// of them only.

// theirs is the address that an oracle has, with one device of the number that all have.
const theirs, ourAddress = "own@example.org", "bob@example.org"

// site is a server's personal nodes: of our client what it published, of the oracle what it has.
type site struct {
	t     *testing.T
	book  *e2ee.Book
	store keep.Store
	nodes map[string]string // address, node: items
}

// newSite opens a client beside somebody who announces a profile.
func newSite(t *testing.T, p ours.Profile, bundle []byte) *site {
	t.Helper()
	s := &site{t: t, store: keep.NewMemory(), nodes: map[string]string{
		theirs + p.DevicesNode():      "<item id='current'>" + string(ours.AppendDevices(nil, p, []ours.Listed{{ID: number}})) + "</item>",
		theirs + p.BundleNode(number): fmt.Sprintf("<item id='%s'>%s</item>", p.BundleItem(number), bundle),
	}}
	var err error
	s.book, err = e2ee.Open(e2ee.Config{Store: s.store, Own: jid.MustParse(ourAddress), Now: time.Now, Two: true,
		Rand: io.MultiReader(bytes.NewReader(make([]byte, 4)), rand.Reader)}) // so that its number is 1
	if err != nil || s.book.ID() != number {
		t.Fatal(err)
	}
	s.do(s.book.Online())
	s.do(s.book.CatchUp(false))
	return s
}

func (s *site) do(step e2ee.Step) {
	s.t.Helper()
	s.apply(step.Batch)
	for _, r := range step.Ask {
		s.do(s.book.Answer(r, parse(s.t, s.answer(r))))
	}
}

func (s *site) apply(b *keep.Batch) {
	s.t.Helper()
	if err := s.store.Apply(b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) answer(r e2ee.Request) []byte {
	act := parse(s.t, r.Payload).First()
	name := ourAddress + act.Attr("node")
	if !r.To.IsZero() {
		name = r.To.String() + act.Attr("node")
	}
	if r.Type == "set" {
		if act.Local() == "publish" {
			s.nodes[name] = string(act.First().AppendTo(nil))
		}
		return []byte("<iq xmlns='jabber:client' type='result'/>")
	}
	if s.nodes[name] == "" {
		return []byte("<iq xmlns='jabber:client' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
	}
	return []byte("<iq xmlns='jabber:client' type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + act.Attr("node") + "'>" +
		s.nodes[name] + "</items></pubsub></iq>")
}

// ourBundle is what the client has published.
func (s *site) ourBundle(p ours.Profile) []byte {
	return parse(s.t, []byte(s.nodes[ourAddress+p.BundleNode(number)])).First().AppendTo(nil)
}

// says encrypts a text, and wants one element in that profile.
func (s *site) says(p ours.Profile, text string) []byte {
	s.t.Helper()
	to := []jid.JID{jid.MustParse(theirs)}
	for ask, wait := s.book.Needs(to); wait; ask, wait = s.book.Needs(to) {
		s.do(e2ee.Step{Ask: ask})
	}
	sealed, batch, err := s.book.Encrypt(e2ee.Outgoing{To: to, Text: text, XML: []byte("<request xmlns='urn:xmpp:receipts'/>")})
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(batch)
	m := parse(s.t, []byte("<m>"+string(sealed.Content)+"</m>"))
	if e := m.First(); e.NS() == p.Namespace() && sealed.Inside == (p == ours.Two) && strings.Count(string(sealed.Content), "<encrypted ") == 1 {
		return e.AppendTo(nil)
	}
	s.t.Fatalf("%s", sealed.Content)
	return nil
}

func (s *site) reads(element []byte) (string, error) {
	s.t.Helper()
	out, step, err := s.book.Decrypt(e2ee.Incoming{From: jid.MustParse(theirs), Element: parse(s.t, element)})
	s.do(step)
	return out.Text, err
}

// inside is what somebody with that profile encrypts, and the body of what was.
func inside(p ours.Profile, from, text string) []byte {
	if p == ours.Legacy {
		return []byte(text)
	}
	return []byte("<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>" + text + "</body></content>" +
		"<rpad>0123456789</rpad><from jid='" + from + "'/></envelope>")
}

func bodyOf(t *testing.T, p ours.Profile, plain []byte) string {
	t.Helper()
	if p == ours.Legacy {
		return string(plain)
	}
	e, err := xtok.Parse(plain, xtok.Limits{})
	const sce = "urn:xmpp:sce:1"
	if err != nil || e.Child(sce, "from").Attr("jid") != ourAddress || e.Child(sce, "rpad").Text() == "" || !e.Child(sce, "content").Child("urn:xmpp:receipts", "request").OK() {
		t.Fatalf("%v: %s", err, plain)
	}
	return e.Child(sce, "content").Child("jabber:client", "body").Text()
}

func TestTheClientTalksWithWhoHasOneProfileOnly(t *testing.T) {
	for name, p := range map[string]ours.Profile{"oldmemo": ours.Legacy, "twomemo": ours.Two} {
		t.Run(name, func(t *testing.T) {
			peer := python(t, name).device(t, "").(stranger)
			s := newSite(t, p, peer.bundle())
			for _, text := range []string{"hello", "السلام عليكم"} {
				if plain, err := peer.unseal(ourAddress, s.says(p, text)); err != nil || bodyOf(t, p, plain) != text {
					t.Fatalf("%s reads %q, %v", name, plain, err)
				}
				element, err := peer.seal(ourAddress, inside(p, theirs, "back: "+text))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := s.reads(element); err != nil || got != "back: "+text {
					t.Fatalf("we read %q, %v", got, err)
				}
			}
			element, _ := peer.seal(ourAddress, inside(p, "mallory@example.org", "moved"))
			if _, err := s.reads(element); p == ours.Two && !errors.Is(err, e2ee.ErrForged) {
				t.Errorf("of another sender: %v", err)
			}
		})
	}
}

func TestWhoHasOneProfileOnlyBeginsWithTheClient(t *testing.T) {
	for name, p := range map[string]ours.Profile{"oldmemo": ours.Legacy, "twomemo": ours.Two} {
		t.Run(name, func(t *testing.T) {
			peer := python(t, name).device(t, "").(stranger)
			s := newSite(t, p, peer.bundle())
			if _, err := peer.start(ourAddress, s.ourBundle(p), make([]byte, len((&end{library: library{profile: p}}).fresh()))); err != nil {
				t.Fatal(err)
			}
			element, err := peer.seal(ourAddress, inside(p, theirs, "first"))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.reads(element); err != nil || got != "first" {
				t.Fatalf("we read %q, %v", got, err)
			}
			if plain, err := peer.unseal(ourAddress, s.says(p, "answer")); err != nil || bodyOf(t, p, plain) != "answer" {
				t.Fatalf("%s reads %q, %v", name, plain, err)
			}
		})
	}
}
