package hostile

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Floods over HTTP, against a server with budgets that may open 400 files only.
func TestWebFloods(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Wrap: []string{"bash", "-c", `ulimit -n 400; exec "$@"`, "limited"}, Args: []string{
		"--http", "127.0.0.1:0", "--set", "c2s.require_tls=false", "--set", "c2s.negotiation=50s", "--set", "limits.enabled=true", "--set", "limits.exempt=",
		"--set", "limits.strangers=30", "--set", "limits.connections=50",
	}})
	s.Accounts(password, "alice", "bob", "carol")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"46 bodies that never come", testBodiesThatNeverCome},
		{"46 BOSH sessions that are never used", testUnusedSessions},
		{"46 requests as fast as can be", testRequestFlood},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

// browser asks over HTTPS from an address, on one connection at a time.
func browser(t *testing.T, ip net.IP) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}, Timeout: patience}
	tr := &http.Transport{DialContext: d.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}

// testBodiesThatNeverCome holds as many connections as it is given, from many
// addresses of many networks. Streams and pages go on.
func testBodiesThatNeverCome(t *testing.T, v *victim) {
	for n := range 600 {
		ctx, cancel := context.WithTimeout(v.ctx, patience/2)
		d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: from(20+n%20, 1+n%3)}}, Config: &tls.Config{InsecureSkipVerify: true}}
		c, err := d.DialContext(ctx, "tcp", v.Addr("http"))
		late := ctx.Err()
		cancel()
		if late != nil {
			t.Fatal("connections are neither let in nor refused: the files have run out")
		}
		if err != nil {
			continue // refused
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "POST /bosh HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\n", mirsal.Domain)
	}
	c, err := v.try(from(9, 1), "carol", password)
	if err != nil {
		t.Fatal("a stream:", err)
	}
	c.Kill()
	within(t, "a page to be shown", func() bool {
		answer, err := browser(t, from(9, 2)).Get("https://" + v.Addr("http") + "/")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	if strings.Contains(v.Log(), "too many open files") {
		t.Error("the files ran out")
	}
}

func testUnusedSessions(t *testing.T, v *victim) {
	begin := func(b *http.Client, rid int) bool {
		answer, err := b.Post("https://"+v.Addr("http")+"/bosh", "text/xml", strings.NewReader(
			fmt.Sprintf("<body xmlns='%s' rid='%d' to='%s' wait='0'/>", xmppclient.NSBOSH, rid, mirsal.Domain)))
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		got, _ := io.ReadAll(answer.Body)
		return strings.Contains(string(got), " sid=") && !strings.Contains(string(got), "terminate")
	}
	v.bounded(t, 64<<20, 0, func() {
		b, let, begun := browser(t, from(30, 1)), 0, time.Now()
		for n := range 200 {
			if begin(b, n+1) {
				let++
			}
		}
		if most := 30 * (1 + int(time.Since(begun)/(5*time.Second))); let > most {
			t.Errorf("one address has had %d sessions without a login", let)
		}
	})
	if !begin(browser(t, from(31, 1)), 1) {
		t.Error("who comes from elsewhere is refused")
	}
	within(t, "a newcomer of the same address to be let in", func() bool { return begin(browser(t, from(30, 1)), 1) })
}

func testRequestFlood(t *testing.T, v *victim) {
	ask := func(b *http.Client) int {
		answer, err := b.Get("https://" + v.Addr("http") + "/.well-known/host-meta")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	b, codes := browser(t, from(40, 1)), map[int]int{}
	for range 20_000 {
		if codes[ask(b)]++; codes[http.StatusTooManyRequests] > 0 {
			break
		}
	}
	if codes[http.StatusTooManyRequests] == 0 || codes[http.StatusOK] < 1000 {
		t.Errorf("answers: %v", codes)
	}
	if code := ask(browser(t, from(41, 1))); code != http.StatusOK {
		t.Errorf("elsewhere: %d", code)
	}
}
