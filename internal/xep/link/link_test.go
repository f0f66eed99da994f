package link

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// house is a server with accounts.
type house struct {
	*coretest.World
	auth *auth.Auth
	wait time.Duration
}

func run(t *testing.T, f func(h *house)) {
	t.Helper()
	runWith(t, 0, f)
}

func runWith(t *testing.T, wait time.Duration, f func(h *house)) {
	t.Helper()
	h := &house{wait: wait}
	coretest.Run(t, func(w *coretest.World) {
		h.World = w
		var err error
		h.auth, err = auth.New(t.Context(), memory.New(), jid.MustParse("example.org"), config.Auth{Iterations: auth.MinIterations})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"alice", "bob"} {
			if _, err := h.auth.Add(t.Context(), name, "secret"); err != nil {
				t.Fatal(err)
			}
		}
		New(w.Router, h.auth, false, h.wait, slog.New(slog.DiscardHandler)).Register(w.Host)
	}, func(*coretest.World) { f(h) })
}

// stranger is a stream that has not signed in.
type stranger struct {
	core.Stream // panics where the feature has no business
	h           *house
	clear       bool
	values      map[any]any
	visit       string
	addr        string
}

func (s *stranger) Peer() netip.Addr { a, _ := netip.ParseAddr(s.addr); return a }

func (s *stranger) Secure() bool            { return !s.clear }
func (s *stranger) Value(key any) any       { return s.values[key] }
func (s *stranger) SetValue(key, value any) { s.values[key] = value }

func (h *house) stranger(name string) *stranger {
	return &stranger{h: h, values: map[any]any{}, visit: strings.Repeat(name[:1], 22)}
}

// asks sends a request and returns the answer, or the condition of the refusal.
func (s *stranger) asks(payload string) (string, stanza.Condition) {
	s.h.T.Helper()
	e, err := xtok.Parse([]byte(payload), xtok.Limits{})
	if err != nil {
		s.h.T.Fatal(err)
	}
	f := s.h.Host.EarlyHandler(e)
	if f == nil {
		s.h.T.Fatal("nobody answers", payload)
	}
	b, err := f(&core.Query{Ctx: context.Background(), Head: stanza.Head{Kind: stanza.IQ, Type: stanza.Set}, Payload: e, Stream: s})
	if err != nil {
		return "", stanza.AsError(err).Condition
	}
	return string(b), ""
}

func (s *stranger) joins(token, device string) stanza.Condition {
	s.h.T.Helper()
	_, c := s.asks("<join xmlns='" + ns + "' token='" + token + "' visit='" + s.visit + "' device='" + device + "' mechanism='" + sasl.HTSHA256None + "'>Ym94</join>")
	return c
}

func (s *stranger) waits(token, after string) (string, stanza.Condition) {
	s.h.T.Helper()
	return s.asks("<ask xmlns='" + ns + "' token='" + token + "' visit='" + s.visit + "' after='" + after + "'/>")
}

// old is the old device.
type old struct {
	*coretest.Client
	link, token string
}

func (h *house) shows(full string) *old {
	h.T.Helper()
	o := &old{Client: h.Login(full)}
	o.offers()
	return o
}

func (o *old) offers() {
	o.Send("<iq type='set' id='o'><offer xmlns='" + ns + "'/></iq>")
	got := o.Got()
	o.link, o.token = attr(got, "link"), attr(got, "token")
}

func attr(xml, name string) string {
	_, rest, _ := strings.Cut(xml, name+"='")
	v, _, _ := strings.Cut(rest, "'")
	return v
}

func (o *old) says(name, attrs string) string {
	box := ">Ym94</" + name + ">"
	if name == "refuse" {
		box = "/>"
	}
	o.Send("<iq type='set' id='x'><" + name + " xmlns='" + ns + "' link='" + o.link + "'" + attrs + box + "</iq>")
	return o.Got()
}

