package hostile

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/webpush/pushtest"
)

// Attacks by way of push: on others by the server's notifications, on who is
// notified, and on what is told.
func TestPushAttacks(t *testing.T) {
	service := pushtest.New(t)
	v := attackPush(t, service, "--set", "push.allow_private=true")
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim, *appServer, *pushtest.Service)
	}{
		{"44 the push of others", testPushOfOthers},
		{"44 what a notification tells", testPushTells},
		{"44 an amplifier", testPushAmplifies},
		{"44 an amplifier that changes its address", testPushMoves},
		{"44 a service that fails", testPushFails},
		{"44 a push service that sends us elsewhere", testPushRedirects},
		{"19 a device that was revoked is not woken", testPushRevoked},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v, v.appServer(t), service)
			v.undisturbed(t)
		})
	}
}

// A server as it is out of the box knocks on nobody's door in its own network.
func TestPushReachesNoPrivateNetwork(t *testing.T) {
	service := pushtest.New(t)
	v := attackPush(t, service)
	phone := v.keeps(t, "mallory")
	_, port, _ := net.SplitHostPort(service.Listener.Addr().String())
	for i, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]"} {
		b := service.Subscribe(t, "")
		b.Endpoint = "https://" + host + ":" + port + "/x"
		enableWeb(t, phone.Conn, fmt.Sprint("node", i), b)
		if n := tries(t, phone.Conn, fmt.Sprint("node", i)); n.Attr("sent") != "false" {
			t.Errorf("%s: %s", host, n)
		}
	}
	if got, err := service.Got(); len(got) > 0 || err != nil {
		t.Errorf("%d requests came, %v", len(got), err)
	}
	v.undisturbed(t)
}

func attackPush(t *testing.T, service *pushtest.Service, more ...string) *victim {
	t.Helper()
	dir := t.TempDir()
	file, trust := filepath.Join(dir, "mirsal.toml"), filepath.Join(dir, "trust.pem")
	names := "[components]\n\"" + componentName + "\" = \"" + componentSecret + "\"\n"
	if err := os.WriteFile(file, []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(trust, service.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mirsal.Start(t, mirsal.Options{
		Bin: mirsal.Build(t), Env: []string{"SSL_CERT_FILE=" + trust},
		Args: append([]string{"--config", file, "--set", "c2s.require_tls=false", "--set", "listen.component=127.0.0.1:0", "--set", "limits.sessions=30"}, more...),
	})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "carol", "dave", "erin", "frank", "grace", "heidi")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	return v
}

// appServer is a component to which notifications are published.
type appServer struct {
	net.Conn
	refuses atomic.Bool // with item-not-found
	mu      sync.Mutex
	got     []string
}

var publishing = regexp.MustCompile(`(?s)<iq [^>]*>.*?</iq>`)

func (v *victim) appServer(t *testing.T) *appServer {
	t.Helper()
	a := &appServer{Conn: v.component(t)}
	_ = a.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.serve()
	}()
	t.Cleanup(func() {
		a.Close()
		<-done
	})
	return a
}

func (a *appServer) serve() {
	all, b := "", make([]byte, 64<<10)
	for {
		n, err := a.Read(b)
		if err != nil {
			return
		}
		all += string(b[:n])
		for {
			at := publishing.FindStringIndex(all)
			if at == nil {
				break
			}
			a.take(all[at[0]:at[1]])
			all = all[at[1]:]
		}
	}
}

func (a *appServer) take(iq string) {
	a.mu.Lock()
	a.got = append(a.got, iq)
	a.mu.Unlock()
	kind, content := "result", ""
	if a.refuses.Load() {
		kind, content = "error", "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	}
	write(a, fmt.Sprintf("<iq type='%s' id='%s' from='%s' to='%s'>%s</iq>", kind, attrOf(iq, "id"), attrOf(iq, "to"), attrOf(iq, "from"), content))
}

func attrOf(xml, name string) string {
	_, rest, _ := strings.Cut(xml, " "+name+"='")
	value, _, _ := strings.Cut(rest, "'")
	return value
}

func (a *appServer) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

func (a *appServer) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.got, "\n")
}

// asksFor sends an IQ of a client's own and returns the answer to it.
func asksFor(t *testing.T, c *xmppclient.Conn, kind, to, payload string) *xmppclient.Node {
	t.Helper()
	if to != "" {
		to = " to='" + to + "'"
	}
	if err := c.Send("<iq type='" + kind + "' id='asked'" + to + ">" + payload + "</iq>"); err != nil {
		t.Fatal(err)
	}
	for {
		if n := next(t, c); n.Name.Local == "iq" && n.Attr("id") == "asked" {
			return n
		}
	}
}

