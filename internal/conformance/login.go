package conformance

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// refusal is an authentication that the server refused.
type refusal struct{ condition, text string }

func (r *refusal) Error() string {
	if r.text != "" {
		return r.condition + " (" + r.text + ")"
	}
	return r.condition
}

// how is the way that somebody signed in.
type how struct {
	mechanism string
	binding   string // type of channel binding, "" for none
	first     string // SCRAM's first message of the server
	tried     string // what did not work before, in words
}

// attempt is one way to try.
type attempt struct {
	mechanism string
	binding   sasl.Binding
}

// mechanisms of the stream: SASL (RFC 6120 §6.3.3) and SASL2 (XEP-0388).
func (w *wire) mechanisms() (one, two []string) {
	for c := range w.features.Child(stream.NSSASL, "mechanisms").Children() {
		one = append(one, strings.TrimSpace(c.Text()))
	}
	for c := range w.features.Child(stream.NSSASL2, "authentication").Children() {
		if c.Local() == "mechanism" {
			two = append(two, strings.TrimSpace(c.Text()))
		}
	}
	return one, two
}

// bindingTypes are those that the server says it knows; nil when it says nothing.
// XEP-0440
func (w *wire) bindingTypes() (types []string) {
	for c := range w.features.Child(stream.NSBinding, "sasl-channel-binding").Children() {
		types = append(types, c.Attr("type"))
	}
	return types
}

// bindings are the ones that this side can make of the channel, best first.
func (w *wire) bindings() (list []sasl.Binding) {
	if w.secure == nil {
		return nil
	}
	// RFC 9266 §4.2: with TLS 1.2 it is unique only with the extended master secret
	if w.secure.Version >= tls.VersionTLS13 {
		if b, err := w.secure.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
			list = append(list, sasl.Binding{Type: sasl.TLSExporter, Data: b})
		}
	}
	return append(list, sasl.Binding{Type: sasl.TLSServerEndPoint, Data: endPoint(w.secure.PeerCertificates[0])})
}

// endPoint hashes a certificate.
// RFC 5929 §4.1
func endPoint(c *x509.Certificate) []byte {
	switch c.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		s := sha512.Sum384(c.Raw)
		return s[:]
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		s := sha512.Sum512(c.Raw)
		return s[:]
	}
	s := sha256.Sum256(c.Raw)
	return s[:]
}

// attempts are the ways to sign in on this stream, best first. A server that
// does not say which bindings it knows is tried with the first that we know.
func (w *wire) attempts(offered []string, plain bool) (list []attempt) {
	told, ours := w.bindingTypes(), w.bindings()
	for _, b := range ours {
		if told != nil && !slices.Contains(told, b.Type) || told == nil && b.Type != ours[0].Type {
			continue
		}
		for _, m := range []string{sasl.SCRAMSHA256Plus, sasl.SCRAMSHA1Plus} {
			if slices.Contains(offered, m) {
				list = append(list, attempt{m, b})
			}
		}
	}
	list = list[:min(len(list), 1)]
	for _, m := range []string{sasl.SCRAMSHA256, sasl.SCRAMSHA1} {
		if slices.Contains(offered, m) {
			list = append(list, attempt{mechanism: m})
			break
		}
	}
	if len(list) == 0 && plain && slices.Contains(offered, "PLAIN") {
		list = append(list, attempt{mechanism: "PLAIN"})
	}
	return list
}

// exchange says the messages of one mechanism.
type exchange interface {
	Next(in []byte) (out []byte, done bool, err error)
}

// plainExchange is PLAIN (RFC 4616), which the person asked for.
type plainExchange struct{ user, password string }

func (p plainExchange) Next([]byte) ([]byte, bool, error) {
	return []byte("\x00" + p.user + "\x00" + p.password), true, nil
}

// start begins an exchange by one attempt.
func (e *exam) start(w *wire, a attempt, offered []string) (exchange, error) {
	if a.mechanism == "PLAIN" {
		return plainExchange{e.account.Local(), e.password}, nil
	}
	c, err := sasl.NewClient(a.mechanism, e.account.Local(), e.password, a.binding)
	if err != nil {
		return nil, err
	}
	c.Offered(offered, w.bindingTypes())
	if w.secure != nil {
		c.TLSVersion(w.secure.Version)
	}
	return c, nil
}

// sasl signs in by RFC 6120 §6.4 and opens the stream anew.
func (e *exam) sasl(ctx context.Context, w *wire, a attempt) (how, error) {
	h := how{mechanism: a.mechanism, binding: a.binding.Type}
	offered, _ := w.mechanisms()
	x, err := e.start(w, a, offered)
	if err != nil {
		return h, err
	}
	out, _, err := x.Next(nil)
	if err != nil {
		return h, err
	}
	text := "<auth xmlns='" + stream.NSSASL + "' mechanism='" + a.mechanism + "'>" + base64.StdEncoding.EncodeToString(out) + "</auth>"
	end, err := w.converse(ctx, x, text, stream.NSSASL, &h)
	if err != nil {
		return h, err
	}
	if err := proved(x, end.Text()); err != nil {
		return h, err
	}
	return h, w.reopen(ctx)
}

