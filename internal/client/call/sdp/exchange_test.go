package sdp_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/xmpp/jingle"
)

// two are the two sides of one call, each with what its seat writes.
type two struct {
	*testing.T
	caller, callee *sdp.Exchange
	restarts       int
}

func call(t *testing.T) *two {
	return &two{
		T:      t,
		caller: &sdp.Exchange{Side: jingle.Initiator, SID: "a", Initiator: "romeo@montague.example/orchard"},
		callee: &sdp.Exchange{Side: jingle.Responder, SID: "a"},
	}
}

// answerTo is what a seat answers to an offer: all of it, with a way of its own.
func (w *two) answerTo(offer string, change func(*sdp.Description)) string {
	w.Helper()
	d := parse(w, offer)
	for i := range d.Media {
		m := &d.Media[i]
		m.Way = jingle.Transport{Ufrag: fmt.Sprintf("answer%d", w.restarts), Pwd: strings.Repeat("q", 24), Trickle: true,
			Fingerprint: jingle.Fingerprint{Hash: jingle.SHA256, Setup: jingle.ActiveSetup, Value: otherPrint}}
		for j := range m.RTP.Sources {
			m.RTP.Sources[j].SSRC += 1000
		}
		for j := range m.RTP.SourceGroups {
			for k := range m.RTP.SourceGroups[j].SSRCs {
				m.RTP.SourceGroups[j].SSRCs[k] += 1000
			}
		}
		m.Stream = "theirs"
	}
	if change != nil {
		change(d)
	}
	return text(w, d)
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// offers has one side offer, and gives what was sent and what the other side's
// seat is fed.
func (w *two) offers(from, to *sdp.Exchange, offer string) (jingle.Session, sdp.Feed) {
	w.Helper()
	next := must[sdp.Next](w.T)(from.Offered(offer))
	if len(next.Sessions) != 1 {
		w.Fatalf("%d sessions", len(next.Sessions))
	}
	return next.Sessions[0], must[sdp.Feed](w.T)(to.Hear(over(w, next.Sessions[0])))
}

// answers has the other side answer, and gives what was sent and what the side
// that has offered is fed.
func (w *two) answers(from, to *sdp.Exchange, answer string) (jingle.Session, sdp.Feed) {
	w.Helper()
	sent := must[[]jingle.Session](w.T)(from.Answered(answer))
	if len(sent) != 1 {
		w.Fatalf("%d sessions", len(sent))
	}
	return sent[0], must[sdp.Feed](w.T)(to.Hear(over(w, sent[0])))
}

// connect is a call of sound as it stands, and the offer by which it began.
func (w *two) connect() string {
	w.Helper()
	offer := fixture(w, "chromium-offer-audio")
	s, feed := w.offers(w.caller, w.callee, offer)
	if s.Action != jingle.SessionInitiate || feed.Answer || s.Initiator != "romeo@montague.example/orchard" {
		w.Fatalf("%v, %+v", s.Action, feed)
	}
	s, feed = w.answers(w.callee, w.caller, w.answerTo(feed.SDP, nil))
	if s.Action != jingle.SessionAccept || !feed.Answer {
		w.Fatalf("%v, %+v", s.Action, feed)
	}
	has(w, feed.SDP, "a=setup:active", "a=mid:0", "a=ice-ufrag:answer0", "a=fingerprint:sha-256 "+otherPrint)
	return offer
}

// withVideo is the offer with a camera: a section behind what was there.
func withVideo(t *testing.T, offer string) string {
	video := fixture(t, "chromium-offer-video")
	video = video[strings.Index(video, "m=video"):]
	d := parse(t, offer)
	tag := d.Media[0].Way
	more := parse(t, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"+video).Media[0]
	more.Way.Ufrag, more.Way.Pwd, more.Way.Fingerprint = tag.Ufrag, tag.Pwd, tag.Fingerprint
	d.Media, d.Bundle = append(d.Media, more), []string{"0", "1"}
	return text(t, d)
}

func TestACallBegins(t *testing.T) {
	w := call(t)
	w.connect()
	a, b := w.caller.Fingerprints()
	c, d := w.callee.Fingerprints()
	if len(a) != 1 || !slices.Equal(a, d) || !slices.Equal(b, c) || b[0].Value != otherPrint {
		t.Errorf("fingerprints %v %v and %v %v", a, b, c, d)
	}
	if _, err := w.callee.Answered(fixture(t, "chromium-answer-video")); !errors.Is(err, sdp.ErrOrder) {
		t.Errorf("an answer to nothing: %v", err)
	}
	if _, err := w.caller.Hear(session(t, "Siskin, accept")); !errors.Is(err, sdp.ErrOrder) {
		t.Errorf("accepted again: %v", err)
	}
	if _, err := w.callee.Hear(session(t, "stanza.js, initiate")); !errors.Is(err, sdp.ErrOrder) {
		t.Errorf("begun again: %v", err)
	}
	if _, err := (&sdp.Exchange{Side: jingle.Responder}).Offered(fixture(t, "pion-offer-video")); !errors.Is(err, sdp.ErrOrder) {
		t.Errorf("who was called begins: %v", err)
	}
}

func TestACameraInMidCallIsOneContentMore(t *testing.T) {
	for _, byCallee := range []bool{false, true} {
		w := call(t)
		offer := w.connect()
		from, to := w.caller, w.callee
		if byCallee {
			from, to = to, from
			offer = w.answerTo(offer, nil)
		}
		s, feed := w.offers(from, to, withVideo(t, strings.Replace(offer, "a=setup:active", "a=setup:actpass", 1)))
		if s.Action != jingle.ContentAdd || len(s.Contents) != 1 || s.Contents[0].Name != "1" || s.Contents[0].Creator != from.Side {
			t.Fatalf("%v of %+v", s.Action, s.Contents)
		}
		if g := s.Groups; len(g) != 1 || !slices.Equal(g[0].Names, []string{"0", "1"}) {
			t.Errorf("groups %+v", g)
		}
		has(t, feed.SDP, "a=group:BUNDLE 0 1", "a=mid:0", "a=mid:1", "a=setup:actpass")
		s, feed = w.answers(to, from, w.answerTo(feed.SDP, func(d *sdp.Description) {
			for i := range d.Media {
				d.Media[i].Way.Ufrag = "answer0"
				if byCallee {
					d.Media[i].Way = parse(t, fixture(t, "chromium-offer-audio")).Media[0].Way
					d.Media[i].Way.Fingerprint.Setup = jingle.PassiveSetup
				}
			}
		}))
		if s.Action != jingle.ContentAccept || len(s.Contents) != 1 || s.Contents[0].Name != "1" || s.Contents[0].Creator != from.Side {
			t.Fatalf("%v of %+v", s.Action, s.Contents)
		}
		has(t, feed.SDP, "a=group:BUNDLE 0 1", "a=mid:0", "a=mid:1")
		hasNot(t, feed.SDP, "actpass", "inactive")
		want := "a=setup:active"
		if byCallee {
			want = "a=setup:passive"
		}
		if n := strings.Count(feed.SDP, want); n != 2 {
			t.Errorf("%d times %s in\n%s", n, want, feed.SDP)
		}
	}
}

func TestACameraThatIsNotWantedLeavesTheSound(t *testing.T) {
	w := call(t)
	offer := w.connect()
	_, feed := w.offers(w.caller, w.callee, withVideo(t, offer))
	s, feed := w.answers(w.callee, w.caller, w.answerTo(feed.SDP, func(d *sdp.Description) {
		d.Media[0].Way.Ufrag = "answer0"
		d.Media[1].Rejected = true
	}))
	if s.Action != jingle.ContentReject || s.Contents[0].Name != "1" {
		t.Fatalf("%+v", s)
	}
	has(t, feed.SDP, "a=mid:0", "a=sendrecv", "a=mid:1", "a=inactive")
	if !strings.Contains(feed.SDP, "m=video 0 ") || !feed.Answer {
		t.Errorf("%s", feed.SDP)
	}
	// Once more, and the other side knows no content-add.
	if _, err := w.caller.Offered(withVideo(t, offer)); err != nil {
		t.Fatal(err)
	}
	if feed, err := w.caller.Refused(); err != nil || !strings.Contains(feed.SDP, "m=video 0 ") {
		t.Errorf("%v\n%s", err, feed.SDP)
	}
}

// pion gives a section that it rejects no mid.
func TestASectionThatIsRejectedIsKnownByItsPlace(t *testing.T) {
	w := call(t)
	_, feed := w.offers(w.caller, w.callee, fixture(t, "chromium-offer-video"))
	answer := w.answerTo(feed.SDP, func(d *sdp.Description) { d.Media[1].Rejected = true })
	s, feed := w.answers(w.callee, w.caller, strings.Replace(answer, "a=mid:1\r\n", "", 1))
	if len(s.Contents) != 1 || !strings.Contains(feed.SDP, "m=video 0 ") {
		t.Errorf("%+v\n%s", s, feed.SDP)
	}
	has(t, feed.SDP, "a=mid:1")
	if _, err := w.callee.Offered(strings.Replace(answer, "a=mid:1\r\n", "", 1)); err != nil {
		t.Errorf("and in an offer: %v", err)
	}
}

func TestAnAnswerHasTheSectionsOfItsOffer(t *testing.T) {
	w := call(t)
	_, feed := w.offers(w.caller, w.callee, fixture(t, "chromium-offer-video"))
	for _, change := range []func(d *sdp.Description){
		func(d *sdp.Description) { d.Media = d.Media[:1] },
		func(d *sdp.Description) { slices.Reverse(d.Media) },
		func(d *sdp.Description) { d.Media[1].Mid = "other" },
	} {
		if _, err := w.callee.Answered(w.answerTo(feed.SDP, change)); !errors.Is(err, sdp.ErrOrder) {
			t.Errorf("%v, want ErrOrder", err)
		}
	}
	if _, err := w.callee.Answered(w.answerTo(feed.SDP, nil)); err != nil {
		t.Error(err)
	}
}

func TestAnotherFingerprintInMidCallIsRefused(t *testing.T) {
	w := call(t)
	offer := w.connect()
	next := must[sdp.Next](t)(w.caller.Offered(withVideo(t, offer)))
	s := next.Sessions[0]
	way := *s.Contents[0].Transport
	way.Fingerprint.Value = strings.Repeat("00:", 31) + "00"
	s.Contents[0].Transport = &way
	if _, err := w.callee.Hear(s); !errors.Is(err, sdp.ErrInsecure) {
		t.Errorf("%v, want ErrInsecure", err)
	}
	// Nor does one come by the way of a restart.
	s = jingle.Session{Action: jingle.TransportInfo, SID: "a", Contents: []jingle.Content{{Creator: jingle.Initiator, Name: "0", Senders: jingle.Both, Disposition: "session",
		Transport: &jingle.Transport{Ufrag: "newone", Pwd: strings.Repeat("p", 22), Fingerprint: way.Fingerprint}}}}
	feed := must[sdp.Feed](t)(w.callee.Hear(s))
	has(t, feed.SDP, "a=ice-ufrag:newone")
	hasNot(t, feed.SDP, way.Fingerprint.Value)
}

func TestARestart(t *testing.T) {
	for _, action := range []jingle.Action{jingle.TransportInfo, jingle.TransportReplace} {
		w := call(t)
		offer := w.connect()
		again := strings.Replace(strings.Replace(offer, "a=ice-ufrag:pxeI", "a=ice-ufrag:other", 1), "a=ice-pwd:", "a=ice-pwd:X", 1)
		next := must[sdp.Next](t)(w.caller.Offered(again))
		s := next.Sessions[0]
		if c := s.Contents[0]; s.Action != jingle.TransportInfo || c.Transport.Ufrag != "other" || len(c.Transport.Candidates) != 0 || c.Transport.Fingerprint.Hash != 0 {
			t.Fatalf("%+v %+v", s, c.Transport)
		}
		s.Action = action
		feed := must[sdp.Feed](t)(w.callee.Hear(over(t, s)))
		has(t, feed.SDP, "a=ice-ufrag:other", "a=setup:actpass")
		w.restarts++
		s, feed = w.renews(action, w.answerTo(feed.SDP, nil))
		if s.Contents[0].Transport.Ufrag != "answer1" {
			t.Fatalf("%+v %+v", s, s.Contents[0].Transport)
		}
		has(t, feed.SDP, "a=ice-ufrag:answer1", "a=setup:active")
		if !feed.Answer {
			t.Error("not an answer")
		}
		// What comes late for the old way means nothing; what is for the new one is fed.
		for ufrag, n := range map[string]int{"pxeI": 0, "other": 1} {
			feed := must[sdp.Feed](t)(w.callee.Hear(found("0", ufrag)))
			if len(feed.Addresses) != n || feed.SDP != "" {
				t.Errorf("%s: %+v", ufrag, feed)
			}
		}
	}
}

// renews has the callee answer a restart: by transport-accept, or by the first address that it finds.
func (w *two) renews(asked jingle.Action, answer string) (jingle.Session, sdp.Feed) {
	w.Helper()
	if asked == jingle.TransportReplace {
		s, feed := w.answers(w.callee, w.caller, answer)
		if s.Action != jingle.TransportAccept {
			w.Fatalf("%+v", s)
		}
		return s, feed
	}
	if sent := must[[]jingle.Session](w.T)(w.callee.Answered(answer)); len(sent) != 0 {
		w.Fatalf("%+v", sent)
	}
	s, ok, err := w.callee.Address("0", "candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host")
	if !ok || err != nil {
		w.Fatal(ok, err)
	}
	feed := must[sdp.Feed](w.T)(w.caller.Hear(over(w, s)))
	if len(feed.Addresses) != 1 {
		w.Fatalf("%+v", feed)
	}
	return s, feed
}

// found is a transport-info with an address.
func found(name, ufrag string) jingle.Session {
	c, _, _ := sdp.ParseCandidate("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host", false)
	return jingle.Session{Action: jingle.TransportInfo, SID: "a", Contents: []jingle.Content{{Creator: jingle.Initiator, Name: name, Senders: jingle.Both, Disposition: "session",
		Transport: &jingle.Transport{Ufrag: ufrag, Pwd: strings.Repeat("p", 22), Candidates: []jingle.Candidate{c}}}}}
}

// stanza.js sends addresses with a ufrag alone. It says which credentials they belong to, and makes none.
func TestAddressesWithoutAPasswordBeginNoRestart(t *testing.T) {
	w := call(t)
	w.connect()
	for ufrag, n := range map[string]int{"pxeI": 1, "other": 0} {
		s := found("0", ufrag)
		s.Contents[0].Transport.Pwd = ""
		if feed := must[sdp.Feed](t)(w.callee.Hear(s)); len(feed.Addresses) != n || feed.SDP != "" {
			t.Errorf("%s: %+v", ufrag, feed)
		}
	}
}

func TestDirectionsChangeInMidCall(t *testing.T) {
	w := call(t)
	offer := w.connect()
	next := must[sdp.Next](t)(w.caller.Offered(strings.Replace(offer, "a=sendrecv", "a=recvonly", 1)))
	if s := next.Sessions[0]; s.Action != jingle.ContentModify || s.Contents[0].Senders != jingle.OnlyResponder || s.Contents[0].Description != nil {
		t.Fatalf("%+v", s)
	}
	has(t, next.Feed.SDP, "a=sendonly")
	feed := must[sdp.Feed](t)(w.callee.Hear(over(t, next.Sessions[0])))
	has(t, feed.SDP, "a=recvonly")
	if sent := must[[]jingle.Session](t)(w.callee.Answered(w.answerTo(feed.SDP, func(d *sdp.Description) { d.Media[0].Direction = sdp.SendOnly }))); len(sent) != 0 {
		t.Errorf("%+v is sent", sent)
	}
	next = must[sdp.Next](t)(w.caller.Offered(offer))
	if s := next.Sessions[0]; s.Contents[0].Senders != jingle.Both {
		t.Errorf("%+v", s)
	}
	has(t, next.Feed.SDP, "a=sendrecv")
	next = must[sdp.Next](t)(w.caller.Offered(offer))
	if len(next.Sessions) != 0 || !next.Feed.Answer {
		t.Errorf("of an offer in which nothing is new: %+v", next)
	}
}

func TestAContentThatGoesIsRejectedInTheOffer(t *testing.T) {
	w := call(t)
	offer := w.connect()
	_, feed := w.offers(w.caller, w.callee, withVideo(t, offer))
	w.answers(w.callee, w.caller, w.answerTo(feed.SDP, nil))
	remove := jingle.Session{Action: jingle.ContentRemove, SID: "a", Contents: []jingle.Content{{Creator: jingle.Initiator, Name: "1", Senders: jingle.Both, Disposition: "session"}}}
	feed = must[sdp.Feed](t)(w.callee.Hear(over(t, remove)))
	has(t, feed.SDP, "a=group:BUNDLE 0", "a=inactive")
	must[[]jingle.Session](t)(w.callee.Answered(w.answerTo(feed.SDP, nil)))
	// The same content comes back: in a section of its own.
	s := must[sdp.Next](t)(call2(t, offer).Offered(withVideo(t, offer))).Sessions[0]
	feed = must[sdp.Feed](t)(w.callee.Hear(over(t, s)))
	if !strings.Contains(feed.SDP, "m=video 0 ") || !strings.Contains(feed.SDP, "m=video 9 ") || feed.Answer {
		t.Errorf("%s", feed.SDP)
	}
	has(t, feed.SDP, "a=mid:1", "a=mid:c0", "a=group:BUNDLE 0 c0")
	must[[]jingle.Session](t)(w.callee.Answered(w.answerTo(feed.SDP, nil)))
	must[sdp.Feed](t)(w.callee.Hear(over(t, remove)))
	must[[]jingle.Session](t)(w.callee.Answered(w.answerTo(feed.SDP, func(d *sdp.Description) { d.Media[2].Rejected = true })))
	remove.Contents[0].Name = "0"
	if _, err := w.callee.Hear(remove); !errors.Is(err, sdp.ErrNothing) {
		t.Errorf("the last content goes: %v", err)
	}
}

// call2 is a caller whose call of sound stands.
func call2(t *testing.T, offer string) *sdp.Exchange {
	w := call(t)
	if w.connect() != offer {
		t.Fatal("another offer")
	}
	return w.caller
}

func TestBothOfferAtOnce(t *testing.T) {
	w := call(t)
	offer := w.connect()
	next := must[sdp.Next](t)(w.caller.Offered(withVideo(t, offer)))
	must[sdp.Feed](t)(w.callee.Hear(next.Sessions[0]))
	if _, err := w.callee.Offered(offer); !errors.Is(err, sdp.ErrCrossed) {
		t.Errorf("an offer while one is to be answered: %v", err)
	}
	if _, err := w.caller.Hear(next.Sessions[0]); !errors.Is(err, sdp.ErrCrossed) {
		t.Errorf("an offer that comes while ours waits: %v", err)
	}
}

func TestAddressesGoBothWays(t *testing.T) {
	w := call(t)
	w.connect()
	line := "candidate:7 1 udp 2130706431 192.0.2.1 5000 typ host generation 0 ufrag pxeI network-cost 999"
	s, ok, err := w.caller.Address("0", line)
	if err != nil || !ok || s.Contents[0].Transport.Ufrag != "pxeI" || s.Contents[0].Description != nil {
		t.Fatalf("%+v %v %v", s, ok, err)
	}
	feed := must[sdp.Feed](t)(w.callee.Hear(over(t, s)))
	want := sdp.Address{Mid: "0", Candidate: "candidate:7 1 udp 2130706431 192.0.2.1 5000 typ host generation 0"}
	if len(feed.Addresses) != 1 || feed.Addresses[0] != want || feed.SDP != "" {
		t.Errorf("%+v", feed)
	}
	s, ok, err = w.callee.Address("0", "")
	if err != nil || !ok || !s.Contents[0].Transport.Complete {
		t.Fatalf("the end: %+v %v %v", s, ok, err)
	}
	if feed := must[sdp.Feed](t)(w.caller.Hear(over(t, s))); len(feed.Addresses) != 1 || feed.Addresses[0] != (sdp.Address{Mid: "0"}) {
		t.Errorf("the end: %+v", feed)
	}
	if _, _, err := w.caller.Address("9", line); !errors.Is(err, sdp.ErrOrder) {
		t.Errorf("of a section that is not there: %v", err)
	}
	if feed := must[sdp.Feed](t)(w.callee.Hear(found("nine", "pxeI"))); len(feed.Addresses) != 0 {
		t.Errorf("of a content that is not there: %+v", feed)
	}
}

func TestWhoHidesTellsRelaysAlone(t *testing.T) {
	w := call(t)
	w.caller.RelayOnly = true
	next := must[sdp.Next](t)(w.caller.Offered(fixture(t, "pion-offer-video")))
	out := string(next.Sessions[0].Append(nil))
	hasNot(t, out, "192.0.2.7", "192.0.2.2", "fd00", "host", "srflx", "40001")
	if !strings.Contains(out, "ip='203.0.113.4'") || !strings.Contains(out, "rel-addr='0.0.0.0' rel-port='0'") {
		t.Errorf("%s", out)
	}
	for line, want := range map[string]bool{
		"candidate:1 1 udp 1 192.0.2.1 5000 typ host":                                    false,
		"candidate:1 1 udp 1 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 5":            false,
		"candidate:1 1 udp 1 192.0.2.1 5000 typ prflx raddr 10.0.0.1 rport 5":            false,
		"candidate:1 1 udp 1 203.0.113.4 5000 typ relay raddr 10.0.0.1 rport 4321":       true,
		"candidate:1 1 udp 1 2001:db8::4 5000 typ relay raddr fd00::1 rport 4321":        true,
		"candidate:1 1 tcp 1 203.0.113.4 9 typ host tcptype active generation 0":         false,
		"candidate:1 1 udp 1 9c6e4f5e-1111-2222-3333-444444444444.local 5000 typ host":   false,
		"candidate:1 1 udp 1 203.0.113.4 5000 typ relay raddr secret.example rport 4321": true,
	} {
		s, ok, err := w.caller.Address("0", line)
		if err != nil || ok != want {
			t.Errorf("%s: %v %v", line, ok, err)
		}
		hasNot(t, string(s.Append(nil)), "10.0.0.1", "fd00", "4321", "secret")
	}
	if d := parse(t, fixture(t, "pion-offer-video")); d.Media[0].Way.Candidates[2].Related.Port() == 0 || d.Relayed().Media[0].Way.Candidates[0].Related.Port() != 0 {
		t.Error("Relayed changed what it was of, or not its own")
	}
}
