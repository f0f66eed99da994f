package conn

import (
	"context"
	"io"
	"strconv"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// handshake takes a transport to a session. It knows what to sign in with and what
// to resume, and changes nothing of the Conn's.
type handshake struct {
	cfg    *Config
	t      Transport
	token  *Token // nil: the password
	resume string // "" for nothing
	h      uint32 // of what is resumed
	looks  bool   // somebody is looking
	spoilt func() // the server does not take the token

	features xtok.Elem
	proved   bool // the server has proved that it knows the account
}

// outcome is what a handshake came to.
type outcome struct {
	jid             jid.JID
	features, bound xtok.Elem
	token           *Token
	resumed         bool
	h               uint32 // what the server has of ours, of what was to be resumed
	counted         bool   // h is known
	sm              bool   // the server counts from now on
	id              string // to resume by
	csi             bool
	inactive        bool // it was told that nobody looks
	carbons         bool // they are on
}

// run negotiates. ctx bounds it.
func (n *handshake) run(ctx context.Context) (out outcome, err error) {
	stop := context.AfterFunc(ctx, func() { n.t.Close() })
	defer stop()
	if err := n.private(ctx); err != nil {
		return out, err
	}
	o := readOffer(n.features)
	if o.sasl2 {
		err = n.sasl2(&o, &out)
	} else {
		err = n.sasl1(&o)
	}
	if err == nil && out.jid.IsZero() {
		err = n.bind(&out)
	}
	if err != nil {
		return out, err
	}
	out.features = n.features
	out.csi = n.features.Child(nsCSI, "csi").OK() || out.csi
	return out, nil
}

// private opens the stream and makes it private: nothing of the account is said
// before.
func (n *handshake) private(ctx context.Context) error {
	if err := n.open(); err != nil || n.t.Security().Private {
		return err
	}
	starttls := n.features.Child(stream.NSTLS, "starttls")
	if !starttls.OK() || !n.t.Security().StartTLS {
		return &Refusal{Reason: Insecure, Words: "the server offers no encryption"}
	}
	// RFC 6120 §5.4.2
	e, err := n.ask([]byte("<starttls xmlns='" + stream.NSTLS + "'/>"))
	if err != nil {
		return err
	}
	if !e.Is(stream.NSTLS, "proceed") {
		return &Refusal{Reason: Insecure, Words: "the server refuses encryption"}
	}
	if err := n.t.StartTLS(ctx); err != nil {
		return err
	}
	return n.open()
}

// open begins a stream and reads its features.
func (n *handshake) open() error {
	h := stream.Header{To: n.cfg.Address.DomainOnly(), Lang: "en"}
	if n.t.Security().Private {
		h.From = n.cfg.Address // RFC 6120 §4.7.1: not in clear
	}
	if err := n.t.Open(h); err != nil {
		return err
	}
	ev, e, err := n.t.Read()
	switch {
	case err != nil:
		return err
	case ev != xtok.Open:
		return nonsense("the server does not begin a stream")
	case e.Attr("version") != "1.0": // RFC 6120 §4.7.5
		return nonsense("the server speaks another version of the protocol")
	}
	return n.readFeatures()
}

func (n *handshake) readFeatures() error {
	e, err := n.next()
	if err != nil {
		return err
	}
	if !e.Is(stream.NS, "features") {
		return nonsense("the server does not say what it offers")
	}
	n.features = e
	return nil
}

// next is the next element, a copy.
func (n *handshake) next() (xtok.Elem, error) {
	ev, e, err := n.t.Read()
	switch {
	case err != nil:
		return e, err
	case ev == xtok.Close:
		return e, io.EOF
	case ev != xtok.Element:
		return e, nonsense("the server begins a stream in a stream")
	case e.Is(stream.NS, "error"):
		return e, streamRefusal(e)
	}
	return own(e), nil
}

func (n *handshake) ask(b []byte) (xtok.Elem, error) {
	if err := n.t.Write(b); err != nil {
		return xtok.Elem{}, err
	}
	return n.next()
}

// prove notes that the server knows the account: from now on it may send more.
func (n *handshake) prove() {
	n.proved = true
	if t, ok := n.t.(interface{ widen() }); ok {
		t.widen()
	}
}

// bind resumes or binds by what stands in RFC 6120 §7 and XEP-0198 §5: a server
// that does not do so while it signs us in.
func (n *handshake) bind(out *outcome) error {
	sm := n.features.Child(nsSM, "sm").OK()
	if sm && n.resume != "" && !out.counted {
		if err := n.resumeAlone(out); err != nil || out.resumed {
			return err
		}
	}
	wish := ""
	if n.cfg.Tag != "" {
		wish = "<resource>" + string(xtok.Escape(nil, n.cfg.Tag)) + "</resource>"
	}
	e, err := n.request("bind", "<bind xmlns='"+stream.NSBind+"'>"+wish+"</bind>")
	if err != nil {
		return err
	}
	if !e.AttrIs("type", stanza.Result) {
		return &Refusal{Reason: Busy, Words: "the server gives us no session", Err: stanza.ReadError(e)}
	}
	if out.jid, err = n.mine(e.Child(stream.NSBind, "bind").Child(stream.NSBind, "jid").Text()); err != nil {
		return err
	}
	if sm {
		return n.enable(out)
	}
	return nil
}

// request sends an IQ of the negotiation's and waits for its answer; other stanzas
// cannot come yet, but for some that servers send early and that mean nothing then.
func (n *handshake) request(id, payload string) (xtok.Elem, error) {
	if err := n.t.Write([]byte("<iq xmlns='jabber:client' type='set' id='" + id + "'>" + payload + "</iq>")); err != nil {
		return xtok.Elem{}, err
	}
	for range 100 {
		e, err := n.next()
		if err != nil || e.Is(stanza.NSClient, "iq") && e.AttrIs("id", id) {
			return e, err
		}
	}
	return xtok.Elem{}, nonsense("the server does not answer")
}

// mine reads an address that the server says is ours.
func (n *handshake) mine(s string) (jid.JID, error) {
	j, err := jid.Parse(s)
	if err != nil || j.Bare() != n.cfg.Address {
		return jid.JID{}, &Refusal{Reason: Misbehaved, Words: "the server signed us in as somebody else", Err: err}
	}
	return j, nil
}

func (n *handshake) resumeElement() []byte {
	b := []byte("<resume xmlns='" + nsSM + "'")
	b = xtok.AppendAttr(b, "previd", n.resume)
	b = xtok.AppendAttr(b, "h", strconv.FormatUint(uint64(n.h), 10))
	return append(b, "/>"...)
}

// resumeAlone is XEP-0198 §5.
func (n *handshake) resumeAlone(out *outcome) error {
	e, err := n.ask(n.resumeElement())
	if err != nil {
		return err
	}
	n.readResumption(e, out)
	if !out.resumed && !e.Is(nsSM, "failed") {
		return nonsense("the server neither resumes nor refuses to")
	}
	return nil
}

// readResumption reads <resumed/> or <failed/>, which may tell how far the session
// had got.
func (n *handshake) readResumption(e xtok.Elem, out *outcome) {
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	out.h, out.counted = uint32(h), err == nil
	if e.Is(nsSM, "resumed") && err == nil && e.AttrIs("previd", n.resume) {
		out.resumed, out.sm, out.id = true, true, n.resume
	}
}

// enable is XEP-0198 §3.
func (n *handshake) enable(out *outcome) error {
	if err := n.t.Write([]byte("<enable xmlns='" + nsSM + "' resume='true'/>")); err != nil {
		return err
	}
	for range 100 {
		e, err := n.next()
		if err != nil || e.Is(nsSM, "failed") {
			return err
		}
		if e.Is(nsSM, "enabled") {
			readEnabled(e, out)
			return nil
		}
	}
	return nonsense("the server does not answer")
}

// mostID bounds what a server may have us keep and say again.
const mostID = 4096

func readEnabled(e xtok.Elem, out *outcome) {
	out.sm = true
	if id := e.Attr("id"); len(id) <= mostID && (e.AttrIs("resume", "true") || e.AttrIs("resume", "1")) {
		out.id = id
	}
}

// readToken reads a token that the server has issued.
// XEP-0484 §3.3
func readToken(e xtok.Elem, mech string) *Token {
	secret := e.Attr("token")
	if !e.OK() || secret == "" || len(secret) > mostID {
		return nil
	}
	expiry, err := stanza.ParseTime(e.Attr("expiry"))
	if err != nil {
		expiry = time.Time{}
	}
	return &Token{Mechanism: mech, Secret: secret, Expiry: expiry}
}
