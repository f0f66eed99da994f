package certs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pace is how long to wait before asking again. What follows a failure doubles.
type pace struct {
	first, most          time.Duration // the ACME server cannot be reached
	refused, refusedMost time.Duration // it refuses; it counts those, and stops listening after some
	look                 time.Duration // nothing failed: look what was renewed
	unknown              time.Duration // a service whose name is in no DNS
}

var usual = pace{
	first: 30 * time.Second, most: time.Hour,
	refused: 10 * time.Minute, refusedMost: 6 * time.Hour,
	look: time.Minute, unknown: time.Hour,
}

// hurry makes the names that wait for their next attempt try now.
func (i *issuer) hurry() {
	select {
	case i.now <- struct{}{}:
	default:
	}
}

// keep obtains the certificates and follows their renewal until ctx ends, one name
// after the other.
func (i *issuer) keep(ctx context.Context, c *Certs) {
	for _, n := range i.names {
		n.heard.until(ctx)
	}
	for ctx.Err() == nil {
		for _, n := range i.names {
			if now := time.Now(); !now.Before(n.next) {
				n.next = now.Add(i.attempt(ctx, c, n))
			}
		}
		i.sleep(ctx)
	}
}

func (i *issuer) sleep(ctx context.Context) {
	soonest := i.names[0].next
	for _, n := range i.names {
		if n.next.Before(soonest) {
			soonest = n.next
		}
	}
	t := time.NewTimer(time.Until(soonest))
	defer t.Stop()
	select {
	case <-t.C:
	case <-i.now:
		for _, n := range i.names {
			n.next = time.Time{}
		}
	case <-ctx.Done():
	}
}

// attempt sees to the certificate of one name and says when to look again.
func (i *issuer) attempt(ctx context.Context, c *Certs, n *issued) time.Duration {
	if c.current.Load().names[n.name] == nil && n != i.names[0] && !i.inDNS(ctx, n.name) {
		return i.pace.unknown
	}
	cert, err := i.get(ctx, n)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		return i.failed(c, n, err)
	}
	n.wait = 0
	if c.put(n.name, *cert) {
		n.told = n.heard.forget()
		c.log.Info("certificate obtained", "name", n.name, "ends", cert.Leaf.NotAfter.UTC(), "from", i.directory())
	} else if why, count := n.heard.last(); count > n.told {
		n.told = count
		c.metrics.failures.Inc()
		c.log.Warn("the certificate could not be renewed yet; the one in use stays", "name", n.name, "why", why)
	}
	return i.pace.look
}

// failed logs why there is no certificate, and says how long to wait.
func (i *issuer) failed(c *Certs, n *issued, err error) time.Duration {
	why, count := n.heard.last()
	first, most := i.pace.first, i.pace.most
	if count > n.told {
		// the ACME server's own words; err has none of them
		first, most = i.pace.refused, i.pace.refusedMost
		err = fmt.Errorf("%s: %s", i.directory(), why)
	}
	n.told = count
	n.wait = min(max(2*n.wait, first), most)
	c.metrics.failures.Inc()
	c.log.Error("no certificate could be obtained", "name", n.name, "err", err, "again", n.wait.String(), "remedy", "mirsal doctor looks at what ACME needs")
	n.heard.say(err.Error())
	i.startOver(n)
	return n.wait
}

// get asks for a certificate as a client's handshake would; that blocks until there
// is one, or it failed. Later it tells the renewed one.
func (i *issuer) get(ctx context.Context, n *issued) (*tls.Certificate, error) {
	type answer struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan answer, 1)
	m := n.manager.Load()
	go func() {
		cert, err := m.GetCertificate(&tls.ClientHelloInfo{
			ServerName: n.name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		})
		done <- answer{cert, err}
	}()
	select {
	case a := <-done:
		return a.cert, a.err
	case <-ctx.Done():
	}
	// its requests are broken off, so it ends at once, unless it sleeps before its
	// next try, which cannot do anything; autocert takes no context
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
	return nil, ctx.Err()
}

// hearing carries requests to the ACME server and listens for its reasons, which
// autocert does not hand on. Requests end with the context of Keep.
type hearing struct {
	next http.RoundTripper

	mu    sync.Mutex // held for a look
	ctx   context.Context
	why   string
	count int // of reasons heard
}

// Answers of an ACME server are small; reasons that are shown are cut.
const (
	answerMost = 1 << 20
	reasonMost = 400
)

func (h *hearing) until(ctx context.Context) {
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
}

func (h *hearing) say(why string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.why = why
	return h.count
}

// forget ends a complaint that no longer holds.
func (h *hearing) forget() int { return h.say("") }

// last is the reason heard last, and how many there were.
func (h *hearing) last() (why string, count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.why, h.count
}

// RoundTrip satisfies http.RoundTripper.
func (h *hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	h.mu.Lock()
	until := h.ctx
	h.mu.Unlock()
	if until != nil {
		defer context.AfterFunc(until, cancel)()
	}
	resp, err := h.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerMost))
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if why := reason(body); why != "" {
		h.mu.Lock()
		h.why, h.count = why, h.count+1
		h.mu.Unlock()
	}
	return resp, nil
}

// problem is how ACME tells what is wrong.
// RFC 7807 §3.1
type problem struct {
	Type   string `json:"type"`
	Detail string `json:"detail"`
}

// reason finds the problem in an answer: the answer itself, or that of a challenge
// that failed.
// RFC 8555 §6.7, §7.1.4
func reason(body []byte) string {
	var a struct {
		problem
		Error      problem `json:"error"`
		Challenges []struct {
			Type  string  `json:"type"`
			Error problem `json:"error"`
		} `json:"challenges"`
	}
	if json.Unmarshal(body, &a) != nil {
		return ""
	}
	for _, ch := range a.Challenges {
		if ch.Error.Detail != "" {
			return shown(ch.Type + ": " + ch.Error.Detail)
		}
	}
	// RFC 8555 §6.5: asked again at once
	if !strings.HasPrefix(a.Type, "urn:ietf:params:acme:error:") || strings.HasSuffix(a.Type, ":badNonce") {
		a.problem = problem{}
	}
	return shown(cmp.Or(a.Error.Detail, a.Detail))
}

func shown(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	if len(s) > reasonMost {
		s = strings.ToValidUTF8(s[:reasonMost], "") + "…"
	}
	return s
}
