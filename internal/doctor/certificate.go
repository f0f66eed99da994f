package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mirsal/internal/certs"
)

// certificate looks at the files that the server's certificate is in.
func (e *exam) certificate(context.Context) []Finding {
	dir, t := filepath.Join(e.cfg.Data, "tls"), &e.cfg.TLS
	switch {
	case t.Cert != "":
		return e.chain(t.Cert, t.Key, "Put the right files there, or name others by tls.cert and tls.key.")
	case t.ACME:
		return e.byACME(dir)
	}
	cert := filepath.Join(dir, "cert.pem")
	if _, err := os.Stat(cert); errors.Is(err, fs.ErrNotExist) {
		return []Finding{{"certificate.file", "", Notice, "There is no certificate yet; the first start makes a CA of the server's own and a certificate under it.",
			"Clients have to be given " + absolute(filepath.Join(dir, "ca.pem")) + " then. For a public domain, take one by ACME: tls.acme = true."}}
	}
	list := e.chain(cert, filepath.Join(dir, "key.pem"), "Restore it, or move the folder "+absolute(dir)+" away; the next start makes a new CA, which clients have to be given anew.")
	level := Notice
	if e.isLocal() {
		level = OK
	}
	return append(list, Finding{"certificate.ca", "", level, "The certificate is of the server's own CA, which no client knows by itself.",
		"Give clients " + absolute(filepath.Join(dir, "ca.pem")) + " to trust: it is good for this domain only."})
}

// acme is the configuration of ACME as certs has it.
func (e *exam) acme() certs.ACMEConfig {
	t := &e.cfg.TLS
	return certs.ACMEConfig{Directory: t.ACMEDirectory, CA: t.ACMECA, Email: t.ACMEEmail, Terms: t.ACMETerms}
}

func (e *exam) byACME(dir string) []Finding {
	path := e.acme().File(dir, certs.ASCII(e.domain))
	_, err := os.Stat(path)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && e.waits():
		return []Finding{{"certificate.file", "", Problem, "There is no certificate yet: the server is obtaining it by ACME, and refuses TLS until it has it.", e.howItGoes()}}
	case missing:
		return []Finding{{"certificate.file", "", Problem, "There is no certificate yet: it is obtained by ACME once the server runs, and until then nobody can connect.",
			"Start the server and read its log, which has the ACME server's own reasons. The findings on DNS and ports below are what it needs."}}
	}
	return e.chain(path, path, "Move it away; the server then obtains another.")
}

// chain looks at a certificate with its chain and its key.
func (e *exam) chain(certFile, keyFile, remedy string) []Finding {
	certs, err := readChain(certFile)
	if err != nil {
		return []Finding{{"certificate.file", "", Problem, "The certificate cannot be read: " + err.Error() + ".", remedy}}
	}
	list := []Finding{{"certificate.file", "", OK, "The certificate is in " + absolute(certFile) + ", issued by " + issuer(certs[0]) + ".", ""}}
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		return append(list, Finding{"certificate.key", "", Problem, fmt.Sprintf("The key in %s does not go with it: %v.", absolute(keyFile), err), remedy})
	}
	list = append(list, e.names(certs[0])...)
	list = append(list, e.ending(certs[0]))
	return append(list, e.trust(certs, certFile)...)
}

