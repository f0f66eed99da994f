package httpd

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/c2s"
	"mirsal/internal/xmpp/xtok"
)

// XEP-0124 §10
func TestSilenceIsALostConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		time.Sleep(inactivity*time.Second - time.Millisecond)
		q := k.post(101, "", "")
		time.Sleep(inactivity*time.Second + time.Second) // held 60 s, then a second
		if q.held() {
			t.Fatal("held too long")
		}
		if got := k.post(102, "pause='3000'", "").text(); strings.Contains(got, "terminate") {
			t.Error(got)
		}
		time.Sleep(maxPause*time.Second - time.Millisecond)
		if s.bosh.find(k.sid) == nil {
			t.Error("a pause was not granted")
		}
		time.Sleep(2 * time.Millisecond)
		k.ended()
		if got := k.post(103, "", "").text(); got != gone {
			t.Error(got)
		}
	})
}

func TestAPauseAnswersAllAndTakesNothingWithIt(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		held := k.post(101, "", "")
		synctest.Wait()
		pause := k.post(102, "pause='100'", "")
		if got := pause.text(); got != "<body xmlns='"+nsBind+"'/>" || held.held() {
			t.Error(got)
		}
		k.say(t, "<x xmlns='u'/>")
		if got := k.post(103, "", "").text(); !strings.Contains(got, "<x xmlns='u'/>") {
			t.Error(got)
		}
		k.Close()
	})
}

// XEP-0124 §13
func TestWhoTerminatesIsHeardOut(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		held := k.post(101, "", "")
		synctest.Wait()
		end := k.post(102, "type='terminate'", "<presence xmlns='jabber:client' type='unavailable'/>")
		if got := strings.ReplaceAll(k.got(t), " xml:lang='en'", ""); got != "<presence xmlns='jabber:client' type='unavailable'/></stream:stream>" {
			t.Error(got)
		}
		k.say(t, "</stream:stream>")
		k.Close()
		if held.held() || end.text() != "<body xmlns='"+nsBind+"' type='terminate'/>" {
			t.Error(held.text(), end.text())
		}
		if got := k.post(103, "", "").text(); got != gone {
			t.Error(got)
		}
	})
}

// XEP-0206 §6
func TestAStreamErrorEndsTheSessionInOneAnswer(t *testing.T) {
	const last = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
	for _, held := range []bool{true, false} {
		bubble(t, func(t *testing.T, s *side) {
			k := begin(t, s, "")
			var q *asked
			if held {
				q = k.post(101, "", "")
				synctest.Wait()
			}
			k.say(t, last)
			k.Close()
			if !held {
				q = k.post(101, "", "")
			}
			got := q.text()
			if attr(t, got, "type") != "terminate" || attr(t, got, "condition") != "remote-stream-error" || !strings.Contains(got, "<conflict") || !strings.Contains(got, " xmlns:stream=") {
				t.Error(got)
			}
			if again := k.post(101, "", "").text(); k.bound() && again != got {
				t.Error("asked again:", again)
			}
		})
	}
}

func (k *talk) bound() bool { return k.arrival.Conn.(*bosh).bound }

func TestAStreamThatIsNotTakenEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, func(c *Config) { c.Accept = func(nc net.Conn, _ c2s.Via) { nc.Close() } })
		got := s.post("<body xmlns='" + nsBind + "' rid='100' to='example.org'/>").text()
		if attr(t, got, "type") != "terminate" || attr(t, got, "condition") != "remote-connection-failed" {
			t.Error(got)
		}
		if len(s.bosh.sessions) != 0 {
			t.Error("it is remembered")
		}
	})
}

func TestWhoWritesMoreThanIsTakenWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		big := "<x xmlns='u'>" + strings.Repeat("x", outMost) + "</x>"
		k.say(t, big)
		wrote := make(chan error, 1)
		go func() {
			_, err := k.Write([]byte(big))
			wrote <- err
		}()
		synctest.Wait()
		select {
		case <-wrote:
			t.Fatal("nothing was taken")
		default:
		}
		k.post(101, "", "")
		synctest.Wait()
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		_ = k.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := k.Write([]byte(big)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		_ = k.SetWriteDeadline(time.Time{})
		go func() {
			_, err := k.Write([]byte(big))
			wrote <- err
		}()
		synctest.Wait()
		k.Close()
		if err := <-wrote; err == nil {
			t.Error("written to a closed session")
		}
	})
}

func TestReadsEndWithTheirDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		_ = k.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := k.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		_ = k.SetReadDeadline(time.Time{})
		go k.post(101, "", "<a xmlns='u'/>")
		if n, err := k.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Error(n, err)
		}
		k.Close()
	})
}

func TestWhoSendsFasterThanIsReadWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		one := k.post(101, "", "<a xmlns='u'/>")
		synctest.Wait()
		two := k.post(102, "", "<b xmlns='u'/>")
		if !one.held() || !two.held() {
			t.Error("taken in before anybody read")
		}
		k.got(t)
		if one.held() {
			t.Error("still waiting")
		}
		k.Close()
	})
}

func TestBodiesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		long := "<a xmlns='u'>" + strings.Repeat("x", 2000) + "</a>"
		if got := attr(t, k.post(101, "", long).text(), "condition"); got != "policy-violation" {
			t.Error("before a login:", got)
		}
		k.Close()
		k = begin(t, s, "")
		k.via.Bound()
		if q := k.post(101, "", strings.Repeat(long, 10)); !q.held() || len(k.got(t)) < 20_000 {
			t.Error("after it:", q.text())
		}
		if got := attr(t, k.post(102, "", strings.Repeat(long, 20)).text(), "condition"); got != "policy-violation" {
			t.Error("too long after it:", got)
		}
		k.Close()
	})
}

func TestBodiesThatAreNoneAreRefused(t *testing.T) {
	const sid = "SID"
	open := "<body xmlns='" + nsBind + "' sid='SID' rid='101'"
	for _, text := range []string{
		"", "x", "<a/>", "<body/>", "<body xmlns='" + nsBind + "' rid='1' to='example.org'><message/></body>", "<body xmlns='" + nsBind + "' rid='1' type='terminate'/>",
		open, open + ">", open + "/><a/>", open + ">text</body>", "<?xml version='1.0'?>" + open + "/>",
		"<!DOCTYPE body [<!ENTITY a 'b'>]>" + open + "/>", open + "><!-- x --></body>", open + "><stream:stream xmlns:stream='http://etherx.jabber.org/streams'/></body>",
		open + "><a></b></body>", strings.Replace(open, "101", "-1", 1) + "/>", strings.Replace(open, "101", "9007199254740992", 1) + "/>",
		strings.Replace(open, " rid='101'", "", 1) + "/>", strings.Replace(open, nsBind, "urn:other", 1) + "/>", open + "><a xmlns='u'>&b;</a></body>",
	} {
		bubble(t, func(t *testing.T, s *side) {
			k := begin(t, s, "")
			if got := attr(t, s.post(strings.Replace(text, sid, k.sid, 1)).text(), "condition"); got != "bad-request" {
				t.Errorf("%s: %s", text, got)
			}
			if got := k.got(t); got != "" {
				t.Error("taken in:", got)
			}
			var bad *xtok.Error
			if strings.HasPrefix(text, "<body") && strings.Contains(text, open+">") {
				if _, err := k.Read(make([]byte, 1)); !errors.As(err, &bad) {
					t.Errorf("%s: the stream sees %v", text, err)
				}
				if got := k.post(101, "", "").text(); got != gone {
					t.Errorf("%s: the session goes on: %s", text, got)
				}
			}
			k.Close()
		})
	}
}

func TestPagesOfAnyOriginMayPost(t *testing.T) {
	s := newSide(t, nil)
	w := s.ask("OPTIONS", "/bosh", "127.0.0.1:1", "", "Origin: https://elsewhere.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
	h := w.Header()
	if w.Code != 204 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") ||
		h.Get("Access-Control-Allow-Headers") != "Content-Type" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Error(w.Code, h)
	}
}
