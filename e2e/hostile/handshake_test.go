package hostile

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// R86: handshakes as fast as one network can ask for them, most of them not
// finished. Others make theirs all the while.
func TestHandshakeFlood(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "limits.enabled=true", "--set", "limits.exempt=", "--set", "limits.handshakes=2",
	}})
	s.Accounts(password, "alice", "bob", "carol")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	var flood sync.WaitGroup
	for i := range 8 {
		flood.Go(func() {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from(2, 1+i%2)}, Timeout: patience}
			for range 40 {
				raw, err := d.Dial("tcp", v.Addr("c2s-tls"))
				if err != nil {
					t.Error(err)
					return
				}
				c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"xmpp-client"}})
				if i%2 == 0 {
					_ = c.HandshakeContext(v.ctx)
				} else {
					_, _ = raw.Write(halfHello)
				}
				raw.Close()
			}
		})
	}
	for range 10 {
		c, err := xmppclient.Dial(v.ctx, xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain, From: from(9, 1)})
		if err != nil {
			t.Fatal("who comes from elsewhere:", err)
		}
		if err := c.Login(v.ctx, "carol", password); err != nil {
			t.Error(err)
		}
		c.Kill()
	}
	flood.Wait()
	within(t, "handshakes to be refused", func() bool {
		return v.counted(t, "mirsal_limits_refused_total", `budget="handshakes"`, `scope="address"`)
	})
	within(t, "the line to be empty", func() bool { return !v.counted(t, "mirsal_limits_waiting", `budget="handshakes"`) })
	v.undisturbed(t)
}

// halfHello is the beginning of a record that never ends.
var halfHello = []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
