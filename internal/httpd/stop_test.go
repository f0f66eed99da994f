package httpd

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"mirsal/internal/c2s"
)

func TestNoStreamBeginsWhileTheServerStops(t *testing.T) {
	bubble(t, func(t *testing.T, s *side) {
		k := begin(t, s, "")
		s.Stop()
		if w := s.ask("GET", "/ws", "127.0.0.1:7", "", "Sec-WebSocket-Protocol: xmpp"); w.Code != 503 {
			t.Error("WebSocket:", w.Code)
		}
		if w := s.ask("POST", "/bosh", "127.0.0.1:7", "<body xmlns='"+nsBind+"' rid='7' to='example.org'/>"); w.Code != 503 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Error("BOSH:", w.Code)
		}
		// those that there are hear what is said to them
		q := k.post(101, "", "")
		k.say(t, "<message xmlns='jabber:client'><body>last</body></message>")
		if got := q.text(); !strings.Contains(got, "last") {
			t.Error(got)
		}
	})
}

// A request may have come in before Stop, and its stream to c2s after it.
func TestWhatCameTooLateIsNotTakenForFinal(t *testing.T) {
	stopped := func(c *Config) { c.Accept = func(nc net.Conn, _ c2s.Via) { nc.Close() } }
	t.Run("BOSH", func(t *testing.T) {
		s := newSide(t, nil)
		s.cfg.Accept = func(nc net.Conn, _ c2s.Via) {
			s.Stop()
			nc.Close()
		}
		got := s.post("<body xmlns='" + nsBind + "' rid='100' to='example.org'/>")
		<-got.done
		if body := got.w.Body.String(); attr(t, body, "condition") != "system-shutdown" {
			t.Error(body)
		}
	})
	t.Run("WebSocket", func(t *testing.T) {
		srv := httptest.NewServer(newSide(t, stopped).h)
		defer srv.Close()
		ws, _, err := websocket.Dial(t.Context(), srv.URL+"/ws", &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		if _, _, err := ws.Read(t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
			t.Error("it ended in good order:", err)
		}
	})
}
