package hostile

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// markup is text that becomes a stanza of its own wherever it is not escaped.
const markup = `</body></message><message from="admin@example.org" type='chat'><body>injected & <`

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;").Replace(s)
}

// testInjection puts markup into every field that the server copies.
func testInjection(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	mallory := v.connect(t, "mallory")
	e := escaped(markup)
	say := func(text string) {
		t.Helper()
		if err := mallory.Send(text); err != nil {
			t.Fatal(err)
		}
	}
	to := "to='" + witness.JID + "'"
	for _, c := range []struct {
		text string
		got  func(*xmppclient.Node) string
	}{
		{"<message " + to + " type='chat'><body>" + e + "</body></message>", child("body")},
		{"<message " + to + "><subject>" + e + "</subject></message>", child("subject")},
		{"<message " + to + " type='chat'><thread>" + e + "</thread><body>x</body></message>", child("thread")},
		{"<message " + to + " id='" + e + "'><body>x</body></message>", attr("id")},
		{"<message " + to + " xml:lang='" + e + "'><body>x</body></message>", attr("lang")},
		{"<presence " + to + "><status>" + e + "</status></presence>", child("status")},
		{"<presence " + to + " id='" + e + "'/>", attr("id")},
		{"<iq type='get' id='" + e + "' " + to + "><q xmlns='urn:test'/></iq>", attr("id")},
	} {
		say(c.text)
		n := next(t, witness)
		if from := n.Attr("from"); from != mallory.JID || c.got(n) != markup {
			t.Errorf("%s came from %s as %s", c.text, from, n)
		}
	}
	// what comes back to oneself: an error with the id, the roster with a name
	say("<message to='nobody@" + mirsal.Domain + "' id='" + e + "'><body>x</body></message>")
	if n := next(t, mallory); n.Attr("id") != markup || n.Attr("type") != "error" {
		t.Errorf("the error came as %s", n)
	}
	say("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='x@" + mirsal.Domain + "' name='" + e + "'><group>" + e + "</group></item></query></iq>")
	next(t, mallory)
	say("<iq type='get' id='r2'><query xmlns='jabber:iq:roster'/></iq>")
	for n := next(t, mallory); ; n = next(t, mallory) {
		if n.Attr("id") != "r2" {
			continue
		}
		item := n.Child("jabber:iq:roster", "query").Child("jabber:iq:roster", "item")
		if item.Attr("name") != markup || item.Child("jabber:iq:roster", "group").Text != markup {
			t.Errorf("the roster came as %s", n)
		}
		break
	}
	injectedResource(t, v, witness)
}

// injectedResource binds a resource full of markup, which stands in every from.
func injectedResource(t *testing.T, v *victim, witness *xmppclient.Conn) {
	t.Helper()
	c := v.loggedIn(t, "mallory")
	if err := c.Bind(t.Context(), "'/><x y='"+`"<`); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("<message to='" + witness.JID + "'><body>x</body></message>"); err != nil {
		t.Fatal(err)
	}
	if n := next(t, witness); n.Attr("from") != "mallory@"+mirsal.Domain+"/'/><x y='"+`"<` {
		t.Errorf("came as %s", n)
	}
}