const named = " label='tablet' software='mirsal chat'"

func (h *house) devices() (list []auth.Device) {
	h.T.Helper()
	list, err := h.auth.Devices(context.Background(), "alice")
	if err != nil {
		h.T.Fatal(err)
	}
	return list
}

func expect(t *testing.T, got string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if unwanted, not := strings.CutPrefix(p, "!"); strings.Contains(got, unwanted) == not {
			t.Errorf("%s in\n%s", p, got)
		}
	}
}

func TestADeviceThatIsLetInGetsATokenOfItsOwn(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		if c := n.joins(o.token, "uuid"); c != "" {
			t.Fatal(c)
		}
		expect(t, o.Got(), "<joined xmlns='"+ns+"' link='"+o.link+"'>Ym94</joined>")
		if c := n.joins(o.token, "uuid"); c != "" {
			t.Error("it may not repeat itself:", c)
		}
		expect(t, o.Got(), "!joined")
		expect(t, o.says("hello", ""), "type='result'")
		got, c := n.waits(o.token, "join")
		expect(t, got, "<hello xmlns='"+ns+"'>Ym94</hello>")
		if c != "" || len(h.devices()) != 0 {
			t.Error("it has something before it was accepted", c)
		}
		expect(t, o.says("accept", named), "type='result'")
		got, _ = n.waits(o.token, "hello")
		expect(t, got, "<welcome xmlns='"+ns+"' mechanism='HT-SHA-256-NONE' expiry='", "token='", ">Ym94</welcome>")
		tokens, err := h.auth.Tokens("alice", auth.Agent{ID: "uuid"}, sasl.HTSHA256None)
		if err != nil || len(tokens) != 1 || string(tokens[0].Secret) != attr(got, "token") {
			t.Error("the token is not good", err)
		}
		if d := h.devices(); len(d) != 1 || d[0].Name != "tablet" || d[0].Software != "mirsal chat" || !d[0].Token || d[0].Password {
			t.Error(d)
		}
	})
}

// Attack: photographed QR. Two show the code: one of them is not the one it was for.
func TestWhenTwoShowTheCodeNeitherIsLetIn(t *testing.T) {
	run(t, func(h *house) {
		o, thief, n := h.shows("alice@example.org/phone"), h.stranger("t"), h.stranger("n")
		thief.joins(o.token, "thief")
		o.Got()
		if c := n.joins(o.token, "uuid"); c != stanza.Conflict {
			t.Error("the second:", c)
		}
		expect(t, o.Got(), "<ended xmlns='"+ns+"' link='"+o.link+"' reason='two'/>")
		if _, c := thief.waits(o.token, "join"); c != stanza.Conflict {
			t.Error("the first:", c)
		}
		expect(t, o.says("hello", ""), "item-not-found")
		expect(t, o.says("accept", named), "item-not-found")
		if len(h.devices()) != 0 {
			t.Error("one has got in")
		}
	})
}

func TestACodeThatWasUsedIsWorthNothing(t *testing.T) {
	run(t, func(h *house) {
		o, n, thief := h.shows("alice@example.org/phone"), h.stranger("n"), h.stranger("t")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		o.says("accept", named)
		if c := thief.joins(o.token, "thief"); c != stanza.ItemNotFound {
			t.Error("it is used again:", c)
		}
		if _, c := thief.waits(o.token, "hello"); c != stanza.ItemNotFound {
			t.Error("another one is given the token:", c)
		}
		expect(t, o.says("accept", named), "item-not-found")
		if _, c := n.waits(o.token, "hello"); c != "" || len(h.devices()) != 1 {
			t.Error("the one it was for has lost it", c)
		}
	})
}

// Attack: accepting without having been asked, or before anybody could compare.
func TestNothingIsAcceptedThatWasNotGreeted(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		expect(t, o.says("accept", named), "item-not-found")
		n.joins(o.token, "uuid")
		o.Got()
		expect(t, o.says("accept", named), "item-not-found")
		if len(h.devices()) != 0 {
			t.Error("it is in")
		}
	})
}

