package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/xmpp/xtok"
)

// talk is one session as its client sees it.
type talk struct {
	t   *testing.T
	s   *side
	sid string
	arrival
}

// asked is a request under way.
type asked struct {
	w    *httptest.ResponseRecorder
	done chan struct{}
	hang context.CancelFunc
}

// post begins a request.
func (s *side) post(text string) *asked {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, "POST", "/bosh", strings.NewReader(text))
	r.RemoteAddr = "127.0.0.1:7"
	a := &asked{httptest.NewRecorder(), make(chan struct{}), cancel}
	go func() {
		s.h.ServeHTTP(a.w, r)
		close(a.done)
	}()
	return a
}

// held tells that there is no answer yet.
func (a *asked) held() bool {
	synctest.Wait()
	select {
	case <-a.done:
		return false
	default:
		return true
	}
}

// text is the answer, "held" without one.
func (a *asked) text() string {
	if a.held() {
		return "held"
	}
	return a.w.Body.String()
}

func (k *talk) post(rid int, attrs, content string) *asked {
	return k.s.post(fmt.Sprintf("<body xmlns='%s' sid='%s' rid='%d' %s>%s</body>", nsBind, k.sid, rid, attrs, content))
}

// begin makes a session whose first request is 100 and is answered with the features.
func begin(t *testing.T, s *side, attrs string) *talk {
	t.Helper()
	first := s.post("<body xmlns='" + nsBind + "' rid='100' to='example.org' xml:lang='en' " + attrs + "/>")
	synctest.Wait()
	k := &talk{t: t, s: s, arrival: <-s.streams}
	k.got(t)
	k.say(t, greeting)
	if !first.held() {
		t.Fatal("answered without features")
	}
	k.say(t, features)
	k.sid = attr(t, first.text(), "sid")
	return k
}

func attr(t *testing.T, text, name string) string {
	t.Helper()
	e, err := xtok.Parse([]byte(text), xtok.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return e.Attr(name)
}

// ended requires that c2s sees a lost connection.
func (k *talk) ended() {
	k.t.Helper()
	synctest.Wait()
	_ = k.SetReadDeadline(time.Now())
	if _, err := k.Read(make([]byte, 10)); !errors.Is(err, io.EOF) {
		k.t.Error("the stream goes on:", err)
	}
	k.Close()
}

func bubble(t *testing.T, f func(t *testing.T, s *side)) {
	synctest.Test(t, func(t *testing.T) { f(t, newSide(t, nil)) })
}

const gone = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>"

func TestASessionIsMadeWithinOurBounds(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		first := s.post("<body xmlns='" + nsBind + "' rid='1' to='example.org' from='a@example.org' xml:lang='de' wait='2147483648' hold='7' ver='1.6' ack='1' content='text/html'/>")
		synctest.Wait()
		k := <-s.streams
		if got := k.got(t); got != "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' from='a@example.org' xml:lang='de' version='1.0'>" {
			t.Error(got)
		}
		if k.RemoteAddr().String() != "127.0.0.1:7" || k.via.Name != "bosh" || !k.via.Secure || k.via.Bindings != nil {
			t.Error(k.RemoteAddr(), k.via)
		}
		k.say(t, greeting)
		k.say(t, features)
		text := first.text()
		for name, want := range map[string]string{"wait": "60", "hold": "1", "requests": "2", "inactivity": "60", "maxpause": "120", "authid": "S", "from": "example.org", "ack": "1", "ver": "1.11"} {
			if got := attr(t, text, name); got != want {
				t.Errorf("%s=%q instead of %q", name, got, want)
			}
		}
		if !strings.Contains(text, "xmpp:restartlogic='true'") || !strings.Contains(text, "<stream:features xmlns:stream=") || len(attr(t, text, "sid")) < 26 {
			t.Error(text)
		}
		if h := first.w.Header(); h.Get("Content-Type") != "text/xml; charset=utf-8" || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Error(h)
		}
		k.Close()
	})
}