// loggedIn is an authenticated connection with nothing bound.
func (v *victim) loggedIn(t *testing.T, name string) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(t.Context(), v.options(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if err := c.Login(t.Context(), name, password); err != nil {
		t.Fatal(err)
	}
	return c
}

func child(name string) func(*xmppclient.Node) string {
	return func(n *xmppclient.Node) string {
		if c := n.Child(xmppclient.NSClient, name); c != nil {
			return c.Text
		}
		return ""
	}
}

func attr(name string) func(*xmppclient.Node) string {
	return func(n *xmppclient.Node) string {
		for _, a := range n.Attrs {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
}

func testOutOfPlace(t *testing.T, v *victim) {
	v.everywhere(t, strings.TrimPrefix(header, "<?xml version='1.0'?>"), invalid)
	v.everywhere(t, "<stream:features/>", "unsupported-stanza-type", notAllowed)
	v.everywhere(t, "<stream:whatever/>", "unsupported-stanza-type", notAllowed)
	v.everywhere(t, "<stream:error/>", "unsupported-stanza-type", notAllowed)
	v.everywhere(t, "text between elements", invalid)
	for _, early := range []string{
		"<message to='witness@" + mirsal.Domain + "'><body>x</body></message>", "<presence/>",
		"<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
		"<enable xmlns='urn:xmpp:sm:3'/>", "<r xmlns='urn:xmpp:sm:3'/>",
	} {
		c := v.stranger(t)
		write(c, early)
		refused(t, early, c, notAllowed)
	}
	witness := v.available(t, "witness")
	for _, late := range []string{"<message to='" + witness.JID + "'><body>late</body></message>", header} {
		c := v.connect(t, "mallory").Net()
		write(c, "</stream:stream>"+late)
		if got := ending(t, c); !strings.Contains(got, "</stream:stream>") || strings.Contains(got, "late") {
			t.Errorf("behind the end: %q", got)
		}
	}
	v.first(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", notWell)
	v.first(t, "<a/>", "invalid-namespace", invalid, notWell)
	v.witnessed(t, witness)
}

// A stream keeps its host after authentication.
func testRestartForAnotherHost(t *testing.T, v *victim) {
	c, err := xmppclient.Dial(t.Context(), v.options(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if err := c.Login(t.Context(), "mallory", password); err != nil {
		t.Fatal(err)
	}
	// authenticated, the stream is restarted once: do it again, and for another host
	write(c.Net(), strings.Replace(header, mirsal.Domain, "elsewhere.example", 1))
	if got := ending(t, c.Net()); strings.Contains(got, "elsewhere") || streamError(got) == "" {
		t.Errorf("got %q", got)
	}
	v.first(t, strings.Replace(header, mirsal.Domain, "elsewhere.example", 1), "host-unknown")
}

func testAddresses(t *testing.T, v *victim) {
	for _, from := range []string{"alice@" + mirsal.Domain, "alice@" + mirsal.Domain + "/x", mirsal.Domain, "mallory@" + mirsal.Domain + "/another", "mallory@elsewhere.example"} {
		c := v.connect(t, "mallory").Net()
		write(c, "<message from='"+from+"' to='witness@"+mirsal.Domain+"'><body>x</body></message>")
		refused(t, "from "+from, c, "invalid-from")
	}
	part := strings.Repeat("a", 1023)
	mallory := v.connect(t, "mallory")
	for to, condition := range map[string]string{
		part + "@" + part + "/" + part:                            "remote-server-not-found",
		part + "a@" + part + "/" + part:                           "jid-malformed",
		part + "@" + part + "/" + part + "a":                      "jid-malformed",
		part + "a@" + mirsal.Domain:                               "jid-malformed",
		"admin\uff20" + mirsal.Domain:                             "jid-malformed",
		"admin\uff20" + mirsal.Domain + "@" + mirsal.Domain:       "jid-malformed",
		"\ufb01sh@" + mirsal.Domain:                               "jid-malformed",
		"a\u202eb@" + mirsal.Domain:                               "jid-malformed",
		"witness@" + mirsal.Domain + "..":                         "jid-malformed",
		"witness@" + mirsal.Domain + "/":                          "jid-malformed",
		"@" + mirsal.Domain:                                       "jid-malformed",
		"wit ness@" + mirsal.Domain:                               "jid-malformed",
		"witness%40" + mirsal.Domain + "@" + mirsal.Domain:        "service-unavailable",
		"\uff57\uff49\uff54\uff4e\uff45\uff53\uff53@elsewhere.xx": "remote-server-not-found",
	} {
		if err := mallory.Send("<message to='" + to + "' id='j'><body>x</body></message>"); err != nil {
			t.Fatal(err)
		}
		n := next(t, mallory)
		if n.Attr("type") != "error" || n.Child(xmppclient.NSClient, "error").Child("urn:ietf:params:xml:ns:xmpp-stanzas", condition) == nil {
			t.Errorf("to %.60q: want %s, got %.300s", to, condition, n)
		}
	}
	// an empty to is no to: the message is for oneself
	self := v.available(t, "sloth")
	if err := self.Send("<message to=''><body>to nobody</body></message>"); err != nil {
		t.Fatal(err)
	}
	if n := next(t, self); n.Child(xmppclient.NSClient, "body") == nil || n.Attr("from") != self.JID {
		t.Errorf("an empty to: %s", n)
	}
}

func testCompression(t *testing.T, v *victim) {
	const ask = "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"
	c := v.dial(t)
	write(c, header)
	if got := readUntil(t, c, "</stream:features>"); strings.Contains(got, "compress") {
		t.Errorf("offered: %s", got)
	}
	in := v.connect(t, "mallory")
	if in.Features.Child("http://jabber.org/features/compress", "compression") != nil {
		t.Error("offered after login")
	}
	v.everywhere(t, ask, notAllowed, "unsupported-stanza-type")
}

// What was said in clear behind <starttls/> is not done inside TLS.
func testStartTLSInjection(t *testing.T, v *victim) {
	c := v.stranger(t)
	write(c, "<starttls xmlns='"+xmppclient.NSStartTL+"'/>"+header+"<auth xmlns='"+xmppclient.NSSASL+"' mechanism='SCRAM-SHA-256'>biwsbj1hbGljZSxyPWFiYw==</auth>")
	got := readUntil(t, c, "<proceed xmlns='"+xmppclient.NSStartTL+"'/>")
	if strings.Contains(got, "<challenge") {
		t.Fatalf("answered in clear: %s", got)
	}
	secured := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := secured.HandshakeContext(t.Context()); err != nil {
		// the bytes came behind what was read with <starttls/>: TLS itself refuses them
		return
	}
	write(secured, header)
	got = readUntil(t, secured, "</stream:features>")
	if strings.Contains(got, "<challenge") || strings.Count(got, "<stream:stream ") != 1 {
		t.Errorf("inside TLS came %s", got)
	}
	write(secured, "<response xmlns='"+xmppclient.NSSASL+"'>AAAA</response>")
	if got = readUntil(t, secured, ">"); !strings.Contains(got, "<failure") {
		t.Errorf("an exchange begun in clear goes on inside TLS: %s", got)
	}
}

func testSlowAndSplit(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	mallory := v.connect(t, "mallory")
	// a flood of white space, then one stanza byte by byte
	for range 64 {
		write(mallory.Net(), strings.Repeat(" \n\t\r", 16<<10))
	}
	_ = mallory.Net().(*net.TCPConn).SetNoDelay(true)
	text := "<message to='" + witness.JID + "'><body>" + strings.Repeat("split ", 1500) + "</body></message>"
	for i := range text {
		write(mallory.Net(), text[i:i+1])
	}
	if n := next(t, witness); child("body")(n) != strings.Repeat("split ", 1500) {
		t.Errorf("10,000 segments came as %.200s", n)
	}
	halfClosed(t, v)
}

func halfClosed(t *testing.T, v *victim) {
	t.Helper()
	for _, c := range []net.Conn{v.dial(t), v.stranger(t), v.connect(t, "mallory").Net()} {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		ending(t, c)
	}
}

// A reader who takes nothing is closed, and what he missed is in his archive.
func testSlowReader(t *testing.T, v *victim) {
	sloth := v.available(t, "sloth")
	mallory := v.connect(t, "mallory")
	before, err := v.Metric(v.ctx, "mirsal_queue_overflows_total")
	if err != nil {
		t.Fatal(err)
	}
	v.bounded(t, 96<<20, storeCache, func() {
		body := strings.Repeat("x", 60<<10)
		for n := range 300 { // 18 MB: more than the system's buffers take
			if err := mallory.Send(fmt.Sprintf("<message to='sloth@%s' type='chat'><body>%d %s</body></message>", mirsal.Domain, n, body)); err != nil {
				t.Fatal(err)
			}
		}
		within(t, "the slow reader to be closed", func() bool {
			after, err := v.Metric(v.ctx, "mirsal_queue_overflows_total")
			return err == nil && after > before
		})
	})
	ended := ending(t, sloth.Net())
	if strings.Contains(ended, "<body>299 ") {
		t.Error("a reader that was closed got everything")
	}
	again := v.connect(t, "sloth")
	within(t, "the archive to have the last message", func() bool { return strings.HasPrefix(lastArchived(t, again), "299 ") })
}

// lastArchived is the text of the last message in one's archive.
func lastArchived(t *testing.T, c *xmppclient.Conn) string {
	t.Helper()
	if err := c.Send("<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query></iq>"); err != nil {
		t.Fatal(err)
	}
	text := ""
	for n := next(t, c); n.Attr("id") != "m"; n = next(t, c) {
		if m := n.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message"); m != nil {
			text = child("body")(m)
		}
	}
	return text
}

// settleTime is how long memory may take to come back: the server gives it back
// once it is quiet.
const settleTime = 45 * time.Second

// storeCache is what SQLite's page cache may take once much was stored, for good.
const storeCache = 32 << 20

// bounded runs an attack and holds the server's memory to its floor and some
// room while it goes on, and to its floor, what may stay and a little at its end.
func (v *victim) bounded(t *testing.T, room, stays int, attack func()) {
	t.Helper()
	floor := v.resident(t)
	peak := v.peakOf(attack)
	if peak > floor+room {
		t.Errorf("memory grew from %d to %d MB, allowed are %d more", floor>>20, peak>>20, room>>20)
	}
	near := 24<<20 + stays
	after := 0
	for until := time.Now().Add(settleTime); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		if after = v.resident(t); after <= floor+near {
			break
		}
	}
	t.Logf("resident: %d MB before, %d MB at most, %d MB after", floor>>20, peak>>20, after>>20)
	if after > floor+near {
		t.Errorf("memory stays at %d MB, it was %d MB before", after>>20, floor>>20)
	}
}

// peakOf runs an attack and returns the most memory that the server had meanwhile. An
// attack that ends its test ends the looking too.
func (v *victim) peakOf(attack func()) int {
	done, peak := make(chan struct{}), 0
	var look sync.WaitGroup
	look.Go(func() {
		for {
			if now, err := v.Resident(); err == nil {
				peak = max(peak, now)
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	func() {
		defer look.Wait()
		defer close(done)
		attack()
	}()
	return peak
}

func (v *victim) resident(t *testing.T) int {
	t.Helper()
	n, err := v.Resident()
	if err != nil {
		t.Fatal(err)
	}
	return n
}
