package vcard_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/people"
	"mirsal/internal/store/memory"
	"mirsal/internal/xep/pubsub"
	"mirsal/internal/xep/vcard"
	"mirsal/internal/xmpp/jid"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// all are interested in everything.
type all struct{}

func (all) Notify(*core.Session, string) bool { return true }

type nodes struct{ *pubsub.Service }

func (n nodes) Change(ctx context.Context, owner jid.JID, f func(vcard.Draft) error) error {
	return n.Service.Change(ctx, owner, func(d *pubsub.Draft) error { return f(d) })
}

type parts struct {
	*coretest.World
	people *people.People
}

func world(t *testing.T, f func(w *parts)) {
	t.Helper()
	p := &parts{}
	coretest.Run(t, func(w *coretest.World) {
		kv, log := memory.New(), slog.New(slog.DiscardHandler)
		p.World = w
		w.Absent = []string{"nobody"}
		p.people = people.New(w.Router, kv, log)
		p.people.Register(w.Host)
		pep := pubsub.New(w.Router, kv, p.people, all{}, log)
		pep.Register(w.Host)
		v := vcard.New(kv, nodes{pep}, p.people)
		v.Register(w.Host)
		p.people.Stamp = append(p.people.Stamp, v.Stamp)
		pep.OnChange = append(pep.OnChange, v.Changed)
	}, func(w *coretest.World) {
		if err := p.people.Befriend(context.Background(), alice, bob); err != nil {
			t.Fatal(err)
		}
		f(p)
		w.Router.Directory().Each(func(s *core.Session) { s.Close(nil) })
		p.people.Wait()
	})
}

func ask(c *coretest.Client, kind, to, payload string) string {
	c.Got()
	if to != "" {
		to = " to='" + to + "'"
	}
	c.Send("<iq type='" + kind + "' id='q'" + to + ">" + payload + "</iq>")
	return c.Got()
}

func card(inner string) string { return "<vCard xmlns='vcard-temp'>" + inner + "</vCard>" }

func photo(data, kind string) string {
	return "<PHOTO><TYPE>" + kind + "</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</BINVAL></PHOTO>"
}

func publish(node, id, payload, access string) string {
	options := ""
	if access != "" {
		options = "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>" +
			"<value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
			"<field var='pubsub#access_model'><value>" + access + "</value></field></x></publish-options>"
	}
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'><item id='" + id + "'>" + payload + "</item></publish>" + options + "</pubsub>"
}

func items(node string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + node + "'/></pubsub>"
}

const (
	meta = "urn:xmpp:avatar:metadata"
	data = "urn:xmpp:avatar:data"
	// the SHA-1 of "abc" and of "abcd"
	abc  = "a9993e364706816aba3e25717850c26c9cd0d89d"
	abcd = "81fe8bfe87576c3ecb22426f8e57847382917acf"
)

// show publishes "abc", or what claims to be, by XEP-0084.
func show(c *coretest.Client, base64, access string) {
	ask(c, "set", "", publish(data, abc, "<data xmlns='"+data+"'>"+base64+"</data>", access))
	ask(c, "set", "", publish(meta, abc, "<metadata xmlns='"+meta+"'><info id='"+abc+"' bytes='3' type='image/gif'/></metadata>", access))
}

func update(hash string) string {
	return "<x xmlns='vcard-temp:x:update'><photo>" + hash + "</photo></x>"
}

func expect(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s\nis not in %s", w, got)
		}
	}
}

func never(t *testing.T, got string, bad ...string) {
	t.Helper()
	for _, b := range bad {
		if strings.Contains(got, b) {
			t.Errorf("%s\nis in %s", b, got)
		}
	}
}

func TestACardIsReadByEveryone(t *testing.T) {
	world(t, func(w *parts) {
		a, m := w.Login("alice@example.org/a"), w.Login("mallory@example.org/m")
		expect(t, ask(a, "get", "", card("")), "<item-not-found ")
		expect(t, ask(a, "set", "", card("<FN>Alice</FN><N><GIVEN>A &lt;</GIVEN></N>")), "type='result'")
		for _, to := range []string{"", "alice@example.org"} {
			expect(t, ask(a, "get", to, card("")), "<FN xmlns='vcard-temp'>Alice</FN><N xmlns='vcard-temp'><GIVEN>A &lt;</GIVEN></N></vCard>")
		}
		expect(t, ask(m, "get", "alice@example.org", card("")), "Alice</FN>")
		ask(a, "set", "", card(""))
		expect(t, ask(a, "get", "", card("")), "<vCard xmlns='vcard-temp'></vCard>")
		expect(t, ask(m, "get", "alice@example.org", card("")), "<vCard xmlns='vcard-temp'></vCard>")
	})
}