func TestPayloadGoesBothWaysAndARequestIsHeldUntilThereIsSome(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		one := k.post(101, "", "<message xmlns='jabber:client'><body>x</body></message><iq><q xmlns='u'/></iq>")
		synctest.Wait()
		if got := k.got(t); got != "<message xmlns='jabber:client' xml:lang='en'><body>x</body></message>"+"<iq xmlns='jabber:client' xml:lang='en'><q xmlns='u'/></iq>" &&
			got != "<message xmlns='jabber:client'><body>x</body></message><iq xmlns='jabber:client'><q xmlns='u'/></iq>" {
			t.Error(got)
		}
		if !one.held() {
			t.Error("not held")
		}
		k.say(t, "<message xmlns='jabber:client'>1</message><message xmlns='jabber:client'>2</message>")
		if got := one.text(); !strings.HasSuffix(got, "><message xmlns='jabber:client'>1</message><message xmlns='jabber:client'>2</message></body>") {
			t.Error(got)
		}
		k.say(t, "<r xmlns='urn:xmpp:sm:3'/>")
		if got := k.post(102, "", "").text(); !strings.Contains(got, "<r xmlns='urn:xmpp:sm:3'/>") {
			t.Error("what waited came as", got)
		}
		empty := k.post(103, "", "")
		time.Sleep(waitMost * time.Second)
		if got := empty.text(); got != "<body xmlns='"+nsBind+"'/>" {
			t.Error("after the longest wait:", got)
		}
		two, three := k.post(104, "", ""), k.post(105, "", "<presence xmlns='jabber:client'/>")
		if two.held() || !three.held() {
			t.Error("two requests are held")
		}
		k.Close()
	})
}

func TestARestartIsAStreamHeader(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		q := k.post(101, "to='example.org' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'", "<ignored xmlns='u'/>")
		synctest.Wait()
		if got := k.got(t); got != "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>" {
			t.Error(got)
		}
		k.say(t, greeting)
		k.say(t, features)
		if got := q.text(); !strings.Contains(got, "<stream:features") {
			t.Error(got)
		}
		k.Close()
	})
}

func TestRequestsAreHandledInTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "ack='1'")
		later := k.post(102, "", "<b xmlns='u'/>")
		if !later.held() || k.got(t) != "" {
			t.Error("handled too early")
		}
		sooner := k.post(101, "", "<a xmlns='u'/>")
		synctest.Wait()
		if got := strings.ReplaceAll(k.got(t), " xml:lang='en'", ""); got != "<a xmlns='u'/><b xmlns='u'/>" {
			t.Error(got)
		}
		if got := sooner.text(); got != "<body xmlns='"+nsBind+"' ack='102'/>" {
			t.Error(got)
		}
		k.Close()
	})
}

// XEP-0124 §14.3
func TestALostAnswerIsGivenAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		q := k.post(101, "", "<a xmlns='u'/>")
		synctest.Wait()
		k.got(t)
		k.say(t, "<x xmlns='u'>payload</x>")
		want := q.text()
		for range 3 {
			if got := k.post(101, "", "<a xmlns='u'/>").text(); got != want || !strings.Contains(got, "payload") {
				t.Errorf("%s instead of %s", got, want)
			}
		}
		if got := k.got(t); got != "" {
			t.Error("handled again:", got)
		}
		k.say(t, "<y xmlns='u'/>")
		k.post(102, "", "").text()
		k.say(t, "<z xmlns='u'/>")
		k.post(103, "", "").text()
		if got := k.post(101, "", "<a xmlns='u'/>").text(); got != gone {
			t.Error("an answer that is not kept any more:", got)
		}
		k.ended()
	})
}

func TestARequestSentAnewTakesThePlaceOfTheOldOne(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		old := k.post(101, "", "<a xmlns='u'/>")
		synctest.Wait()
		k.got(t)
		anew := k.post(101, "", "<a xmlns='u'/>")
		if got := old.text(); got != "<body xmlns='"+nsBind+"' type='error'/>" || !anew.held() {
			t.Error(got)
		}
		k.say(t, "<x xmlns='u'/>")
		if got := anew.text(); !strings.Contains(got, "<x xmlns='u'/>") {
			t.Error(got)
		}
		k.post(102, "", "")
		synctest.Wait()
		for range againMost + 1 {
			k.post(102, "", "")
			synctest.Wait()
		}
		k.ended()
	})
}

