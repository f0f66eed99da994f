package client

import (
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
)

func TestBeingOfflineIsToldWithItsReasonAndItsEnd(t *testing.T) {
	for _, reason := range []conn.Reason{conn.Unreachable, conn.Busy, conn.Policy, conn.Misbehaved, conn.BadCertificate, conn.HostUnknown, conn.Insecure} {
		bubble(t, func(t *testing.T, d *desk) {
			for range 3 { // each attempt that comes to nothing
				d.happens(&conn.Down{Err: &conn.Refusal{Reason: reason}, Retry: 7 * time.Second})
				d.wait()
				s := d.status()
				if s.State != "offline" || s.Failure == nil || s.Failure.Text == "" || s.Failure.Code == "" || !s.Retry.Equal(time.Now().Add(7*time.Second)) {
					t.Errorf("%s: %+v", reason, s)
				}
				time.Sleep(7 * time.Second)
			}
			d.up(false)
			if s := d.status(); s.State != "online" || s.Failure != nil || !s.Retry.IsZero() {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestWhoLooksDoesNotWait(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.down()
		d.must(&port.Attend{Here: true})
		if d.kicks != 1 {
			t.Errorf("%d kicks", d.kicks)
		}
		d.must(&port.Attend{Here: false})
		if d.kicks != 1 {
			t.Errorf("%d kicks of who looks away", d.kicks)
		}
	})
}

func TestTryNowMendsWhatWasRefusedIfItCan(t *testing.T) {
	for reason, again := range map[conn.Reason]bool{conn.Replaced: true, conn.BadCertificate: true, conn.HostUnknown: true,
		conn.Rejected: false, conn.Revoked: false, conn.AccountGone: false} {
		bubble(t, func(t *testing.T, d *desk) {
			d.happens(&conn.Refused{Err: &conn.Refusal{Reason: reason}})
			d.wait()
			wires := d.wires
			d.must(&port.Attend{Here: true})
			if (d.wires > wires) != again {
				t.Errorf("%s: connected anew: %v", reason, d.wires > wires)
			}
			if again {
				d.up(false)
			}
		})
	}
}

func TestWhoSignedOutStaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.must(&port.SignOut{})
		wires := d.wires
		d.must(&port.Attend{Here: true})
		if s := d.status(); s.State != "offline" || d.wires > wires {
			t.Errorf("%+v, connected anew: %v", s, d.wires > wires)
		}
	})
}