func TestWithoutAPublicCardNobodyLearnsOfAnAccount(t *testing.T) {
	world(t, func(w *parts) {
		a, m := w.Login("alice@example.org/a"), w.Login("mallory@example.org/m")
		show(a, "YWJj", "presence")
		for _, kind := range []string{"get", "set"} {
			got := strings.ReplaceAll(ask(m, kind, "alice@example.org", card("<FN>x</FN>")), "alice", "nobody")
			if want := ask(m, kind, "nobody@example.org", card("<FN>x</FN>")); got != want || !strings.Contains(got, "<service-unavailable ") {
				t.Errorf("%s, not %s", got, want)
			}
		}
		expect(t, ask(w.Login("bob@example.org/b"), "get", "alice@example.org", card("")), "<BINVAL>YWJj<")
	})
}

func TestAPictureByPEPIsInTheCardAndInPresence(t *testing.T) {
	world(t, func(w *parts) {
		a, b := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		ask(a, "set", "", card("<FN>Alice</FN>"))
		show(a, "YW\nJj", "open")
		expect(t, b.Got(), "<presence to='bob@example.org' xmlns='jabber:client' from='alice@example.org/a'>"+update(abc))
		expect(t, ask(b, "get", "alice@example.org", card("")), card("<PHOTO><TYPE>image/gif</TYPE><BINVAL>YWJj</BINVAL></PHOTO><FN xmlns='vcard-temp'>Alice</FN>"))
		// switched off
		ask(a, "set", "", publish(meta, "off", "<metadata xmlns='"+meta+"'/>", ""))
		expect(t, b.Got(), update(""))
		never(t, ask(b, "get", "alice@example.org", card("")), "PHOTO")
	})
}

func TestAPictureOfACardIsPublished(t *testing.T) {
	world(t, func(w *parts) {
		a, b, m := w.Login("alice@example.org/a"), w.Login("bob@example.org/b"), w.Login("mallory@example.org/m")
		expect(t, ask(a, "set", "", card("<FN>Alice</FN>"+photo("abc", "image/x-own"))), "type='result'")
		got := b.Got()
		expect(t, got, update(abc), "<item id='"+abc+"'><metadata xmlns='"+meta+"'><info bytes='3' id='"+abc+"' type='image/x-own'/></metadata>")
		if n := strings.Count(got, "<presence"); n != 1 {
			t.Errorf("%d presences", n)
		}
		expect(t, ask(m, "get", "alice@example.org", items(data)), "<data xmlns='"+data+"'>YWJj</data>")
		// the same card again
		ask(a, "set", "", card(photo("abc", "image/x-own")+"<FN>Alice A</FN>"))
		if got := b.Got(); got != "" {
			t.Error("nothing changed:", got)
		}
		// another picture, then none
		ask(a, "set", "", card(photo("abcd", "")))
		expect(t, b.Got(), update(abcd), "<item id='"+abcd+"'>")
		ask(a, "set", "", card("<FN>Alice</FN>"))
		expect(t, b.Got(), update(""), "<metadata xmlns='"+meta+"'/>")
		never(t, ask(m, "get", "alice@example.org", items(data)), "<data")
	})
}

func TestAPictureOfACardKeepsTheAccessThatWasSet(t *testing.T) {
	world(t, func(w *parts) {
		a, m := w.Login("alice@example.org/a"), w.Login("mallory@example.org/m")
		show(a, "YWJj", "presence")
		ask(a, "set", "", card("<FN>Alice</FN>"+photo("abcd", "")))
		got := ask(m, "get", "alice@example.org", card(""))
		expect(t, got, "Alice")
		never(t, got, "PHOTO")
		expect(t, ask(m, "get", "alice@example.org", items(data)), "<service-unavailable ")
		expect(t, ask(a, "get", "", card("")), "<BINVAL>YWJjZA==<")
	})
}