func TestAnAnswerIsNotWastedOnWhoHungUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		lost := k.post(101, "", "")
		synctest.Wait()
		lost.hang()
		synctest.Wait()
		k.say(t, "<x xmlns='u'/>")
		if got := k.post(101, "", "").text(); !strings.Contains(got, "<x xmlns='u'/>") {
			t.Error("sent anew:", got)
		}
		lost = k.post(102, "", "")
		synctest.Wait()
		lost.hang()
		synctest.Wait()
		k.say(t, "<y xmlns='u'/>")
		if got := k.post(103, "", "").text(); !strings.Contains(got, "<y xmlns='u'/>") {
			t.Error("gone on without:", got)
		}
		k.Close()
	})
}

// XEP-0124 §14.2
func TestARequestIDOutsideTheWindowEndsTheSession(t *testing.T) {
	for _, rid := range []int{104, 5000, 99, 1} {
		bubble(t, func(t *testing.T, s *side) {
			k := begin(t, s, "")
			held := k.post(101, "", "")
			synctest.Wait()
			if got := k.post(rid, "", "<a xmlns='u'/>").text(); got != gone {
				t.Error(rid, got)
			}
			if got := held.text(); got != gone {
				t.Error("the held request:", got)
			}
			if got := k.post(102, "", "").text(); got != gone {
				t.Error("the next request:", got)
			}
			k.ended()
		})
	}
}

func TestAThousandRequestsAreNotHeld(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		var all []*asked
		for rid := 101; rid < 1101; rid++ {
			all = append(all, k.post(rid, "", ""))
			if rid%10 == 0 {
				synctest.Wait()
			}
		}
		for _, a := range all {
			if a.held() {
				t.Fatal("held")
			}
		}
		k.ended()
	})
}

func TestWhoAsksForNothingTooOftenIsSentAway(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "hold='0'")
		var last string
		for rid := 101; rid < 120; rid++ {
			last = k.post(rid, "", "").text()
		}
		if last != gone {
			t.Error(last)
		}
		k.ended()
		k = begin(t, s, "")
		for rid := 101; rid < 150; rid++ { // somebody to whom much is said
			q := k.post(rid, "", "")
			k.say(t, "<x xmlns='u'/>")
			if !strings.Contains(q.text(), "<x") {
				t.Fatal(q.text())
			}
		}
		k.Close()
	})
}

// XEP-0124 §15
func TestAKeyIsWantedOnceThereIsOne(t *testing.T) {
	k3 := hashed("seed")
	k2 := hashed(k3)
	k1 := hashed(k2)
	for name, second := range map[string]string{
		"none": "", "wrong": "key='" + k2 + "0'", "the one before": "key='" + k1 + "'", "right": "key='" + k2 + "'",
	} {
		bubble(t, func(t *testing.T, s *side) {
			k := begin(t, s, "newkey='"+strings.ToUpper(k1)+"'")
			q := k.post(101, second, "<a xmlns='u'/>")
			if name != "right" {
				if q.text() != gone || k.got(t) != "" {
					t.Error(name, q.text())
				}
				k.ended()
				return
			}
			if !q.held() || !strings.HasPrefix(k.got(t), "<a ") {
				t.Error("refused:", q.text())
			}
			k.Close()
		})
	}
}

func TestNewKeysFollowOldOnes(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		last := "a seed"
		k := begin(t, s, "newkey='"+hashed(last)+"'")
		k.post(101, "key='"+last+"' newkey='"+hashed("another")+"'", "")
		synctest.Wait()
		if q := k.post(102, "key='another'", ""); !q.held() {
			t.Error(q.text())
		}
		if got := k.post(103, "key='another'", "").text(); got != gone {
			t.Error(got)
		}
		k.ended()
	})
}

func TestASessionOfNobodyAndOfAnotherLookTheSame(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		other := begin(t, s, "")
		if k.sid == other.sid {
			t.Error("the same id twice")
		}
		for _, sid := range []string{"x", k.sid[1:], strings.ToLower(k.sid)} {
			if got := s.post("<body xmlns='" + nsBind + "' rid='101' sid='" + sid + "'/>").text(); got != gone {
				t.Error(sid, got)
			}
		}
		k.Close()
		other.Close()
	})
}
