package webpush

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// Config is what a Client needs.
type Config struct {
	Key     Key
	Subject string // where operators of push services may write to: mailto: or https:
	// AllowPrivate lets endpoints have addresses of private networks. For tests.
	AllowPrivate bool
	TLS          *tls.Config   // nil: the system's certificate authorities
	Timeout      time.Duration // of a whole request; 0 means 15 s
}

// Client sends messages. Make it with NewClient.
type Client struct {
	cfg  Config
	http *http.Client
}

const (
	timeout   = 15 * time.Second
	maxAnswer = 4 << 10 // bytes of an answer's head, and of its body, that are read
)

// NewClient makes a client.
func NewClient(cfg Config) *Client {
	if cfg.Timeout == 0 {
		cfg.Timeout = timeout
	}
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	if !cfg.AllowPrivate {
		dialer.Control = publicOnly
	}
	return &Client{cfg: cfg, http: &http.Client{
		Timeout: cfg.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: cfg.TLS, ForceAttemptHTTP2: true, Proxy: nil,
			MaxResponseHeaderBytes: maxAnswer, MaxIdleConns: 32, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: cfg.Timeout, DisableCompression: true,
		},
		// an endpoint that sends us elsewhere would have us ask anything of anybody
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// errPrivate is for an endpoint on a network that is not the public one.
var errPrivate = errors.New("the endpoint's address is not public")

// publicOnly refuses to connect into private networks. It sees the address that is
// really connected to, whatever a name said before.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr().Unmap()) {
		return errPrivate
	}
	return nil
}

// private are the special networks that netip does not know by name; the last two
// lead to addresses of IPv4, private ones too.
// RFC 6890 §2.2
var private = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("::/96"),
}

func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range private {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Urgencies of RFC 8030 §5.3.
const (
	Normal = "normal"
	High   = "high"
)

// Message is one notification.
type Message struct {
	Payload []byte        // at most MaxPayload bytes
	TTL     time.Duration // how long the push service keeps it for a client that is away
	Urgency string
	Topic   string // of those with one topic the last is kept (RFC 8030 §5.4); at most 32 characters of base64url
}

// Outcome is what became of a message.
type Outcome uint8

// The outcomes.
const (
	Sent     Outcome = iota // the push service has it
	Gone                    // the subscription has ended: never again
	Refused                 // not this way: the same again will fail too
	NotNow                  // may work later
	NotThere                // no answer
)

// Result is an outcome and its reason in words.
type Result struct {
	Outcome Outcome
	Status  int           // of HTTP; 0 without an answer
	After   time.Duration // how long the push service wants to be left alone, 0 for as one likes
	Reason  string        // "" when sent
}

// Send sends a message once. It returns within the configured timeout.
func (c *Client) Send(ctx context.Context, s Subscription, m Message) Result {
	req, err := c.request(ctx, s, m)
	if err != nil {
		return Result{Outcome: Refused, Reason: err.Error()}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Result{Outcome: NotThere, Reason: unreachable(err)}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // lets the connection be used again
	resp.Body.Close()
	return judge(resp, time.Now())
}

// request makes the request.
// RFC 8030 §5
func (c *Client) request(ctx context.Context, s Subscription, m Message) (*http.Request, error) {
	body, err := s.encrypt(m.Payload)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, ErrEndpoint
	}
	who, err := c.cfg.Key.authorization(s.origin(), c.cfg.Subject, time.Now())
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", who)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Content-Encoding", "aes128gcm")
	req.Header.Set("TTL", strconv.Itoa(int(m.TTL/time.Second)))
	if m.Urgency != "" {
		req.Header.Set("Urgency", m.Urgency)
	}
	if m.Topic != "" {
		req.Header.Set("Topic", m.Topic)
	}
	req.Header.Set("User-Agent", "mirsal")
	return req, nil
}

// unreachable says why there is no answer, without the endpoint, which errors of
// net/http hold.
func unreachable(err error) string {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var wait net.Error
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate.Error()
	case errors.As(err, &dns):
		return "the push service's name is not known"
	case errors.As(err, &cert):
		return "the push service's certificate is not good"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wait) && wait.Timeout():
		return "the push service did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the push service refuses connections"
	}
	return "the push service cannot be reached"
}

// judge reads an answer.
// RFC 8030 §5, §7.3, §8.4
func judge(resp *http.Response, now time.Time) Result {
	r := Result{Status: resp.StatusCode, Reason: fmt.Sprintf("the push service answered %d", resp.StatusCode)}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		r.Outcome, r.Reason = Sent, ""
	case code == http.StatusNotFound || code == http.StatusGone:
		r.Outcome, r.Reason = Gone, r.Reason+": the subscription has ended"
	case code == http.StatusRequestEntityTooLarge:
		r.Outcome, r.Reason = Refused, r.Reason+": the notification is too long for it"
	case code == http.StatusTooManyRequests:
		r.Outcome, r.Reason, r.After = NotNow, r.Reason+": it wants fewer notifications", retryAfter(resp, now)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		r.Outcome, r.Reason = Refused, r.Reason+": it does not know this server for the one that the subscription is for"
	case code >= 500 || code == http.StatusRequestTimeout:
		r.Outcome, r.After = NotNow, retryAfter(resp, now)
	default:
		r.Outcome = Refused
	}
	return r
}

// maxAfter bounds what a push service may ask for.
const maxAfter = 24 * time.Hour

// retryAfter reads seconds or a date.
// RFC 9110 §10.2.3
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	h := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(h); err == nil {
		return min(max(0, time.Duration(min(n, 1<<20))*time.Second), maxAfter)
	}
	if at, err := http.ParseTime(h); err == nil {
		return min(max(0, at.Sub(now)), maxAfter)
	}
	return 0
}
