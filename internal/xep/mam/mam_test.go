package mam

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

type late struct{ *archive.Archive }

// world has alice, who reads her archive, and bob and carol, who write to her.
type world struct {
	*coretest.World
	archive           *archive.Archive
	alice, bob, carol *coretest.Client
}

func run(t *testing.T, f func(w *world)) {
	t.Helper()
	runPages(t, 250, f)
}

// runPages is run with pages of at most so many messages.
func runPages(t *testing.T, page int, f func(w *world)) {
	t.Helper()
	var a late
	w := &world{}
	coretest.RunOn(t, &a, func(cw *coretest.World) {
		st := memory.New()
		var err error
		if a.Archive, err = archive.New(t.Context(), st, st, archive.Config{}); err != nil {
			t.Fatal(err)
		}
		w.World, w.archive = cw, a.Archive
		a.Register(cw.Host, cw.Router)
		m := New(a.Archive, page, slog.New(slog.DiscardHandler))
		m.Register(cw.Host)
		m.At(cw.Host, cw.Host.Site(jid.MustParse("rooms.example.org")).Node, readers)
	}, func(cw *coretest.World) {
		w.alice, w.bob, w.carol = cw.Bind("alice@example.org/a"), cw.Bind("bob@example.org/b"), cw.Bind("carol@example.org/c")
		f(w)
		a.Close()
	})
}

// say sends numbered messages to alice, a second apart from each other.
func (w *world) say(c *coretest.Client, from, to int) {
	for n := from; n <= to; n++ {
		c.Send(fmt.Sprintf("<message to='alice@example.org' type='chat'><body>%d</body></message>", n))
		time.Sleep(time.Second)
	}
}

// ask sends a query by alice and returns the bodies and the rest of the answer.
func (w *world) ask(content string) (bodies, answer string) {
	w.T.Helper()
	w.alice.Got()
	w.alice.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='f&amp;1'>" + content + "</query></iq>")
	got := w.alice.Got()
	i := strings.Index(got, "<iq ")
	if i < 0 || strings.Count(got, "<iq ") != 1 || strings.Contains(got[i:], "<message ") {
		w.T.Fatalf("%s was answered with %s", content, got)
	}
	var out []string
	for _, part := range strings.Split(got[:i], "<body>")[1:] {
		body, _, _ := strings.Cut(part, "</body>")
		out = append(out, body)
	}
	return strings.Join(out, " "), got[i:]
}

func (w *world) id(seq uint64) string { return w.archive.StanzaID(seq) }

func query(fields ...string) string {
	b := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
	for i := 0; i < len(fields); i += 2 {
		b += "<field var='" + fields[i] + "'>"
		for _, v := range strings.Fields(fields[i+1]) {
			b += "<value>" + v + "</value>"
		}
		b += "</field>"
	}
	return b + "</x>"
}

func set(content string) string {
	return "<set xmlns='http://jabber.org/protocol/rsm'>" + content + "</set>"
}

