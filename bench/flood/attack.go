package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/e2e/xmppclient"
)

// outcome is what the generator saw.
type outcome struct {
	Begun    atomic.Int64 // connections tried
	Skipped  atomic.Int64 // not tried: too many at a time
	NotOpen  atomic.Int64 // could not connect
	Answered atomic.Int64 // handshakes answered, connections kept to the end
	Closed   atomic.Int64 // closed by the server, or not answered
	Guesses  atomic.Int64 // passwords tried and refused
	Later    atomic.Int64 // guesses not even looked at (temporary-auth-failure)
}

func (a *outcome) numbers() map[string]int64 {
	return map[string]int64{
		"begun": a.Begun.Load(), "skipped": a.Skipped.Load(), "not_open": a.NotOpen.Load(), "answered": a.Answered.Load(),
		"closed": a.Closed.Load(), "guesses": a.Guesses.Load(), "guesses_put_off": a.Later.Load(),
	}
}

// attack is the generator: so many connections a second, for so long. It prints
// what it saw as JSON.
func attack(o *options) error {
	if err := onLoopback(o.addr); err != nil {
		return err
	}
	a := &attacker{o: o, tls: &tls.Config{
		InsecureSkipVerify: true, ServerName: domain, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}, NextProtos: []string{"xmpp-client"},
	}}
	var err error
	if a.hello, err = firstFlight(a.tls); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.flood)
	defer cancel()
	a.flood(ctx)
	return json.NewEncoder(os.Stdout).Encode(a.seen.numbers())
}

type attacker struct {
	o     *options
	tls   *tls.Config
	hello []byte
	seen  outcome
}

// flood begins connections at the rate until the time or the number is over.
func (a *attacker) flood(ctx context.Context) {
	const tick = 10 * time.Millisecond
	places := make(chan struct{}, a.o.together)
	var all sync.WaitGroup
	defer all.Wait()
	clock := time.NewTicker(tick)
	defer clock.Stop()
	start, n := time.Now(), 0
	for n < a.o.total {
		select {
		case <-clock.C:
		case <-ctx.Done():
			return
		}
		due := min(int(time.Since(start).Seconds()*float64(a.o.rate)), a.o.total)
		for ; n < due; n++ {
			select {
			case places <- struct{}{}:
				a.seen.Begun.Add(1)
				from := a.address(n)
				all.Go(func() { a.one(ctx, from); <-places })
			default:
				a.seen.Skipped.Add(1)
			}
		}
	}
	<-ctx.Done()
}

// address is whom the n-th connection comes from.
func (a *attacker) address(n int) net.IP {
	return net.IPv4(127, 9, byte(n%a.o.prefixes), byte(1+n/a.o.prefixes%250))
}

func (a *attacker) one(ctx context.Context, from net.IP) {
	if a.o.kind == guess {
		a.guess(ctx, from)
		return
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: a.o.hold}
	c, err := d.DialContext(ctx, "tcp", a.o.addr)
	if err != nil {
		a.seen.NotOpen.Add(1)
		return
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetLinger(0)
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	_ = c.SetDeadline(time.Now().Add(a.o.hold))
	if a.spoke(ctx, c) {
		a.seen.Answered.Add(1)
	} else {
		a.seen.Closed.Add(1)
	}
}

// spoke does what this flood is of, and tells whether the server went along.
func (a *attacker) spoke(ctx context.Context, c net.Conn) bool {
	switch a.o.kind {
	case handshake:
		_, _ = c.Write(a.hello)
		_, err := c.Read(make([]byte, 1))
		return err == nil
	case complete:
		return tls.Client(c, a.tls).HandshakeContext(ctx) == nil
	}
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// guess tries passwords on one connection for as long as the server lets it: every
// other time the victim's. The proof is made up, which spares the attacker the
// work that a password costs.
func (a *attacker) guess(ctx context.Context, from net.IP) {
	ctx, cancel := context.WithTimeout(ctx, a.o.hold)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: a.o.addr, From: from, Domain: domain, Direct: true, TLS: a.tls})
	if err != nil {
		a.seen.NotOpen.Add(1)
		return
	}
	defer c.Kill()
	for name := "alice"; ; name = strings.ToLower(rand.Text()) {
		condition, err := wrong(ctx, c, name)
		switch {
		case err != nil:
			a.seen.Closed.Add(1)
			return
		case condition == "temporary-auth-failure":
			a.seen.Later.Add(1)
		default:
			a.seen.Guesses.Add(1)
		}
	}
}

// wrong makes one attempt that must fail, and returns why it did. RFC 5802 §5
func wrong(ctx context.Context, c *xmppclient.Conn, name string) (condition string, err error) {
	first := "n,,n=" + name + ",r=" + rand.Text()
	for _, text := range []string{
		"<auth xmlns='" + xmppclient.NSSASL + "' mechanism='SCRAM-SHA-256'>" + base64.StdEncoding.EncodeToString([]byte(first)) + "</auth>", "",
	} {
		if text == "" {
			text = "<response xmlns='" + xmppclient.NSSASL + "'>" + base64.StdEncoding.EncodeToString([]byte(first)) + "</response>"
		}
		if err := c.Send(text); err != nil {
			return "", err
		}
		n, err := c.Next(ctx)
		if err != nil {
			return "", err
		}
		if n.Is(xmppclient.NSSASL, "challenge") {
			r, err := base64.StdEncoding.DecodeString(strings.TrimSpace(n.Text))
			if err != nil {
				return "", err
			}
			nonce, _, _ := strings.Cut(string(r), ",")
			first = "c=biws," + nonce + ",p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
			continue
		}
		if n.Is(xmppclient.NSSASL, "failure") && len(n.Children) > 0 {
			return n.Children[0].Name.Local, nil
		}
		return "", errors.New("neither challenge nor failure: " + n.Name.Local)
	}
	return "", errors.New("a second challenge")
}

// firstFlight is what a client says first in a handshake.
func firstFlight(config *tls.Config) ([]byte, error) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_ = tls.Client(far, config).Handshake()
		far.Close()
	}()
	head := make([]byte, 5) // type, version, length: RFC 8446 §5.1
	if _, err := io.ReadFull(near, head); err != nil {
		return nil, err
	}
	hello := make([]byte, 5+int(binary.BigEndian.Uint16(head[3:])))
	copy(hello, head)
	_, err := io.ReadFull(near, hello[5:])
	return hello, err
}