func enablePush(t *testing.T, c *xmppclient.Conn, node string) {
	t.Helper()
	if n := asksFor(t, c, "set", "", "<enable xmlns='urn:xmpp:push:0' jid='"+componentName+"' node='"+node+"'/>"); n.Attr("type") != "result" {
		t.Fatalf("not enabled: %s", n)
	}
}

func enableWeb(t *testing.T, c *xmppclient.Conn, node string, b *pushtest.Browser) {
	t.Helper()
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
	for name, value := range map[string]string{"endpoint": b.Endpoint, "p256dh": b.P256dh, "auth": b.Auth} {
		form += "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	if n := asksFor(t, c, "set", "", "<enable xmlns='urn:xmpp:push:0' jid='push."+mirsal.Domain+"' node='"+node+"'>"+form+"</x></enable>"); n.Attr("type") != "result" {
		t.Fatalf("not enabled: %s", n)
	}
}

// registration is how a client sees one of its account's registrations.
func registration(t *testing.T, c *xmppclient.Conn, node string) *xmppclient.Node {
	t.Helper()
	for _, r := range asksFor(t, c, "get", "", "<push xmlns='urn:mirsal:push:0'/>").Child("urn:mirsal:push:0", "push").Children {
		if r.Attr("node") == node {
			return r
		}
	}
	return nil
}

// tries presses the test button.
func tries(t *testing.T, c *xmppclient.Conn, node string) *xmppclient.Node {
	t.Helper()
	n := asksFor(t, c, "set", "", "<test xmlns='urn:mirsal:push:0' id='"+registration(t, c, node).Attr("id")+"'/>")
	if test := n.Child("urn:mirsal:push:0", "test"); test != nil {
		return test
	}
	return n
}

func testPushOfOthers(t *testing.T, v *victim, a *appServer, _ *pushtest.Service) {
	mallory := v.connect(t, "mallory")
	for _, c := range []struct{ to, payload, want string }{
		{"bob@" + mirsal.Domain, "<enable xmlns='urn:xmpp:push:0' jid='" + componentName + "' node='x'/>", "service-unavailable"},
		{"bob@" + mirsal.Domain, "<disable xmlns='urn:xmpp:push:0' jid='" + componentName + "'/>", "service-unavailable"},
		{"bob@" + mirsal.Domain, "<test xmlns='urn:mirsal:push:0' id='x'/>", "service-unavailable"},
		{"", "<enable xmlns='urn:xmpp:push:0' jid='bob@" + mirsal.Domain + "' node='x'/>", "item-not-found"},
		{"", "<enable xmlns='urn:xmpp:push:0' jid='" + mallory.JID + "' node='x'/>", "item-not-found"},
		{"", "<enable xmlns='urn:xmpp:push:0' jid='" + mirsal.Domain + "' node='x'/>", "item-not-found"},
		{"", "<enable xmlns='urn:xmpp:push:0' jid='push.example.com' node='x'/>", "remote-server-not-found"},
	} {
		if n := asksFor(t, mallory, "set", c.to, c.payload); n.Child(xmppclient.NSClient, "error").Child("urn:ietf:params:xml:ns:xmpp-stanzas", c.want) == nil {
			t.Errorf("%s: %s", c.payload, n)
		}
	}
	if a.count() > 0 {
		t.Error(a.text())
	}
}

// tell has the witness write to somebody.
func (v *victim) tell(t *testing.T, from *xmppclient.Conn, to string, n int) {
	t.Helper()
	for i := range n {
		if err := from.Send(fmt.Sprintf("<message to='%s@%s' type='chat' id='t%d'><body>a very private text</body></message>", to, mirsal.Domain, i)); err != nil {
			t.Fatal(err)
		}
	}
	asksFor(t, from, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
}

func testPushTells(t *testing.T, v *victim, a *appServer, service *pushtest.Service) {
	phone, witness := v.keeps(t, "carol"), v.connect(t, "witness")
	enablePush(t, phone.Conn, "app")
	enableWeb(t, phone.Conn, "web", service.Subscribe(t, ""))
	phone.Kill()
	v.tell(t, witness, "carol", 1)
	within(t, "a notification", func() bool { return a.count() > 0 })
	var got []pushtest.Push
	within(t, "a notification by Web Push", func() bool {
		more, err := service.Got()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, more...)
		return len(got) > 0
	})
	if all := a.text() + string(got[0].Message); strings.Contains(all, "private") || strings.Contains(all, "witness") {
		t.Error("a notification tells too much:", all)
	}
	if string(got[0].Message) != `{"count":1}` {
		t.Errorf("%s", got[0].Message)
	}
}

