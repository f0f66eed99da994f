package foreign

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/client/port"
)

const (
	nsJingle = "urn:xmpp:jingle:1"
	nsRTP    = "urn:xmpp:jingle:apps:rtp:1"
	nsICE    = "urn:xmpp:jingle:transports:ice-udp:1"
	nsDTLS   = "urn:xmpp:jingle:apps:dtls:0"
)

// played is a conversation that is played back: bob's side, word for word, by a bare connection, and at the other end
// alice, with an engine and a seat.
//
// Its file has "> " what bob sends, "< " what alice is to send next (what stands there must be in it, {x} is anything, from
// then on that), "! " what alice does, "? " what her call has become. Between them alice may tell addresses. Bob answers
// every request by a result, and alice must.
type played struct {
	t     *testing.T
	alice *person
	bob   *xmppclient.Conn
	rules func(*played, *xmppclient.Node) string // what the program at bob's demands of a request: "" or what is wrong
	names map[string]string
	open  map[string]bool             // bob's requests without an answer
	last  map[string]*xmppclient.Node // requests of both, by action
	told  map[string]bool             // alice's credentials: ufrags
	ways  map[string]bool             // of them, those in what was waited for, or came meanwhile

	before   int                // how many descriptions of bob's the seat had when alice moved
	restarts bool               // bob has asked for a restart
	early    []*xmppclient.Node // of alice's call, and nobody has waited for it
}

func TestCallsWithDinoAsItSpeaks(t *testing.T) { playTwice(t, "dino", dinoDemands) }
func TestCallsWithConversationsAsItSpeaks(t *testing.T) {
	playTwice(t, "conversations", conversationsDemands)
}

// playTwice plays a file's conversations to the terminal's media and to the screen's.
func playTwice(t *testing.T, file string, rules func(*played, *xmppclient.Node) string) {
	t.Run("terminal", func(t *testing.T) {
		t.Parallel()
		playAll(t, file, rules, func(*person) place { return &terminal{} })
	})
	t.Run("screen", func(t *testing.T) {
		t.Parallel()
		playAll(t, file, rules, func(p *person) place { return openBrowser(t, p) })
	})
}

func playAll(t *testing.T, file string, rules func(*played, *xmppclient.Node) string, seat func(*person) place) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := device.Serve(t, []string{"alice", "bob"})
	a := &person{Local: device.NewLocal(t, s, "alice", alice, filepath.Join(t.TempDir(), "alice")), t: t}
	a.SignIn(s.C2S)
	b := enter(t, s, file)
	full := befriend(t, a, b)
	a.seat = seat(a)
	a.sits()
	for _, one := range strings.Split("\n"+string(text), "\n= ")[1:] {
		name, steps, _ := strings.Cut(one, "\n")
		ok := t.Run(name, func(t *testing.T) {
			a.t, a.T = t, t
			p := &played{t: t, alice: a, bob: b, rules: rules, open: map[string]bool{}, last: map[string]*xmppclient.Node{}, told: map[string]bool{}, ways: map[string]bool{}}
			p.names = map[string]string{"us": alice, "us-full": full, "them": bob, "them-full": b.JID, "our-device": fmt.Sprint(a.number())}
			p.play(steps)
		})
		if a.t, a.T = t, t; !ok {
			return // her call may be on
		}
	}
}

// number is that of alice's device.
func (p *person) number() uint32 {
	p.t.Helper()
	for _, d := range p.Must(&port.ListDevices{}).(*port.DeviceList).Devices {
		if d.Here {
			return d.ID
		}
	}
	return 0
}