func TestPagesAreFoundByEveryMeans(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 4)
		w.say(w.carol, 5, 7)
		w.say(w.bob, 8, 9)
		at := func(n int) string { return fmt.Sprintf("2000-01-01T00:00:%02dZ", n-1) }
		for name, c := range map[string]struct {
			query, want string
			complete    bool
		}{
			"everything":              {"", "1 2 3 4 5 6 7 8 9", true},
			"an empty form":           {query(), "1 2 3 4 5 6 7 8 9", true},
			"first page":              {set("<max>3</max>"), "1 2 3", false},
			"next page":               {set("<max>3</max><after>" + w.id(3) + "</after>"), "4 5 6", false},
			"last page forwards":      {set("<max>3</max><after>" + w.id(6) + "</after>"), "7 8 9", true},
			"behind the end":          {set("<max>3</max><after>" + w.id(9) + "</after>"), "", true},
			"last page":               {set("<max>3</max><before/>"), "7 8 9", false},
			"page before":             {set("<max>3</max><before>" + w.id(7) + "</before>"), "4 5 6", false},
			"first page backwards":    {set("<max>3</max><before>" + w.id(4) + "</before>"), "1 2 3", true},
			"before all":              {set("<before>" + w.id(1) + "</before>"), "", true},
			"flipped":                 {set("<max>3</max><before/>") + "<flip-page/>", "9 8 7", false},
			"flipped forwards":        {set("<max>3</max>") + "<flip-page/>", "3 2 1", false},
			"with bob":                {query("with", "bob@example.org"), "1 2 3 4 8 9", true},
			"with bob, a page":        {query("with", "bob@example.org") + set("<max>2</max><before/>"), "8 9", false},
			"with a resource":         {query("with", "carol@example.org/c"), "5 6 7", true},
			"resource, a page":        {query("with", "carol@example.org/c") + set("<max>2</max>"), "5 6", false},
			"resource, last page":     {query("with", "carol@example.org/c") + set("<max>2</max><before/>"), "6 7", false},
			"resource, exact page":    {query("with", "carol@example.org/c") + set("<max>3</max><before/>"), "5 6 7", true},
			"with another resource":   {query("with", "carol@example.org/x"), "", true},
			"with a stranger":         {query("with", "dave@example.org"), "", true},
			"with myself":             {query("with", "alice@example.org"), "", true},
			"start":                   {query("start", at(8)), "8 9", true},
			"end":                     {query("end", at(2)), "1 2", true},
			"start and end":           {query("start", at(4), "end", at(6)), "4 5 6", true},
			"start with offset":       {query("start", "2000-01-01T02:00:07+02:00"), "8 9", true},
			"start after end":         {query("start", at(6), "end", at(4)), "", true},
			"between two times":       {query("start", "2000-01-01T00:00:00.0001Z", "end", "2000-01-01T00:00:00.9999Z"), "", true},
			"until the epoch":         {query("end", "1970-01-01T00:00:00Z"), "", true},
			"after-id":                {query("after-id", w.id(7)), "8 9", true},
			"before-id":               {query("before-id", w.id(3)), "1 2", true},
			"between ids":             {query("after-id", w.id(3), "before-id", w.id(6)), "4 5", true},
			"between ids, page":       {query("after-id", w.id(3), "before-id", w.id(9)) + set("<max>2</max><before/>"), "7 8", false},
			"ids and page agree":      {query("after-id", w.id(3)) + set("<after>"+w.id(7)+"</after>"), "8 9", true},
			"ids the wrong way round": {query("after-id", w.id(6), "before-id", w.id(3)), "", true},
			"one id":                  {query("ids", w.id(5)), "5", true},
			"some ids":                {query("ids", w.id(8)+" "+w.id(2)+" "+w.id(2)), "2 8", true},
			"ids with bob":            {query("ids", w.id(2)+" "+w.id(5), "with", "bob@example.org"), "2", true},
			"ids, last page":          {query("ids", w.id(2)+" "+w.id(5)+" "+w.id(8)) + set("<max>2</max><before/>"), "5 8", false},
			"groupchat field":         {query("include-groupchat", "false", "with", "carol@example.org"), "5 6 7", true},
			"both ways of paging":     {set("<after>" + w.id(2) + "</after><before>" + w.id(6) + "</before>"), "3 4 5", true},
		} {
			got, fin := w.ask(c.query)
			if got != c.want || strings.Contains(fin, "complete='true'") != c.complete || !strings.Contains(fin, "<fin xmlns='urn:xmpp:mam:2'") {
				t.Errorf("%s: got %q, want %q; %s", name, got, c.want, fin)
			}
		}
	})
}

func TestAPageNamesItsFirstAndLastMessage(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 5)
		for _, extra := range []string{"", "<flip-page/>"} {
			_, fin := w.ask(set("<max>2</max><before/>") + extra)
			if !strings.Contains(fin, "<first>"+w.id(4)+"</first><last>"+w.id(5)+"</last>") {
				t.Errorf("got %s", fin)
			}
		}
	})
}