// testPushAmplifies counts what a flood of messages to a silent device makes.
func testPushAmplifies(t *testing.T, v *victim, a *appServer, _ *pushtest.Service) {
	phone, witness := v.keeps(t, "dave"), v.connect(t, "witness")
	for i := range 30 {
		enablePush(t, phone.Conn, fmt.Sprint("n", i))
	}
	phone.Kill()
	since := time.Now()
	v.tell(t, witness, "dave", 500)
	within(t, "notifications", func() bool { return a.count() >= 10 })
	v.tell(t, witness, "dave", 500)
	if n, most := a.count(), 10*(1+int(time.Since(since)/(10*time.Second))); n > most {
		t.Errorf("1000 messages made %d notifications, want %d at most", n, most)
	}
}

// testPushMoves enables, is written to, and enables elsewhere.
func testPushMoves(t *testing.T, v *victim, a *appServer, _ *pushtest.Service) {
	laptop, witness := v.connect(t, "erin"), v.connect(t, "witness")
	since := time.Now()
	for round := range 30 {
		phone := v.keeps(t, "erin")
		for i := range 10 {
			enablePush(t, phone.Conn, fmt.Sprint("n", round, "-", i))
		}
		phone.Kill()
		v.tell(t, witness, "erin", 1)
		asksFor(t, laptop, "set", "", "<disable xmlns='urn:xmpp:push:0' jid='"+componentName+"'/>")
	}
	if n, most := a.count(), 21+int(time.Since(since)/(3*time.Second)); n > most {
		t.Errorf("%d notifications in %v, want %d at most", n, time.Since(since), most)
	}
}

// testPushFails is refused by the service: its owner and the operator see why. That
// it is not asked again is in internal/xep/push, which has another clock.
func testPushFails(t *testing.T, v *victim, a *appServer, _ *pushtest.Service) {
	phone, witness := v.keeps(t, "frank"), v.connect(t, "witness")
	laptop := v.connect(t, "frank")
	enablePush(t, phone.Conn, "app")
	a.refuses.Store(true)
	phone.Kill()
	v.tell(t, witness, "frank", 1)
	within(t, "the end of the registration", func() bool { return registration(t, laptop, "app").Attr("state") == "ended" })
	r := registration(t, laptop, "app")
	if why := r.Child("urn:mirsal:push:0", "failure"); why == nil || why.Text != "the push service answered item-not-found" {
		t.Error(r)
	}
	if n := a.count(); n != 1 {
		t.Errorf("%d notifications", n)
	}
	if out, err := v.Command(v.ctx, "", "push", "list", "frank"); err != nil || !strings.Contains(out, "  ended  ") || !strings.Contains(out, "  "+componentName+"  ") {
		t.Error(out, err)
	}
	if out, err := v.Command(v.ctx, "", "push", "test", "frank"); err == nil || !strings.Contains(out, "item-not-found") {
		t.Error(out, err)
	}
	if n, err := v.Metric(v.ctx, `mirsal_push_registrations`); err != nil || n == 0 {
		t.Error(n, err)
	}
}

func testPushRedirects(t *testing.T, v *victim, _ *appServer, service *pushtest.Service) {
	var hits atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer elsewhere.Close()
	phone := v.keeps(t, "grace")
	for i, status := range []int{301, 307, 308} {
		enableWeb(t, phone.Conn, fmt.Sprint("web", i), service.Subscribe(t, ""))
		service.Answer(pushtest.Answer{Status: status, Location: elsewhere.URL})
		if n := tries(t, phone.Conn, fmt.Sprint("web", i)); n.Attr("sent") != "false" {
			t.Errorf("%d: %s", status, n)
		}
	}
	if hits.Load() > 0 {
		t.Error("a redirect was followed")
	}
	if _, err := service.Got(); err != nil {
		t.Error(err)
	}
}

func testPushRevoked(t *testing.T, v *victim, a *appServer, _ *pushtest.Service) {
	laptop, witness, phone := v.connect(t, "heidi"), v.connect(t, "witness"), v.keeps(t, "heidi")
	enablePush(t, phone.Conn, "app")
	v.revoke(t, laptop, phone)
	v.offSoon(t, phone.Conn)
	v.tell(t, witness, "heidi", 5)
	if r := registration(t, laptop, "app"); r != nil {
		t.Error("still registered:", r)
	}
	if n := a.count(); n > 0 {
		t.Errorf("%d notifications: %s", n, a.text())
	}
}
