package httpd

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"mirsal/internal/c2s"
)

// origin is where a request comes from.
type origin struct {
	addr  netip.AddrPort // the client; port 0 where a proxy has not told it
	https bool           // the client speaks TLS, to us or to a trusted proxy
	// local: the peer is this machine and nobody else asked through it, so that
	// nobody on the way can read it.
	local   bool
	proxied bool // a trusted proxy speaks for the client
}

// private tells whether nobody on the way can read what is said.
func (o *origin) private() bool { return o.https || o.local }

type originKey struct{}

func withOrigin(ctx context.Context, o *origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// originOf is what Guard has found out; every handler runs behind it.
func originOf(r *http.Request) *origin {
	return r.Context().Value(originKey{}).(*origin)
}

// Client is the address that a request behind Guard comes from.
func Client(r *http.Request) netip.AddrPort { return originOf(r).addr }

var errForwarded = errors.New("this request was forwarded by a proxy that the server does not know: its operator can name the proxy in http.trusted_proxies")

// origin believes the one kind of header by which trusted proxies tell of their
// clients, and refuses both kinds of everybody else: who may set them could claim to
// be this machine, or any other. The other kind, of a trusted proxy, is the client's
// own word, which the proxy has passed on without knowing it.
func (s *Server) origin(r *http.Request) (*origin, error) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil, errors.New("no address")
	}
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	o := &origin{addr: peer, https: r.TLS != nil, local: peer.Addr().IsLoopback()}
	if !forwarded(r.Header) {
		return o, nil
	}
	if !s.trusts(peer.Addr()) {
		return nil, errForwarded
	}
	o.local, o.proxied = false, true
	if err := s.believe(o, r.Header); err != nil {
		return nil, err
	}
	return o, nil
}

// forwarded tells whether a request claims to come from somebody else.
func forwarded(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.cfg.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// hop is one step of a request's way, as a proxy tells it.
type hop struct{ client, proto string }

// believe takes the client from the last hop that no trusted proxy is: what
// stands before it was written by the client.
func (s *Server) believe(o *origin, h http.Header) error {
	hops, header := xForwardedHops(h), "X-Forwarded-For"
	if s.cfg.RFC7239 {
		hops, header = forwardedHops(strings.Join(h.Values("Forwarded"), ",")), "Forwarded"
	}
	if len(hops) == 0 {
		// a proxy that does not say for whom it speaks
		return errors.New("the proxy does not say who asks: set " + header + " (http.forwarded)")
	}
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := clientAddr(hops[i].client)
		if !ok {
			return errors.New("the proxy does not say who asks: " + header + " holds no address")
		}
		o.addr = addr
		o.https = strings.EqualFold(hops[i].proto, "https")
		if !s.trusts(addr.Addr()) {
			break
		}
	}
	return nil
}

// xForwardedHops reads the way of a request, nearest to the client first.
func xForwardedHops(h http.Header) []hop {
	var hops []hop
	protos := list(h.Values("X-Forwarded-Proto"))
	clients := list(h.Values("X-Forwarded-For"))
	for i, c := range clients {
		hops = append(hops, hop{client: c, proto: nth(protos, i, len(clients))})
	}
	return hops
}

// nth is the scheme of hop i of n. Most proxies keep one scheme, that of the
// nearest hop, while the clients are a list.
func nth(protos []string, i, n int) string {
	switch {
	case len(protos) == n:
		return protos[i]
	case len(protos) > 0:
		return protos[len(protos)-1]
	}
	return ""
}

func list(values []string) []string {
	var all []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			all = append(all, strings.TrimSpace(part))
		}
	}
	return all
}

// forwardedHops does the same. RFC 7239 §4
func forwardedHops(v string) []hop {
	if v == "" {
		return nil
	}
	var hops []hop
	for _, element := range list([]string{v}) {
		var h hop
		for pair := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			value = strings.Trim(value, `"`)
			switch strings.ToLower(name) {
			case "for":
				h.client = value
			case "proto":
				h.proto = value
			}
		}
		hops = append(hops, h)
	}
	return hops
}

// clientAddr reads 192.0.2.1, 192.0.2.1:80, 2001:db8::1 and [2001:db8::1]:80.
func clientAddr(s string) (netip.AddrPort, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), 0), true
	}
	a, err := netip.ParseAddrPort(s)
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), err == nil
}

// via is what c2s is told of a stream that came with this request.
func (s *Server) via(r *http.Request, name string) c2s.Via {
	return c2s.Via{Name: name, Secure: originOf(r).private()}
}

// mayStream refuses a stream that could never log in, saying why.
func (s *Server) mayStream(w http.ResponseWriter, r *http.Request) bool {
	o := originOf(r)
	if o.private() || !s.cfg.RequireTLS {
		return true
	}
	why := "Use https."
	if o.proxied {
		why = "The proxy does not say that the client used https: set X-Forwarded-Proto."
	}
	http.Error(w, why, http.StatusForbidden)
	return false
}

// hostName is the name in a Host header, without its port and in small letters.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