func TestAnArchivedMessageIsHandedOutAsItWas(t *testing.T) {
	run(t, func(w *world) {
		w.bob.Send("<message to='alice@example.org' type='chat' id='i' xml:lang='de'><body>ü &lt;</body><x xmlns='urn:x'/></message>")
		w.alice.Got()
		w.alice.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='f&amp;1'/></iq>")
		want := "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/a'><result xmlns='urn:xmpp:mam:2' queryid='f&amp;1' id='" + w.id(1) + "'>" +
			"<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2000-01-01T00:00:00.000Z'/>" +
			"<message xmlns='jabber:client' from='bob@example.org/b' to='alice@example.org' id='i' type='chat' xml:lang='de'><body>ü &lt;</body><x xmlns='urn:x'/></message>" +
			"</forwarded></result></message>" +
			"<iq xmlns='jabber:client' from='alice@example.org' to='alice@example.org/a' id='q' type='result'><fin xmlns='urn:xmpp:mam:2' complete='true' stable='true'>" +
			"<set xmlns='http://jabber.org/protocol/rsm'><first>" + w.id(1) + "</first><last>" + w.id(1) + "</last></set></fin></iq>"
		if got := w.alice.Got(); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	})
}

func TestWrongQueriesAreRefused(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 2)
		// a message that is in bob's and carol's archives only
		w.bob.Send("<message to='carol@example.org' type='chat'><body>secret</body></message>")
		for content, want := range map[string]string{
			query("free-text", "x"):                    "feature-not-implemented",
			"<x xmlns='jabber:x:data' type='submit'/>": "bad-request",
			"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:x</value></field></x>": "bad-request",
			query("with", "@"):                         "jid-malformed",
			query("with", ""):                          "jid-malformed",
			query("with", "bob@example.org carol@a"):   "bad-request",
			query("start", "99999-01-01T00:00:00Z"):    "bad-request",
			query("end", "yesterday"):                  "bad-request",
			query("after-id", "1"):                     "item-not-found",
			query("after-id", w.id(3)):                 "item-not-found",
			query("before-id", w.id(77)):               "item-not-found",
			query("ids", w.id(1)+" "+w.id(3)):          "item-not-found",
			query("ids", "'--"):                        "item-not-found",
			query("ids", strings.Repeat("x ", 251)):    "not-acceptable",
			set("<after>" + w.id(3) + "</after>"):      "item-not-found",
			set("<before>1' OR '1'='1</before>"):       "item-not-found",
			set("<max>-1</max>"):                       "bad-request",
			set("<max>99999999999</max>"):              "bad-request",
			set("<index>1</index>"):                    "feature-not-implemented",
			query("with", "x@y'; DROP TABLE payload;"): "bad-request",
		} {
			if _, answer := w.ask(content); !strings.Contains(answer, "<"+want+" ") {
				t.Errorf("%s was answered with %s, want %s", content, answer, want)
			}
		}
	})
}

func TestOnlyOnesOwnArchiveIsToBeHad(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 1)
		for _, child := range []string{"query", "metadata", "prefs"} {
			for _, kind := range []string{"get", "set"} {
				w.carol.Send("<iq type='" + kind + "' id='q' to='alice@example.org'><" + child + " xmlns='urn:xmpp:mam:2'/></iq>")
				if got := w.carol.Got(); !strings.Contains(got, "<service-unavailable ") || strings.Contains(got, "<body>") {
					t.Errorf("%s %s was answered with %s", kind, child, got)
				}
			}
		}
	})
}

func TestAPageIsBounded(t *testing.T) {
	run(t, func(w *world) {
		for n := range 260 {
			w.bob.Send(fmt.Sprintf("<message to='alice@example.org' type='chat'><body>%d</body></message>", n))
			synctest.Wait()
		}
		for _, max := range []string{"", set("<max>2147483647</max>")} {
			got, fin := w.ask(max)
			if n := len(strings.Fields(got)); n != 250 || strings.Contains(fin, "complete") {
				t.Errorf("%d messages, %s", n, fin)
			}
		}
	})
}

func TestThePageIsAsLongAsTheOperatorSays(t *testing.T) {
	runPages(t, 3, func(w *world) {
		w.say(w.bob, 1, 5)
		for _, max := range []string{"", set("<max>250</max>"), query("with", "bob@example.org/b"),
			query("ids", w.id(1)+" "+w.id(2)+" "+w.id(3)+" "+w.id(4))} {
			if got, fin := w.ask(max); got != "1 2 3" || strings.Contains(fin, "complete") {
				t.Errorf("%s: %q, %s", max, got, fin)
			}
		}
	})
}