// converse says an exchange's messages until the server succeeds.
func (w *wire) converse(ctx context.Context, x exchange, text, ns string, h *how) (xtok.Elem, error) {
	for range 5 {
		if err := w.send(text); err != nil {
			return xtok.Elem{}, err
		}
		e, err := w.next(ctx)
		if err != nil {
			return e, err
		}
		switch {
		case e.Is(ns, "success"):
			return e, nil
		case e.Is(ns, "failure"):
			return e, readFailure(e)
		case !e.Is(ns, "challenge"):
			return e, fmt.Errorf("instead of a challenge came <%s/>", e.Local())
		}
		in, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Text()))
		if err != nil {
			return e, err
		}
		if h.first == "" {
			h.first = string(in)
		}
		out, _, err := x.Next(in)
		if err != nil {
			return e, err
		}
		text = "<response xmlns='" + ns + "'>" + base64.StdEncoding.EncodeToString(out) + "</response>"
	}
	return xtok.Elem{}, errors.New("the exchange does not end")
}

// proved checks what comes with success: the server knows the password too.
// COMPAT: some servers say it in a last challenge, and then nothing.
func proved(x exchange, data string) error {
	if _, ok := x.(plainExchange); ok {
		return nil
	}
	in, err := base64.StdEncoding.DecodeString(strings.TrimSpace(data))
	if err != nil {
		return err
	}
	if len(in) == 0 {
		return errNoProof
	}
	_, done, err := x.Next(in)
	if err == nil && !done {
		return errNoProof
	}
	return err
}

var errNoProof = errors.New("it does not prove that it knows the password: it is not what it says, or somebody stands between")

func readFailure(e xtok.Elem) *refusal {
	r := &refusal{condition: "not-authorized"}
	for c := range e.Children() {
		switch {
		case c.Local() == "text":
			r.text = c.Text()
		case c.NS() == stream.NSSASL:
			r.condition = c.Local()
		}
	}
	return r
}

// signIn signs in on a stream just opened, by the best way that works. The
// stream that is returned may be another one: a refusal costs the connection.
func (e *exam) signIn(ctx context.Context, w *wire) (*wire, how, error) {
	offered, _ := w.mechanisms()
	all := w.attempts(offered, e.o.AllowPlain)
	if len(all) == 0 {
		w.end()
		return nil, how{}, noWay(offered)
	}
	if e.way != nil { // as it worked before
		same := func(a attempt) bool { return a.mechanism == e.way.mechanism && a.binding.Type == e.way.binding }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all = all[i : i+1]
		}
	}
	var tried []string
	var last error
	for i, a := range all {
		if i > 0 {
			w.close()
			var err error
			if w, err = e.again(ctx); err != nil {
				return nil, how{}, err
			}
		}
		h, err := e.sasl(ctx, w, a)
		if err == nil {
			h.tried = strings.Join(tried, ", ")
			return w, h, nil
		}
		tried, last = append(tried, a.mechanism), err
		if errors.Is(err, sasl.ErrDowngrade) || errors.Is(err, errNoProof) {
			break
		}
	}
	w.close()
	return nil, how{}, last
}

func noWay(offered []string) error {
	switch {
	case slices.Contains(offered, "PLAIN"):
		return errors.New("it wants to be sent the password itself (PLAIN); --allow-plain does that")
	case len(offered) == 0:
		return errors.New("it offers no way to sign in")
	}
	return errors.New("it offers no way to sign in that is known here, only " + strings.Join(offered, ", "))
}

// bind asks for an address on an authenticated stream.
// RFC 6120 §7.6
func (w *wire) bind(ctx context.Context, resource string) (jid.JID, error) {
	text := "<iq type='set' id='bind'><bind xmlns='" + stream.NSBind + "'><resource>" + esc(resource) + "</resource></bind></iq>"
	if err := w.send(text); err != nil {
		return jid.JID{}, err
	}
	e, err := w.next(ctx)
	if err != nil {
		return jid.JID{}, err
	}
	if !e.AttrIs("type", "result") {
		return jid.JID{}, fmt.Errorf("no address was given: %w", readError(e))
	}
	me, err := jid.Parse(e.Child(stream.NSBind, "bind").Child(stream.NSBind, "jid").Text())
	if err == nil && w.needsSession() {
		err = w.session(ctx)
	}
	return me, err
}

// needsSession tells whether the server still wants the session request that
// RFC 6120 left out.
func (w *wire) needsSession() bool {
	s := w.features.Child(stream.NSSession, "session")
	return s.OK() && !s.Child(stream.NSSession, "optional").OK()
}

func (w *wire) session(ctx context.Context) error {
	if err := w.send("<iq type='set' id='session'><session xmlns='" + stream.NSSession + "'/></iq>"); err != nil {
		return err
	}
	_, err := w.next(ctx)
	return err
}

func esc(s string) string { return string(xtok.Escape(nil, s)) }
