package doctor

import (
	"fmt"
	"path/filepath"

	"mirsal/internal/config"
	"mirsal/internal/xmpp/jid"
)

// ownership is what the data says of whose it is.
type ownership struct {
	instead bool   // of what is configured, which is nothing, the data's domain is looked at
	other   string // than is configured, and a server refuses
}

// adopt takes the domain of the data where none is configured: a running server says
// it, and so does a certificate that one made for itself.
func (e *exam) adopt() {
	own := e.server.status.Domain
	if own == "" && e.cfg.Domain == config.Default().Domain {
		own = e.certified()
	}
	domain, err := jid.Parse(own)
	switch {
	case own == "" || err != nil || domain == e.domain:
	case e.cfg.Domain == config.Default().Domain:
		e.cfg.Domain, e.domain, e.of.instead = own, domain, true
	default:
		e.of.other = own
	}
}

// certified is the domain of the certificate under the server's own CA, "" for none.
func (e *exam) certified() string {
	if t := &e.cfg.TLS; t.Cert != "" || t.ACME {
		return ""
	}
	chain, err := readChain(filepath.Join(e.cfg.Data, "tls", "cert.pem"))
	if err != nil || len(chain[0].DNSNames) == 0 {
		return ""
	}
	return chain[0].DNSNames[0]
}

// whose tells of a domain that is not the configured one.
func (e *exam) whose() (f Finding, found bool) {
	switch {
	case e.of.instead:
		return Finding{"config.domain", "", Notice, fmt.Sprintf("No domain is configured; the data is that of %s, so this is what was looked at.", e.cfg.Domain),
			"Other settings may be missing too: give this command the --config and flags of `mirsal serve`."}, true
	case e.of.other != "":
		return Finding{"config.domain", "", Problem, fmt.Sprintf("The domain is %s, but the data is that of %s: a server does not start like this.", e.cfg.Domain, e.of.other),
			"Name the right domain, or another data folder with --data."}, true
	}
	return f, false
}