func TestOnlyAPictureWithItsOwnHashIsShown(t *testing.T) {
	world(t, func(w *parts) {
		a, b := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		for _, bad := range []string{"YWJjZA==", "!!!", "", "YWJj=", "<b>YWJj</b>"} {
			show(a, bad, "open")
			never(t, b.Got(), update(abc))
			never(t, ask(b, "get", "alice@example.org", card("")), "PHOTO")
		}
		show(a, "YWJj", "open")
		expect(t, b.Got(), update(abc))
	})
}

func TestAPictureElsewhereIsNotShown(t *testing.T) {
	world(t, func(w *parts) {
		a, b := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		show(a, "YWJj", "open")
		many := strings.Repeat("<info id='"+abc+"' url='http://x.example/'/>", 2)
		ask(a, "set", "", publish(meta, "m", "<metadata xmlns='"+meta+"'>"+many+"</metadata>", ""))
		expect(t, b.Got(), update(""))
		ask(a, "set", "", publish(meta, "m", "<metadata xmlns='"+meta+"'>"+many+"<info id='"+strings.ToUpper(abc)+"'/></metadata>", ""))
		never(t, b.Got(), update(abc)) // the item of the data node has another name
		ask(a, "set", "", publish(meta, "m", "<metadata xmlns='"+meta+"'>"+many+"<info id='"+abc+"'/></metadata>", ""))
		expect(t, b.Got(), update(abc))
		// a card without a picture, as it was shown, changes nothing about one elsewhere
		ask(a, "set", "", publish(meta, "m", "<metadata xmlns='"+meta+"'>"+many+"</metadata>", ""))
		ask(a, "set", "", card("<FN>A</FN>"))
		expect(t, ask(a, "get", "", items(meta)), many[:20])
	})
}

func TestPicturesOutOfShapeAreRefused(t *testing.T) {
	world(t, func(w *parts) {
		a := w.Login("alice@example.org/a")
		ask(a, "set", "", card("<FN>Alice</FN>"+photo("abc", "")))
		for _, bad := range []string{"<PHOTO><BINVAL>!!!</BINVAL></PHOTO>", "<PHOTO><BINVAL>YWJj=</BINVAL></PHOTO>", photo(strings.Repeat("x", 96_001), "")} {
			expect(t, ask(a, "set", "", card("<FN>Bad</FN>"+bad)), "<not-acceptable ")
		}
		expect(t, ask(a, "get", "", card("")), "YWJj", "Alice")
		expect(t, ask(a, "set", "", card(photo(strings.Repeat("x", 96_000), ""))), "type='result'")
		expect(t, ask(a, "get", "", card("")), strings.Repeat("eHh4", 32_000)+"<")
		for _, none := range []string{"<PHOTO/>", "<PHOTO><BINVAL/></PHOTO>", "<PHOTO><EXTVAL>http://x.example</EXTVAL></PHOTO>"} {
			ask(a, "set", "", card(photo("abc", "")))
			ask(a, "set", "", card(none))
			never(t, ask(a, "get", "", card("")), "BINVAL")
		}
		expect(t, ask(a, "get", "", card("")), "<EXTVAL>http://x.example</EXTVAL>")
	})
}

func TestPresenceSaysWhatIsTrue(t *testing.T) {
	for said, want := range map[string]string{
		"":                                 update(abc),
		"<x xmlns='vcard-temp:x:update'/>": update(abc),
		update("123456"):                   update(abc),
		update("123456") + update(abc):     update(abc),
		"<y xmlns='urn:y'/>" + update("1"): "<y xmlns='urn:y'/>" + update(abc),
		update(""):                         update(""),
		"<x xmlns='vcard-temp:x:update'><photo xmlns='vcard-temp:x:update'/></x>": "<photo xmlns='vcard-temp:x:update'/>",
	} {
		world(t, func(w *parts) {
			a, b := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
			show(a, "YWJj", "open")
			b.Got()
			a.Send("<presence>" + said + "</presence>")
			got := b.Got()
			expect(t, got, want)
			if strings.Count(got, "vcard-temp:x:update'>") != strings.Count(want, "vcard-temp:x:update'>")+strings.Count(want, "<photo xmlns") {
				t.Errorf("%s becomes %s", said, got)
			}
		})
	}
}

