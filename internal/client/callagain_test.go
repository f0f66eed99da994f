package client

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
)

// speaks has the desk in a call that it has placed.
func (d *desk) speaks() (name string) {
	d.t.Helper()
	d.befriend(bob)
	name = d.must(&port.PlaceCall{Chat: bob}).(*port.Done).Call
	id := strings.TrimPrefix(name, bob+" ")
	d.gets(invites(bob+"/b", "proceed", id, ""))
	d.must(&port.CallDescribed{Call: name, SDP: described("actpass")})
	d.gets(asks(bob+"/b", sealedOffers("session-accept", id, "active", "")))
	d.must(&port.CallConnected{Call: name})
	d.questions("")
	d.told = nil
	return name
}

// restarts answers what the seat was asked for, and returns what that has sent.
func (d *desk) restarts(name, ufrag string) []jingle.Session {
	d.t.Helper()
	same(d.t, "the seat is told", d.ofCalls(), "seat: offer")
	d.must(&port.CallDescribed{Call: name, SDP: strings.Replace(described("actpass"), "a=ice-ufrag:abcd", "a=ice-ufrag:"+ufrag, 1)})
	return d.requested()
}

func TestARestartWithoutAConnectionIsMadeAnewWithOne(t *testing.T) {
	for _, resumed := range []bool{true, false} {
		bubble(t, func(t *testing.T, d *desk) {
			name := d.speaks()
			d.down()
			d.told = nil
			d.must(&port.CallNetwork{Call: name})
			if got := d.restarts(name, "away"); len(got) > 0 {
				t.Fatalf("without a connection is sent %+v", got)
			}
			d.pass(10 * time.Second)
			d.told = nil
			d.up(resumed)
			d.wait()
			got := d.restarts(name, "back")
			if len(got) != 1 || got[0].Action != jingle.TransportInfo || got[0].Contents[0].Transport.Ufrag != "back" {
				t.Errorf("resumed %v: it sends %+v", resumed, got)
			}
			d.pass(10 * time.Second)
			same(t, "what the seat is told later", d.ofCalls())
		})
	}
}

func TestARestartIsMadeAnewUntilTheirDeviceIsBack(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		name := d.speaks()
		tries := 0
		d.lie = func(q conn.Request) (string, bool) {
			ways := strings.Contains(string(q.Payload), "transport-info")
			if ways {
				tries++
			}
			return "error service-unavailable", ways && tries < 3
		}
		d.wire.lie = d.lie
		d.must(&port.CallNetwork{Call: name})
		for range 3 {
			d.restarts(name, "some")
			d.pass(sayAgain)
		}
		same(t, "the seat is told once it was heard", d.ofCalls())
		if tries != 3 {
			t.Errorf("it was said %d times", tries)
		}
	})
}
