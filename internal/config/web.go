package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// HTTP is for the web side.
type HTTP struct {
	// Addresses (192.0.2.1) and networks (192.0.2.0/24) of proxies that are believed.
	TrustedProxies []string `toml:"trusted_proxies"`
	// The one kind of header by which they tell of their clients.
	Forwarded string `toml:"forwarded"`
}

// Values of HTTP.Forwarded.
const (
	XForwarded = "x-forwarded-for"
	RFC7239    = "forwarded"
)

// checkWeb refuses a public_url that no link can be built on, and proxies that
// are no addresses.
func (c *Config) checkWeb() error {
	u, err := c.Public()
	if err != nil || u != nil && !isPlace(u) {
		return fmt.Errorf("public_url: %q is not like https://chat.example.org, without a path", c.PublicURL)
	}
	if s := c.Outage.URL; s != "" {
		if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("outage.url: %q is not like https://status.example.org/mirsal.json", s)
		}
	}
	if k := c.HTTP.Forwarded; k != XForwarded && k != RFC7239 {
		return fmt.Errorf("http.forwarded: %q is neither %q nor %q", k, XForwarded, RFC7239)
	}
	_, err = c.HTTP.Trusted()
	return err
}

// isPlace tells whether a URL is a web server and no more.
func isPlace(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Path+u.RawQuery+u.Fragment == ""
}

// Public is PublicURL, nil when it is empty; a slash at its end is nothing.
func (c *Config) Public() (*url.URL, error) {
	if c.PublicURL == "" {
		return nil, nil
	}
	return url.Parse(strings.TrimSuffix(c.PublicURL, "/"))
}

// Trusted are the networks of the trusted proxies.
func (h *HTTP) Trusted() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range h.TrustedProxies {
		p, err := netip.ParsePrefix(s)
		if a, bad := netip.ParseAddr(s); bad == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf("http.trusted_proxies: %q is neither an address such as 192.0.2.1 nor a network such as 192.0.2.0/24", s)
		}
		all = append(all, p)
	}
	return all, nil
}