func TestMaxZeroCounts(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 4)
		for q, n := range map[string]int{
			"": 4, query("with", "carol@example.org"): 0, query("after-id", w.id(3)): 1,
			query("with", "bob@example.org/b"): 4, query("ids", w.id(2)): 1, query("start", "2000-01-01T00:00:03Z", "end", "2000-01-01T00:00:00Z"): 0,
		} {
			got, fin := w.ask(q + set("<max>0</max>"))
			if got != "" || !strings.Contains(fin, fmt.Sprintf("<count>%d</count>", n)) {
				t.Errorf("%s: %q, %s, want %d", q, got, fin, n)
			}
		}
	})
}

func TestASearchForAResourceIsBoundedAndGoesOn(t *testing.T) {
	run(t, func(w *world) {
		other := w.Bind("bob@example.org/other")
		w.say(w.bob, 1, 1)
		for range mostSeen + 500 {
			other.Send("<message to='alice@example.org' type='chat'><body>x</body></message>")
			synctest.Wait()
		}
		w.say(w.bob, 2, 2)
		q := query("with", "bob@example.org/b")
		got, fin := w.ask(q)
		if got != "1" || strings.Contains(fin, "complete='true'") {
			t.Errorf("got %q, %s", got, fin)
		}
		last := regexp.MustCompile(`<last>(.*)</last>`).FindStringSubmatch(fin)[1]
		got, fin = w.ask(q + set("<after>"+last+"</after>"))
		if got != "2" || !strings.Contains(fin, "complete='true'") {
			t.Errorf("then %q, %s", got, fin)
		}
	})
}

func TestMetadataNamesBothEnds(t *testing.T) {
	run(t, func(w *world) {
		ask := func() string {
			w.alice.Send("<iq type='get' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>")
			return w.alice.Got()
		}
		if got := ask(); !strings.Contains(got, "<metadata xmlns='urn:xmpp:mam:2'></metadata>") {
			t.Errorf("an empty archive: %s", got)
		}
		w.say(w.bob, 1, 3)
		w.alice.Got()
		want := "<start id='" + w.id(1) + "' timestamp='2000-01-01T00:00:00.000Z'/><end id='" + w.id(3) + "' timestamp='2000-01-01T00:00:02.000Z'/>"
		if got := ask(); !strings.Contains(got, want) {
			t.Errorf("got %s", got)
		}
	})
}

func TestTheFormIsTold(t *testing.T) {
	run(t, func(w *world) {
		w.alice.Send("<iq type='get' id='m'><query xmlns='urn:xmpp:mam:2'/></iq>")
		got := w.alice.Got()
		for _, name := range []string{"with", "start", "end", "before-id", "after-id", "ids", "include-groupchat"} {
			if !strings.Contains(got, "var='"+name+"'") {
				t.Errorf("no field %s in %s", name, got)
			}
		}
		if strings.Contains(got, "required") {
			t.Error(got)
		}
	})
}

func TestPreferencesAreKeptAndShown(t *testing.T) {
	run(t, func(w *world) {
		ask := func(kind, prefs string) string {
			w.alice.Send("<iq type='" + kind + "' id='p'>" + prefs + "</iq>")
			return w.alice.Got()
		}
		get := "<prefs xmlns='urn:xmpp:mam:2'/>"
		if got := ask("get", get); !strings.Contains(got, "<prefs xmlns='urn:xmpp:mam:2' default='always'><always></always><never></never></prefs>") {
			t.Errorf("at first: %s", got)
		}
		set := "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>Bob@example.org</jid></always></prefs>"
		want := "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>bob@example.org</jid></always><never></never></prefs>"
		if got := ask("set", set); !strings.Contains(got, want) {
			t.Errorf("set: %s", got)
		}
		if got := ask("get", get); !strings.Contains(got, want) {
			t.Errorf("then: %s", got)
		}
		w.say(w.bob, 1, 1)
		w.say(w.carol, 2, 2)
		if got, _ := w.ask(""); got != "1" {
			t.Errorf("archived %q", got)
		}
		for bad, want := range map[string]string{
			"<prefs xmlns='urn:xmpp:mam:2'/>":                                                              "bad-request",
			"<prefs xmlns='urn:xmpp:mam:2' default='maybe'/>":                                              "bad-request",
			"<prefs xmlns='urn:xmpp:mam:2' default='always'><never><jid>@</jid></never></prefs>":           "jid-malformed",
			"<prefs xmlns='urn:xmpp:mam:2' default='always'><never>" + manyJIDs(1001) + "</never></prefs>": "not-acceptable",
		} {
			if got := ask("set", bad); !strings.Contains(got, "<"+want+" ") {
				t.Errorf("%.80s was answered with %s", bad, got)
			}
		}
	})
}

