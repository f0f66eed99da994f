package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsBind2 = "urn:xmpp:bind:0"
	nsFAST  = "urn:xmpp:fast:0"
)

// trySASL2 signs in in one step, asks for a token, and signs in by that.
func (e *exam) trySASL2(ctx context.Context) {
	const key, fast = "beyond.sasl2", "beyond.fast"
	w, err := e.again(ctx)
	if err != nil {
		e.unknown(key, "no further connection: %s", inWords(err))
		return
	}
	defer func() { w.end() }()
	_, offered := w.mechanisms()
	if len(offered) == 0 {
		e.missing(key, "SASL2 not offered")
		e.missing(fast, "not offered")
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 4*patience, errSilent)
	defer cancel()
	inline := w.features.Child(stream.NSSASL2, "authentication").Child(stream.NSSASL2, "inline")
	tokens := tokenMechanism(inline, w.bindings())
	device := e.device()
	end, err := e.sasl2(ctx, w, offered, device+asks(inline, tokens.mechanism))
	if err != nil {
		e.missing(key, "offered, but signing in fails: %s", e.refused(err))
		e.missing(fast, "no sign-in by SASL2")
		return
	}
	switch {
	case !inline.Child(nsBind2, "bind").OK():
		e.partly(key, "signed in by SASL2, without Bind 2")
	case !end.Child(nsBind2, "bound").OK():
		e.partly(key, "signed in by SASL2; Bind 2 announced, but no address came with it")
	default:
		e.works(key, "signed in and bound in one step")
	}
	e.tryToken(ctx, inline, tokens, end, device)
}

// device is the <user-agent/> of this program. Its id is made of the account's
// address, so that many runs are one device in the account's list.
func (e *exam) device() string {
	b := sha256.Sum256([]byte("mirsal conformance " + e.account.String()))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
	return "<user-agent id='" + id + "'><software>mirsal conformance</software><device>a test</device></user-agent>"
}

// asks are the elements beside the exchange.
func asks(inline xtok.Elem, token string) string {
	s := ""
	if inline.Child(nsBind2, "bind").OK() {
		s += "<bind xmlns='" + nsBind2 + "'><tag>conformance</tag></bind>"
	}
	if token != "" {
		s += "<request-token xmlns='" + nsFAST + "' mechanism='" + token + "'/>"
	}
	return s
}

// tokenMechanism is the best for tokens that both sides know; none is empty.
func tokenMechanism(inline xtok.Elem, bindings []sasl.Binding) attempt {
	var offered []string
	for m := range inline.Child(nsFAST, "fast").Children() {
		offered = append(offered, strings.TrimSpace(m.Text()))
	}
	for _, m := range sasl.TokenMechanisms(bindings) {
		if !slices.Contains(offered, m) {
			continue
		}
		a := attempt{mechanism: m}
		want := map[string]string{sasl.HTSHA256Exporter: sasl.TLSExporter, sasl.HTSHA256EndPoint: sasl.TLSServerEndPoint}[m]
		for _, b := range bindings {
			if b.Type == want {
				a.binding = b
			}
		}
		return a
	}
	return attempt{}
}

// sasl2 signs in by SCRAM and returns <success/>.
// XEP-0388 §2.3
func (e *exam) sasl2(ctx context.Context, w *wire, offered []string, children string) (xtok.Elem, error) {
	all := w.attempts(offered, e.o.AllowPlain)
	if e.way != nil { // the way that worked, where it is offered
		all = slices.DeleteFunc(all, func(a attempt) bool { return strings.HasSuffix(a.mechanism, "-PLUS") && e.way.binding == "" })
	}
	if len(all) == 0 {
		return xtok.Elem{}, noWay(offered)
	}
	x, err := e.start(w, all[0], offered)
	if err != nil {
		return xtok.Elem{}, err
	}
	out, _, err := x.Next(nil)
	if err != nil {
		return xtok.Elem{}, err
	}
	var h how
	end, err := w.converse(ctx, x, authenticate(all[0].mechanism, out, children), stream.NSSASL2, &h)
	if err != nil {
		return end, err
	}
	return end, proved(x, end.Child(stream.NSSASL2, "additional-data").Text())
}

func authenticate(mechanism string, initial []byte, children string) string {
	return "<authenticate xmlns='" + stream.NSSASL2 + "' mechanism='" + mechanism + "'><initial-response>" +
		base64.StdEncoding.EncodeToString(initial) + "</initial-response>" + children + "</authenticate>"
}

// tryToken signs in by the token that came, giving it back in the same step, and
// tries that it is good for nothing afterwards.
// XEP-0484 §3
func (e *exam) tryToken(ctx context.Context, inline xtok.Elem, by attempt, end xtok.Elem, device string) {
	const key = "beyond.fast"
	secret := end.Child(nsFAST, "token").Attr("token")
	switch {
	case !inline.Child(nsFAST, "fast").OK():
		e.missing(key, "not offered")
		return
	case by.mechanism == "":
		e.unknown(key, "offered, by no mechanism that is known here")
		return
	case secret == "":
		e.missing(key, "announced, but no token came")
		return
	}
	if err := e.byToken(ctx, by, secret, device, "<fast xmlns='"+nsFAST+"' count='1' invalidate='true'/>"); err != nil {
		e.missing(key, "a token came, but signing in by it fails: %s", tokenReason(err))
		return
	}
	if e.byToken(ctx, by, secret, device, "<fast xmlns='"+nsFAST+"' count='2'/>") == nil {
		e.partly(key, "%s: signed in by a token, but one given back is still good", by.mechanism)
		return
	}
	e.works(key, "%s: signed in by a token; given back, it is refused", by.mechanism)
}

func tokenReason(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.condition
	}
	return inWords(err)
}

func (e *exam) byToken(ctx context.Context, by attempt, secret, device, fast string) error {
	w, err := e.again(ctx)
	if err != nil {
		return err
	}
	defer w.end()
	if by.binding.Type != "" { // of this channel
		for _, b := range w.bindings() {
			if b.Type == by.binding.Type {
				by.binding = b
			}
		}
	}
	c, err := sasl.NewTokenClient(by.mechanism, e.account.Local(), []byte(secret), by.binding)
	if err != nil {
		return err
	}
	if err := w.send(authenticate(by.mechanism, c.First(), device+fast)); err != nil {
		return err
	}
	x, err := w.next(ctx)
	switch {
	case err != nil:
		return err
	case x.Is(stream.NSSASL2, "failure"):
		return readFailure(x)
	case !x.Is(stream.NSSASL2, "success"):
		return fmt.Errorf("instead of success came <%s/>", x.Local())
	}
	proof, err := base64.StdEncoding.DecodeString(strings.TrimSpace(x.Child(stream.NSSASL2, "additional-data").Text()))
	if err != nil {
		return err
	}
	return c.Verify(proof)
}