// Attack: another session, of the same account or another one, says yes.
func TestOnlyTheSessionThatShowsTheCodeDecides(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		for _, full := range []string{"alice@example.org/laptop", "bob@example.org/phone"} {
			other := &old{Client: h.Login(full), link: o.link}
			for _, say := range []string{"hello", "accept", "refuse"} {
				expect(t, other.says(say, named), "item-not-found")
			}
			other.Send("<iq type='set' id='x' to='alice@example.org'><accept xmlns='" + ns + "' link='" + o.link + "'>Ym94</accept></iq>")
			expect(t, other.Got(), "type='error'")
			other.Send("<iq type='set' id='x' to='alice@example.org'><offer xmlns='" + ns + "'/></iq>")
			if full == "bob@example.org/phone" {
				expect(t, other.Got(), "service-unavailable", "!token=")
			}
		}
		if len(h.devices()) != 0 {
			t.Error("it is in")
		}
		expect(t, o.says("accept", named), "type='result'")
	})
}

func TestWhoIsRefusedHasNothing(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		expect(t, o.says("refuse", ""), "type='result'")
		if _, c := n.waits(o.token, "hello"); c != stanza.NotAllowed {
			t.Error(c)
		}
		expect(t, o.says("accept", named), "item-not-found")
		if len(h.devices()) != 0 || len(h.Router.Directory().Sessions(jid.MustParse("alice@example.org"))) != 1 {
			t.Error("something is left")
		}
	})
}

func TestALinkIsOverAfterFiveMinutes(t *testing.T) {
	run(t, func(h *house) {
		time.Sleep(time.Second) // so that it is over some seconds before that is looked for
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		time.Sleep(life)
		expect(t, o.says("accept", named), "item-not-found")
		time.Sleep(sweep)
		expect(t, o.Got(), "<ended xmlns='"+ns+"' link='"+o.link+"' reason='expired'/>")
		if _, c := n.waits(o.token, "hello"); c != stanza.ItemNotFound || len(h.devices()) != 0 {
			t.Error(c)
		}
		late := h.shows("alice@example.org/laptop")
		time.Sleep(life)
		if c := h.stranger("x").joins(late.token, "uuid"); c != stanza.ItemNotFound {
			t.Error("an old code is taken:", c)
		}
	})
}

func TestATokenThatNobodyUsesIsTakenBack(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		o.says("accept", named)
		n.waits(o.token, "hello")
		time.Sleep(life + 2*sweep)
		if len(h.devices()) != 0 {
			t.Error("it is still good")
		}
	})
}

func TestATokenThatWasUsedStays(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		o.says("accept", named)
		time.Sleep(life - time.Second) // the last moment
		agent := auth.Agent{ID: "uuid"}
		tokens, err := h.auth.Tokens("alice", agent, sasl.HTSHA256None)
		if err != nil || len(tokens) != 1 {
			t.Fatal(tokens, err)
		}
		if _, err := h.auth.UseToken(t.Context(), "alice", agent, tokens[0].ID, 0, false, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(life + 2*sweep)
		if len(h.devices()) != 1 {
			t.Error("it is gone")
		}
	})
}

func TestTheLinkGoesWithTheSessionThatShowsIt(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		o.Session.Close(nil)
		if _, c := n.waits(o.token, "hello"); c != stanza.ItemNotFound {
			t.Error(c)
		}
	})
}

// Attack: the password is changed because of a thief, who has a link open.
func TestAChangedPasswordEndsWhatWasBegunBefore(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		if err := h.auth.Passwd(context.Background(), "alice", "another"); err != nil {
			t.Fatal(err)
		}
		expect(t, o.says("accept", named), "not-authorized")
		if _, c := n.waits(o.token, "hello"); c != stanza.NotAllowed || len(h.devices()) != 0 {
			t.Error(c)
		}
	})
}

