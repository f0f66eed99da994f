package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// checkTLS refuses ways to a certificate that cannot lead to one.
func (c *Config) checkTLS() error {
	t := &c.TLS
	if (t.Cert == "") != (t.Key == "") {
		return fmt.Errorf("tls.cert and tls.key go together")
	}
	if !t.ACME {
		return nil
	}
	_, noIP := netip.ParseAddr(strings.Trim(c.Domain, "[]"))
	switch {
	case t.Cert != "":
		return fmt.Errorf("tls.acme and tls.cert exclude each other: the certificate is obtained, or given")
	case noIP == nil || !strings.Contains(strings.Trim(c.Domain, "."), "."):
		return fmt.Errorf("tls.acme needs a domain that an ACME server can look up, and the domain is %q", c.Domain)
	case !t.ACMETerms:
		return fmt.Errorf("tls.acme: read the terms of service of the ACME server (those of Let's Encrypt: https://letsencrypt.org/repository/) and accept them by tls.acme_terms = true")
	case t.ACMEEmail != "" && !strings.Contains(t.ACMEEmail, "@"):
		return fmt.Errorf("tls.acme_email: %q is no address such as admin@example.org", t.ACMEEmail)
	case c.Listen.HTTP.Off() && c.Listen.HTTPPlain.Off():
		return fmt.Errorf("tls.acme needs listen.http or listen.http_plain: an ACME server looks there who answers for the domain")
	}
	if u, err := url.Parse(t.ACMEDirectory); t.ACMEDirectory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("tls.acme_directory: %q is no https:// address", t.ACMEDirectory)
	}
	return nil
}
