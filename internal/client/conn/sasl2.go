package conn

import (
	"encoding/base64"
	"slices"

	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// sasl2 signs in, and resumes or binds, in one exchange. A token that the server
// does not take gives way to the password, where there is one.
// XEP-0388 §2.3, XEP-0386 §3.2, XEP-0484 §3.4
func (n *handshake) sasl2(o *offer, out *outcome) error {
	err := n.sasl2Once(o, out)
	r := asRefusal(err)
	if r == nil || n.token == nil || r.Reason != Rejected && r.Reason != Revoked && r.Reason != NoMechanism || !o.takes(n.token, n.t.Security()) {
		return err
	}
	n.token = nil
	n.spoilt()
	if n.cfg.Password == "" {
		return err
	}
	return n.sasl2Once(o, out)
}

func (n *handshake) sasl2Once(o *offer, out *outcome) error {
	x, err := n.exchange(o)
	if err != nil {
		return err
	}
	first, err := x.first()
	if err != nil {
		return err
	}
	wanted := ""
	if x.token == nil && n.cfg.Device != "" {
		wanted = o.tokenMechanism(n.t.Security())
	}
	e, err := n.ask(n.authenticate(o, x, first, wanted))
	if err != nil {
		return err
	}
	if e, err = n.exchangeOf(x, stream.NSSASL2, e); err != nil {
		return err
	}
	data, err := decode(e.Child(stream.NSSASL2, "additional-data").Text())
	if err == nil {
		err = x.believe(data)
	}
	if err != nil {
		return err
	}
	n.prove()
	if wanted == "" {
		wanted = x.mech // a token is followed by one of its kind
	}
	out.token = readToken(e.Child(nsFast, "token"), wanted)
	if err := n.readSuccess(o, e, out); err != nil {
		return err
	}
	if out.resumed {
		// XEP-0198#inline-resume: no features follow; one that comes all the same is not heeded
		n.features = xtok.Elem{}
		return nil
	}
	// XEP-0388 §2.6.1: the stream goes on with new features
	return n.readFeatures()
}

// authenticate asks for everything at once.
func (n *handshake) authenticate(o *offer, x *exchange, first []byte, wanted string) []byte {
	b := []byte("<authenticate xmlns='" + stream.NSSASL2 + "' mechanism='" + x.mech + "'><initial-response>")
	b = base64.StdEncoding.AppendEncode(b, first)
	b = append(b, "</initial-response>"...)
	b = n.appendAgent(b)
	if x.token != nil {
		b = append(b, "<fast xmlns='"+nsFast+"'/>"...)
	}
	if wanted != "" {
		b = append(b, "<request-token xmlns='"+nsFast+"' mechanism='"+wanted+"'/>"...)
	}
	if o.resume && n.resume != "" {
		b = append(b, n.resumeElement()...)
	}
	if o.bind2 {
		b = n.appendBind(b, o)
	}
	return append(b, "</authenticate>"...)
}

// appendAgent tells who signs in.
func (n *handshake) appendAgent(b []byte) []byte {
	b = append(b, "<user-agent"...)
	b = xtok.AppendAttr(b, "id", n.cfg.Device)
	b = append(b, '>')
	b = xtok.AppendElement(b, "software", n.cfg.Software)
	b = xtok.AppendElement(b, "device", n.cfg.DeviceName)
	return append(b, "</user-agent>"...)
}

// appendBind binds, with everything on that can be.
func (n *handshake) appendBind(b []byte, o *offer) []byte {
	b = append(b, "<bind xmlns='"+nsBind2+"'>"...)
	b = xtok.AppendElement(b, "tag", n.cfg.Tag)
	if slices.Contains(o.with, nsCarbons) {
		b = append(b, "<enable xmlns='"+nsCarbons+"'/>"...)
	}
	if slices.Contains(o.with, nsSM) {
		b = append(b, "<enable xmlns='"+nsSM+"' resume='true'/>"...)
	}
	if slices.Contains(o.with, nsCSI) && !n.looks {
		b = append(b, "<inactive xmlns='"+nsCSI+"'/>"...)
	}
	return append(b, "</bind>"...)
}

// readSuccess reads what became of it all.
func (n *handshake) readSuccess(o *offer, e xtok.Elem, out *outcome) error {
	who, err := n.mine(e.Child(stream.NSSASL2, "authorization-identifier").Text())
	if err != nil {
		return err
	}
	if n.resume != "" {
		if r := e.Child(nsSM, "resumed"); r.OK() {
			n.readResumption(r, out)
		} else if f := e.Child(nsSM, "failed"); f.OK() {
			n.readResumption(f, out)
		}
	}
	out.csi = slices.Contains(o.with, nsCSI)
	if out.resumed {
		out.jid = who
		return nil
	}
	if out.bound = e.Child(nsBind2, "bound"); !out.bound.OK() {
		return nil // to be bound as RFC 6120 has it
	}
	if !who.IsFull() {
		return nonsense("the server does not say what it has bound")
	}
	out.jid = who
	out.carbons, out.inactive = slices.Contains(o.with, nsCarbons), out.csi && !n.looks
	if on := out.bound.Child(nsSM, "enabled"); on.OK() {
		readEnabled(on, out)
	}
	return nil
}