// readChain reads all certificates of a file, the server's first.
func readChain(path string) (list []*x509.Certificate, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for len(text) > 0 {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return list, nil
}

func issuer(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

// names tells which of the names that clients use are in the certificate.
func (e *exam) names(c *x509.Certificate) []Finding {
	domain := certs.ASCII(e.domain)
	if c.VerifyHostname(domain) != nil {
		remedy := "Get a certificate for " + domain + "."
		if e.cfg.TLS.Cert == "" {
			remedy = "If this is the data of another domain, name that domain. Else the next start makes a certificate that fits."
		}
		named := c.DNSNames[:min(len(c.DNSNames), 3)]
		return []Finding{{"certificate.names", "", Problem, fmt.Sprintf("The certificate does not name %s, so clients refuse it; it names %s.", domain, strings.Join(named, ", ")), remedy}}
	}
	if e.isLocal() || e.cfg.TLS.ACME { // each name has its own there
		return []Finding{{"certificate.names", "", OK, "It names " + domain + ".", ""}}
	}
	list := []Finding{{"certificate.names", "", OK, "It names " + domain + " and the services below it.", ""}}
	var missing []string
	for _, s := range []string{"conference." + domain, "upload." + domain} {
		if c.VerifyHostname(s) != nil {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		list[0].Text = fmt.Sprintf("It names %s. Nobody connects to %s, which it does not name: federation alone will need them.", domain, strings.Join(missing, ", "))
	}
	return append(list, e.links(c)...)
}

// links looks whether browsers and clients can fetch files where links lead.
func (e *exam) links(c *x509.Certificate) []Finding {
	at, err := url.Parse(e.cfg.Upload.PublicURL)
	if !e.cfg.Upload.Enabled || err != nil || at.Scheme != "https" || c.VerifyHostname(at.Hostname()) == nil {
		return nil
	}
	return []Finding{{"certificate.files", "", Notice, fmt.Sprintf("Links to files begin with %s, a name that is not in it.", at),
		"Unless a proxy with a certificate of its own answers there, have the name added at the next renewal."}}
}

// ending tells how long the certificate is still good.
func (e *exam) ending(c *x509.Certificate) Finding {
	now := e.Now()
	left := c.NotAfter.Sub(now)
	until := c.NotAfter.Local().Format(time.DateOnly)
	how := "Put a new one in its place; the server reads it within half a minute, or at SIGHUP."
	switch {
	case e.cfg.TLS.ACME:
		how = "The server renews it by itself while it runs; its log says what fails."
	case e.cfg.TLS.Cert == "":
		how = "The server renews it by itself while it runs, or at its next start."
	}
	if now.Before(c.NotBefore) {
		return Finding{"certificate.expiry", "", Problem, "It is not good before " + c.NotBefore.Local().Format(time.DateTime) + ", so the clock is probably wrong.", "Set the clock right."}
	}
	switch certs.SeverityOf(c, now) {
	case certs.Over:
		return Finding{"certificate.expiry", "", Problem, "It ended on " + until + "; clients refuse it.", how}
	case certs.Urgent:
		return Finding{"certificate.expiry", "", Problem, fmt.Sprintf("It ends on %s, in %s.", until, span(left)), how}
	case certs.Soon:
		return Finding{"certificate.expiry", "", Warning, fmt.Sprintf("It ends on %s, in %s.", until, span(left)), how}
	}
	return Finding{"certificate.expiry", "", OK, fmt.Sprintf("It is good until %s, for %s.", until, span(left)), ""}
}

func span(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// trust looks at what follows the certificate: without it, clients that know the
// CA cannot tell that they know it.
func (e *exam) trust(chain []*x509.Certificate, file string) []Finding {
	pool := x509.NewCertPool()
	for i, c := range chain[1:] {
		pool.AddCert(c)
		if !bytes.Equal(chain[i].RawIssuer, c.RawSubject) {
			return []Finding{{"certificate.chain", "", Warning, fmt.Sprintf("Certificate %d in %s did not issue the one before it.", i+2, absolute(file)),
				"Put them in order: the server's own first, then who issued it, and so on; the CA's root may be left out."}}
		}
	}
	if e.cfg.TLS.Cert == "" && !e.cfg.TLS.ACME {
		return nil // the own CA
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Intermediates: pool, Roots: e.Roots, CurrentTime: chain[0].NotBefore.Add(time.Second)})
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return []Finding{{"certificate.chain", "", OK, "Its chain leads to a CA that this machine trusts.", ""}}
	case errors.As(err, &unknown) && len(chain) == 1 && issuer(chain[0]) != chain[0].Subject.CommonName:
		return []Finding{{"certificate.chain", "", Warning, "The file has no certificate but the server's own, and who issued it is not known here.",
			"Give the whole chain (often called fullchain.pem) by tls.cert. With a CA of your own, clients have to be given its certificate."}}
	case errors.As(err, &unknown):
		return []Finding{{"certificate.chain", "", Notice, "Its chain leads to a CA that this machine does not trust.", "With a CA of your own, clients have to be given its certificate; else get one of a public CA."}}
	}
	return []Finding{{"certificate.chain", "", Warning, "Clients may refuse its chain: " + err.Error() + ".", "Get a certificate for servers from a CA that clients know."}}
}