// Attack: the new device says that it is one that has access already, and is never seen.
func TestADeviceThatIsKnownIsNoNewOne(t *testing.T) {
	run(t, func(h *house) {
		if _, err := h.auth.SignedIn(context.Background(), "alice", auth.Agent{ID: "uuid"}, "password"); err != nil {
			t.Fatal(err)
		}
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		if c := n.joins(o.token, "uuid"); c != stanza.NotAllowed {
			t.Error(c)
		}
		expect(t, o.Got(), "!joined")
	})
}

// R25: the alert is out before the new device can have its token.
func TestEveryOtherDeviceIsToldBeforeTheNewOneCanSignIn(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		laptop, silent := h.Login("alice@example.org/laptop"), h.Bind("alice@example.org/tv")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		var told string
		begun := time.Now()
		waited := make(chan struct{})
		go func() {
			defer close(waited)
			if _, c := n.waits(o.token, "hello"); c != "" {
				t.Error(c)
			}
		}()
		synctest.Wait()
		o.says("accept", " label='it&apos;s &lt;me&gt;&#x202e;' software='x'")
		<-waited
		for _, c := range []*coretest.Client{laptop, silent} {
			told = c.Got()
			expect(t, told, "<linked xmlns='"+ns+"' label='it&apos;s &lt;me&gt;' software='x' by='phone'/>", "type='headline'")
		}
		expect(t, laptop.Got()+o.Got(), "!<linked")
		if d := time.Since(begun); d > 5*time.Second {
			t.Error(d)
		}
	})
}

func TestAwayDevicesFindTheAlertAmongTheirMessages(t *testing.T) {
	run(t, func(h *house) {
		var posted []string
		h.Host.Keep = append(h.Host.Keep, func(t *core.Transit) { posted = append(posted, string(t.Stanza.Raw)) })
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		o.says("accept", named)
		if len(posted) != 1 {
			t.Fatal(posted)
		}
		expect(t, posted[0], "from='example.org'", "to='alice@example.org'", "tablet", "mirsal chat", "phone", "change your password")
	})
}

func TestAWaitEndsAndCanBeRepeated(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		begun := time.Now()
		got, _ := n.waits(o.token, "join")
		if expect(t, got, "<wait xmlns='"+ns+"'/>"); time.Since(begun) != patience {
			t.Error(time.Since(begun))
		}
	})
}

func TestStrangersAreBounded(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.clear = true
		if c := n.joins(o.token, "uuid"); c != stanza.NotAllowed {
			t.Error("in clear:", c)
		}
		n = h.stranger("n")
		for range tries {
			if c := n.joins("guess", "uuid"); c != stanza.ItemNotFound {
				t.Error(c)
			}
		}
		if c := n.joins(o.token, "uuid"); c != stanza.ResourceConstraint {
			t.Error("guessing has no end:", c)
		}
		n = h.stranger("n")
		for _, bad := range []string{
			"<join xmlns='" + ns + "' token='" + o.token + "' visit='short' device='d' mechanism='HT-SHA-256-NONE'>x</join>",
			"<join xmlns='" + ns + "' token='" + o.token + "' visit='" + n.visit + "' device='' mechanism='HT-SHA-256-NONE'>x</join>",
			"<join xmlns='" + ns + "' token='" + o.token + "' visit='" + n.visit + "' device='d' mechanism='PLAIN'>x</join>",
			"<join xmlns='" + ns + "' token='" + o.token + "' visit='" + n.visit + "' device='d' mechanism='HT-SHA-256-NONE'>" + strings.Repeat("x", mostBox+1) + "</join>",
		} {
			if _, c := n.asks(bad); c != stanza.BadRequest {
				t.Error(bad[:120], c)
			}
		}
	})
}