func manyJIDs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<jid>a%d@example.org</jid>", i)
	}
	return b.String()
}

func TestWhoReadsTheArchiveIsMarked(t *testing.T) {
	run(t, func(w *world) {
		w.ask(set("<max>0</max>"))
		if w.alice.Session.Flag(core.ArchiveRead) {
			t.Error("marked for counting")
		}
		w.ask("")
		if !w.alice.Session.Flag(core.ArchiveRead) {
			t.Error("not marked")
		}
	})
}

func TestLargeMessagesLeaveRoomForWhatComesMeanwhile(t *testing.T) {
	run(t, func(w *world) {
		for range 20 {
			w.bob.Send("<message to='alice@example.org' type='chat'><body>" + strings.Repeat("x", 100_000) + "</body></message>")
			synctest.Wait()
		}
		w.alice.Got()
		w.alice.Session.EnableSM(false, func([16]byte) []byte { return nil })
		w.alice.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
		synctest.Wait()
		w.alice.Session.Push(core.Bytes([]byte("<message><subject>" + strings.Repeat("y", 200_000) + "</subject></message>")))
		got := ""
		for more := w.alice.Got(); more != ""; more = w.alice.Got() {
			got += more
			w.alice.Session.Acked(uint32(strings.Count(got, "</message>") - strings.Count(got, "<forwarded ") + strings.Count(got, "</iq>")))
		}
		if n := strings.Count(got, "</body>"); n != 20 || !strings.Contains(got, "</subject>") || w.alice.Ended != "" {
			t.Errorf("%d of 20 messages; closed: %q", n, w.alice.Ended)
		}
	})
}

func TestAFloodOfQueriesIsBounded(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 30)
		w.alice.Got()
		w.alice.Session.EnableSM(false, func([16]byte) []byte { return nil })
		for range 10 * mostRunning {
			w.alice.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
		}
		got := ""
		for more := w.alice.Got(); more != ""; more = w.alice.Got() {
			got += more
			if !w.alice.Session.Acked(uint32(strings.Count(got, "</result></message>") + strings.Count(got, "</iq>"))) {
				t.Fatal("ack refused")
			}
		}
		results, refused := strings.Count(got, "<fin "), strings.Count(got, "<resource-constraint ")
		if results+refused != 10*mostRunning || refused == 0 || strings.Count(got, "<body>") != 30*results {
			t.Errorf("%d pages and %d refusals", results, refused)
		}
		if _, fin := w.ask(""); !strings.Contains(fin, "<fin ") {
			t.Errorf("afterwards: %s", fin)
		}
	})
}