// enter is bob's connection.
func enter(t *testing.T, s *device.Server, resource string) *xmppclient.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.C2S, Domain: device.Domain})
	if err == nil {
		err = c.Login(ctx, "bob", device.Password)
	}
	if err == nil {
		err = c.Bind(ctx, resource)
	}
	if err == nil {
		err = c.Send("<presence/>")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

// befriend makes them contacts, and returns alice's full address.
func befriend(t *testing.T, a *person, b *xmppclient.Conn) string {
	t.Helper()
	a.Must(&port.AddContact{Address: bob})
	for _, kind := range []string{"subscribed", "subscribe"} {
		if err := b.Send("<presence type='" + kind + "' to='" + alice + "'/>"); err != nil {
			t.Fatal(err)
		}
	}
	a.Until("being contacts", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == bob && c.Contact.State == "contact" && c.Contact.Online
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		n, err := b.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if from := n.Attr("from"); n.Name.Local == "presence" && n.Attr("type") == "" && strings.HasPrefix(from, alice+"/") {
			return from
		}
	}
}

func (p *played) play(steps string) {
	begin := regexp.MustCompile(`(?m)^[><!?] `).FindAllStringIndex(steps, -1)
	for i, at := range begin {
		end := len(steps)
		if i+1 < len(begin) {
			end = begin[i+1][0]
		}
		p.step(steps[at[0]], strings.TrimSpace(steps[at[1]:end]))
	}
	p.settle()
}

func (p *played) step(kind byte, text string) {
	p.t.Helper()
	switch kind {
	case '>':
		p.sends(text)
	case '<':
		p.expects(text)
	case '!':
		p.act(text)
	case '?':
		p.shows(text)
	}
}

// fill puts in what names stand for.
func (p *played) fill(text string) string {
	for name, value := range p.names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

var sid = regexp.MustCompile(`<propose [^>]*id='([^'{}]+)'`)

func (p *played) sends(text string) {
	p.t.Helper()
	if m := sid.FindStringSubmatch(text); m != nil {
		p.names["id"] = m[1]
	}
	text = p.fill(text)
	all, err := xmppclient.Parse(text, xmppclient.NSClient)
	if err != nil || len(all) != 1 || strings.Contains(text, "{") {
		p.t.Fatalf("%v in %s", err, text)
	}
	if all[0].Name.Local == "iq" {
		p.open[all[0].Attr("id")] = true
		p.note(all[0])
		p.restarts = p.restarts || strings.Contains(text, "transport-info") && !strings.Contains(text, "<candidate")
	}
	if err := p.bob.Send(text); err != nil {
		p.t.Fatal(err)
	}
}

// next is the next stanza of alice's call; what else comes is no matter of it.
func (p *played) next() *xmppclient.Node {
	p.t.Helper()
	if len(p.early) > 0 {
		n := p.early[0]
		p.early = p.early[1:]
		return n
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for {
		n, err := p.bob.Next(ctx)
		if err != nil {
			p.t.Fatalf("nothing comes: %v", err)
		}
		if p.mine(n) {
			return n
		}
	}
}

// answered waits until all that bob has asked is answered.
func (p *played) answered() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for len(p.open) > 0 {
		n, err := p.bob.Next(ctx)
		if err != nil {
			p.t.Fatalf("%v; without an answer are %v", err, p.open)
		}
		if p.mine(n) {
			p.early = append(p.early, n)
		}
	}
}

// mine tells whether a stanza is of the call; answers, and what bob's own copies bring, are taken here.
func (p *played) mine(n *xmppclient.Node) bool {
	p.t.Helper()
	from, _, _ := strings.Cut(n.Attr("from"), "/")
	switch {
	case from != alice:
		return false
	case n.Name.Local == "iq" && (n.Attr("type") == "result" || n.Attr("type") == "error"):
		if p.open[n.Attr("id")] && n.Attr("type") == "error" {
			p.t.Errorf("refused: %s", n)
		}
		delete(p.open, n.Attr("id"))
		return false
	case n.Name.Local == "iq" && n.Attr("type") == "get":
		_ = p.bob.Send("<iq type='error' to='" + n.Attr("from") + "' id='" + n.Attr("id") + "'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
		return false
	case n.Name.Local == "iq":
		if wrong := p.rules(p, n); wrong != "" {
			p.t.Errorf("%s: %s", wrong, n)
		}
		p.note(n)
		uses(n, p.told)
		if err := p.bob.Send("<iq type='result' to='" + n.Attr("from") + "' id='" + n.Attr("id") + "'/>"); err != nil {
			p.t.Fatal(err)
		}
		return true
	}
	return n.Name.Local == "message" && inCall(n)
}

func inCall(n *xmppclient.Node) bool {
	for _, c := range n.Children {
		if c.Name.Space == "urn:xmpp:jingle-message:0" {
			return true
		}
	}
	return false
}

// note remembers a request by its action, whoever's it is.
func (p *played) note(n *xmppclient.Node) {
	if j := n.Child(nsJingle, "jingle"); j != nil {
		p.last[j.Attr("action")] = j
	}
}

// expects waits for a stanza of alice's. Addresses may come before it.
func (p *played) expects(text string) {
	p.t.Helper()
	all, err := xmppclient.Parse(p.fill(text), xmppclient.NSClient)
	if err != nil || len(all) != 1 {
		p.t.Fatalf("%v in %s", err, text)
	}
	for {
		n := p.next()
		found := map[string]string{}
		lacks := within(all[0], n, found)
		if p.ways[found["renewed"]] {
			lacks = "a new ufrag"
		}
		uses(n, p.ways)
		if lacks == "" {
			for name, value := range found {
				p.names[name] = value
			}
			if id := found["new"]; id != "" {
				p.names["id"] = id
			}
			return
		}
		if !addresses(n) {
			p.t.Fatalf("%s is not in\n%s\nwanted was\n%s\nher calls are %+v", lacks, n, all[0], p.alice.Must(&port.ListCalls{Limit: 1}))
		}
	}
}

// uses notes the credentials in a request.
func uses(n *xmppclient.Node, in map[string]bool) {
	if j := n.Child(nsJingle, "jingle"); j != nil {
		for _, c := range contents(j) {
			if t := c.Child(nsICE, "transport"); t != nil {
				in[t.Attr("ufrag")] = true
			}
		}
	}
}

// addresses tells whether a request tells an address, or that there are no more, and nothing else.
func addresses(n *xmppclient.Node) bool {
	j := n.Child(nsJingle, "jingle")
	if j == nil || j.Attr("action") != "transport-info" {
		return false
	}
	for _, c := range j.Children {
		t := c.Child(nsICE, "transport")
		if t == nil || t.Child(nsICE, "candidate") == nil && t.Child(nsICE, "gathering-complete") == nil {
			return false
		}
	}
	return true
}

// within says what of a pattern is not in a node, "" for nothing; found gets what its {names} stand for.
func within(want, n *xmppclient.Node, found map[string]string) string {
	if n.Name != want.Name {
		return "<" + want.Name.Local + ">"
	}
	for _, a := range want.Attrs {
		got := n.Attr(a.Name.Local)
		name, ok := strings.CutPrefix(a.Value, "{")
		switch {
		case ok && got != "":
			found[strings.TrimSuffix(name, "}")] = got
		case got != a.Value:
			return a.Name.Local + "='" + a.Value + "' of <" + want.Name.Local + ">"
		}
	}
	rest := n.Children
	for _, c := range want.Children {
		lacks := "<" + c.Name.Local + ">"
		for lacks != "" {
			if len(rest) == 0 {
				return lacks
			}
			lacks = within(c, rest[0], found)
			rest = rest[1:]
		}
	}
	return ""
}

func (p *played) act(what string) {
	p.t.Helper()
	p.answered()
	a := p.alice
	a.mu.Lock()
	call, fed := a.call.ID, a.fed
	a.mu.Unlock()
	switch what {
	case "answer", "answer with video":
		a.Must(&port.AnswerCall{Call: call, Video: what != "answer"})
	case "place", "place with video":
		a.Must(&port.PlaceCall{Chat: bob, Video: what != "place"})
	case "hang up":
		a.Must(&port.HangUpCall{Call: call})
	case "media":
		a.until("their description at the seat", func() bool { return a.fed > 0 })
		a.Must(&port.CallConnected{Call: call})
	case "move":
		p.before = fed
		a.Must(&port.CallNetwork{Call: call})
	case "wait for their new ways":
		a.until("their new description at the seat", func() bool { return a.fed > p.before })
	default:
		p.t.Fatalf("nobody can %s", what)
	}
}

// shows waits until alice's call is so.
func (p *played) shows(what string) {
	p.t.Helper()
	what, muted := strings.CutSuffix(what, ", their audio is muted")
	state, why, _ := strings.Cut(what, " ")
	a := p.alice
	a.until(what, func() bool { return a.call.State == state && a.call.Why == why && (!muted || a.call.TheirMuted.Audio) })
	if state == "ended" {
		a.note(func() { a.fed, a.call = 0, port.Call{} })
	}
}

// settle waits until all that bob has asked is answered, and all that alice has said heard.
func (p *played) settle() {
	p.t.Helper()
	p.alice.Must(&port.ListCalls{Limit: 1}) // what the engine said before is on its way
	id := fmt.Sprint("end ", time.Now().UnixNano())
	if err := p.bob.Send("<iq type='get' to='" + p.names["us-full"] + "' id='" + id + "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"); err != nil {
		p.t.Fatal(err)
	}
	p.open[id] = true
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for len(p.open) > 0 {
		n, err := p.bob.Next(ctx)
		if err != nil {
			p.t.Fatalf("%v; without an answer are %v", err, p.open)
		}
		p.mine(n)
		if n.Attr("id") == id {
			p.knowsCalls(n)
		}
	}
}