func TestAnAccountHasFewLinksAtATime(t *testing.T) {
	run(t, func(h *house) {
		o := h.shows("alice@example.org/phone")
		first := o.token
		for range 3 * most {
			o.offers() // each ends the one before
		}
		if c := h.stranger("x").joins(first, "uuid"); o.token == "" || c != stanza.ItemNotFound {
			t.Error("the former code is still good:", c)
		}
		for i := range most + 1 {
			h.stranger(string(rune('a'+i))).joins(o.token, "uuid") // keeps it among those that are asked about
			o.offers()
		}
		if o.token != "" {
			t.Error("there is no bound")
		}
	})
}

func TestAnEndedContextEndsAWait(t *testing.T) {
	run(t, func(h *house) {
		o, n := h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		e, _ := xtok.Parse([]byte("<ask xmlns='"+ns+"' token='"+o.token+"' visit='"+n.visit+"' after='join'/>"), xtok.Limits{})
		_, err := h.Host.EarlyHandler(e)(&core.Query{Ctx: ctx, Head: stanza.Head{Type: stanza.Set}, Payload: e, Stream: n})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// R25: what is let in waits, and each device of the account can refuse it meanwhile.
func TestWhatIsLetInWaitsAndAnyDeviceMayRefuse(t *testing.T) {
	const wait = time.Hour
	let := func(h *house) (o *old, laptop *coretest.Client, n *stranger) {
		laptop = h.Login("alice@example.org/laptop")
		o, n = h.shows("alice@example.org/phone"), h.stranger("n")
		n.joins(o.token, "uuid")
		o.says("hello", "")
		expect(t, o.says("accept", named), "<held xmlns='"+ns+"' until='")
		if got, _ := n.waits(o.token, "hello"); !strings.Contains(got, "<wait xmlns='"+ns+"' until='") || len(h.devices()) != 0 {
			t.Error("it has something already:", got)
		}
		return o, laptop, n
	}
	runWith(t, wait, func(h *house) {
		o, laptop, n := let(h)
		told := laptop.Got()
		expect(t, told, "label='tablet'", "link='"+o.link+"' until='", "you can refuse it on any of your devices")
		other := h.Login("bob@example.org/x")
		refuse := "<iq type='set' id='r'><refuse xmlns='" + ns + "' link='" + o.link + "'/></iq>"
		other.Send(refuse)
		expect(t, other.Got(), "item-not-found")
		laptop.Send(refuse)
		expect(t, laptop.Got(), "type='result'")
		expect(t, o.Got(), "<ended xmlns='"+ns+"' link='"+o.link+"' reason='refused'/>")
		time.Sleep(wait + sweep)
		if _, c := n.waits(o.token, "hello"); c == "" || len(h.devices()) != 0 {
			t.Error("it is let in", c)
		}
	})
	runWith(t, wait, func(h *house) {
		o, _, n := let(h)
		o.Session.Close(nil) // it is accepted: that does not hang on a connection
		time.Sleep(wait + sweep)
		if got, c := n.waits(o.token, "hello"); !strings.Contains(got, "<welcome ") || c != "" {
			t.Error("its time has come:", got, c)
		}
	})
}

func TestTheOldDeviceIsToldWhereTheNewOneIsAsFarAsThatIsKnown(t *testing.T) {
	for addr, want := range map[string]string{
		"203.0.113.77": " network='203.0.113.0/24'", "2001:db8:1:2::3": " network='2001:db8:1::/48'",
		"127.0.0.1": "", "192.168.1.4": "", "::1": "", "": "", "::ffff:203.0.113.9": " network='203.0.113.0/24'",
	} {
		run(t, func(h *house) {
			o, n := h.shows("alice@example.org/phone"), h.stranger("n")
			n.addr = addr
			n.joins(o.token, "uuid")
			expect(t, o.Got(), "<joined xmlns='"+ns+"' link='"+o.link+"'"+want+">")
		})
	}
}