func TestWhoShowsNoPictureIsLeftAlone(t *testing.T) {
	world(t, func(w *parts) {
		a, a2, b := w.Login("alice@example.org/a"), w.Login("alice@example.org/a2"), w.Login("bob@example.org/b")
		a.Send("<presence><show>away</show>" + update("") + "</presence>")
		b.Got()
		show(a2, "YWJj", "open")
		got := b.Got()
		expect(t, got, "from='alice@example.org/a2'>"+update(abc))
		never(t, got, "from='alice@example.org/a'")
		a.Send("<presence/>")
		expect(t, b.Got(), update(abc))
	})
}

func TestTheHashGoesToThoseWhoMayFetchThePicture(t *testing.T) {
	world(t, func(w *parts) {
		a, b, m := w.Login("alice@example.org/a"), w.Login("bob@example.org/b"), w.Login("mallory@example.org/m")
		show(a, "YWJj", "presence")
		expect(t, b.Got(), update(abc))
		a.Send("<presence to='mallory@example.org'/>")
		never(t, m.Got(), abc)
		a.Send("<presence to='bob@example.org'/>")
		expect(t, b.Got(), update(abc))
		submit := "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='%s'><x xmlns='jabber:x:data' type='submit'>" +
			"<field var='pubsub#access_model'><value>%s</value></field></x></configure></pubsub>"
		ask(a, "set", "", fmt.Sprintf(submit, meta, "open"))
		a.Send("<presence to='mallory@example.org'/>")
		never(t, m.Got(), abc) // the bytes are not open yet
		ask(a, "set", "", fmt.Sprintf(submit, data, "open"))
		a.Send("<presence to='mallory@example.org'/>")
		expect(t, m.Got(), update(abc))
		b.Got()
		ask(a, "set", "", fmt.Sprintf(submit, meta, "whitelist"))
		got := b.Got()
		expect(t, got, "<presence")
		never(t, got, abc)
		a.Send("<presence/>")
		never(t, b.Got(), abc)
	})
}

func TestAPresenceKeepsItsOtherContentWhenThePictureChanges(t *testing.T) {
	world(t, func(w *parts) {
		a, b := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		a.Send("<presence xmlns:q='urn:q' xml:lang='uk' id='p'><q:x q:y='1'/><status>тут</status><priority>7</priority></presence>")
		b.Got()
		show(a, "YWJj", "open")
		expect(t, b.Got(), "xmlns:q='urn:q'", "xml:lang='uk'", "<q:x q:y='1'/><status>тут</status><priority>7</priority>"+update(abc))
		if p := a.Session.Presence().Priority; p != 7 {
			t.Error("priority", p)
		}
	})
}

// Whatever picture is set in one form is read in the other, byte by byte.
func TestPicturesSurviveTheConversion(t *testing.T) {
	world(t, func(w *parts) {
		a, a2 := w.Login("alice@example.org/a"), w.Login("alice@example.org/a2")
		rapid.Check(t, func(t *rapid.T) {
			raw := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "picture")
			text := base64.StdEncoding.EncodeToString(raw)
			ask(a, "set", "", card(photo(string(raw), rapid.SampledFrom([]string{"image/png", "", "text/html", "image/&lt;"}).Draw(t, "type"))))
			got := ask(a2, "get", "", items(data))
			if !strings.Contains(got, ">"+text+"</data>") {
				t.Fatalf("%s is not in %s", text, got)
			}
			got = ask(a2, "get", "", card(""))
			if !strings.Contains(got, "<BINVAL>"+text+"</BINVAL>") || bytes.Contains([]byte(got), []byte("text/html")) {
				t.Fatalf("%s is not in %s", text, got)
			}
		})
	})
}

func TestTwoDevicesAtOnceLeaveOneWhole(t *testing.T) {
	world(t, func(w *parts) {
		var clients []*coretest.Client
		for i := range 4 {
			clients = append(clients, w.Login(fmt.Sprintf("alice@example.org/%d", i)))
		}
		for range 20 {
			var run sync.WaitGroup
			for i, c := range clients {
				run.Go(func() {
					c.Send("<iq type='set' id='s'>" + card(fmt.Sprintf("<FN>n%d</FN>", i)+photo(fmt.Sprintf("p%d", i), "")) + "</iq>")
				})
			}
			run.Wait()
			synctest.Wait()
			got := ask(clients[0], "get", "", card(""))
			whole := false
			for i := range clients {
				text := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "p%d", i))
				whole = whole || strings.Contains(got, fmt.Sprintf(">n%d<", i)) && strings.Contains(got, text)
			}
			if !whole {
				t.Fatal(got)
			}
		}
	})
}