// A place of another kind keeps what alice and bob say there.
func TestAnotherArchiveIsReadAsItsOwnerDecides(t *testing.T) {
	run(t, func(w *world) {
		w.say(w.bob, 1, 1) // in alice's own
		for n, nick := range []string{"x", "y", "x"} {
			from := jid.MustParse("room@rooms.example.org/" + nick)
			st := stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Groupchat, From: from}, fmt.Appendf(nil, "<body>%s%d</body>", nick, n))
			t := &core.Transit{Head: st.Head, Stanza: st, Time: time.Now()}
			t.Keep(core.Owner{JID: from.Bare(), Peer: jid.MustParse(nick + "@example.org"), Flags: []uint8{0, 0, archive.Named}[n]})
			w.Router.Enter(t, func(*core.Transit) {})
		}
		synctest.Wait()
		ask := func(c *coretest.Client, content string) string {
			c.Got()
			c.Send("<iq type='set' id='q' to='room@rooms.example.org'><query xmlns='urn:xmpp:mam:2'>" + content + "</query></iq>")
			return c.Got()
		}
		with := func(j string) string {
			return "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>" + j + "</value></field></x>"
		}
		count := func(got, of string, n int) {
			t.Helper()
			if strings.Count(got, of) != n {
				t.Errorf("not %d of %s in %s", n, of, got)
			}
		}
		all := ask(w.alice, "")
		count(all, "<result", 3)
		count(all, "<message xmlns='jabber:client' from='room@rooms.example.org' to='alice@example.org/a'", 3)
		count(all, "<body>x2</body><real>x@example.org</real></message></forwarded>", 1)
		count(ask(w.alice, with("room@rooms.example.org/x")), "<body>x", 2)
		count(ask(w.alice, with("y@example.org")), "<body>", 1)
		count(ask(w.alice, with("room@rooms.example.org")), "<body>", 0)
		count(ask(w.bob, ""), "<real", 0)
		count(ask(w.bob, with("room@rooms.example.org/y")), "<body>y1</body></message>", 1)
		count(ask(w.bob, with("y@example.org")), "<forbidden", 1)
		dave := w.Bind("dave@example.org/d")
		count(ask(dave, ""), "<body>", 3)
		count(ask(dave, ""), "<body>x2</body><real>x@example.org</real></message>", 1)
		count(ask(dave, ""), "<real>", 1)
		only := ask(dave, with("x@example.org"))
		count(only, "<body>x2</body>", 1)
		count(only, "<body>", 1)
		count(ask(dave, with("y@example.org")), "<body>", 0)
		count(ask(dave, with("x@example.org")+"<set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set>"), "<count>1</count>", 1)
		count(ask(w.carol, ""), "<not-allowed", 1)
		if bodies, _ := w.ask(""); bodies != "1" {
			t.Errorf("alice's own: %s", bodies)
		}
		w.alice.Send("<iq type='get' id='m' to='room@rooms.example.org'><metadata xmlns='urn:xmpp:mam:2'/></iq>")
		w.alice.Send("<iq type='get' id='p' to='room@rooms.example.org'><prefs xmlns='urn:xmpp:mam:2'/></iq>")
		got := w.alice.Got()
		count(got, "<start ", 1)
		count(got, "<service-unavailable", 1)
	})
}

// readers decides that alice sees everything, bob not who said it, dave who said what
// is marked so, carol nothing.
func readers(q *core.Query) (func(r *store.Row) []byte, bool, error) {
	switch q.Session.JID.Local() {
	case "alice":
		return func(r *store.Row) []byte { return []byte("<real>" + r.Peer + "</real>") }, true, nil
	case "bob":
		return nil, false, nil
	case "dave":
		return func(r *store.Row) []byte {
			if r.Flags&archive.Named == 0 {
				return nil
			}
			return []byte("<real>" + r.Peer + "</real>")
		}, false, nil
	}
	return nil, false, stanza.Errorf(stanza.NotAllowed, "not you")
}

// A component has no session: a reader of other archives is never asked about it.
func TestOnlySessionsReadOtherArchives(t *testing.T) {
	run(t, func(w *world) {
		var heard string
		comp := w.Host.Site(jid.MustParse("comp.example.org"))
		comp.Any = func(t *core.Transit) error { heard = string(t.Stanza.Raw); return nil }
		for _, payload := range []string{"query", "metadata"} {
			heard = ""
			_, e, err := stanza.Parse([]byte("<iq xmlns='jabber:client' type='get' id='1' from='x@comp.example.org' to='none@rooms.example.org'><" + payload + " xmlns='" + ns + "'/></iq>"))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Router.Accept(comp, e); err != nil || !strings.Contains(heard, "<feature-not-implemented") {
				t.Errorf("%s: %v, %s", payload, err, heard)
			}
		}
	})
}
