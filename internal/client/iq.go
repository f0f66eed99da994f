package client

import (
	"crypto/sha1" //nolint:gosec // XEP-0115 says so
	"encoding/base64"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
)

// nodeURI names this software in entity capabilities.
const nodeURI = "https://mirsal.chat"

// features is what this client understands, for disco#info; that of +notify is
// what the server pushes to it.
func (e *Engine) features() []string {
	f := []string{
		"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps", "urn:xmpp:ping",
		nsReceipts, nsMarkers, nsStates, nsCarbons, "urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0",
		"urn:xmpp:reply:0", "urn:xmpp:sid:0", "jabber:x:conference", "jabber:x:oob", nsBookmarks + "+notify", nsDisplayed + "+notify",
		nsNick + "+notify", nsAvatarMeta + "+notify", "urn:xmpp:ephemeral:0",
	}
	if !e.NoCalls {
		f = append(f, callFeatures()...)
	}
	f = append(f, e.keys.Features()...)
	slices.Sort(f)
	return slices.Compact(f)
}

// callFeatures are those by which programs see that somebody can be called.
// XEP-0167#support
func callFeatures() []string {
	return []string{jingle.NS, jingle.NSInvite, jingle.NSRTP, "urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:jingle:apps:rtp:video", jingle.NSICE, jingle.NSDTLS,
		jingle.NSFeedback, jingle.NSExtend, jingle.NSSource, jingle.NSGroup, jingle.NSCategory}
}

// info is the answer to disco#info, and what the hash is made of. XEP-0115 §5.1
func (e *Engine) info(node string) (payload []byte, hash string) {
	sum := sha1.New()
	io.WriteString(sum, "client/pc//"+e.Software+"<")
	b := []byte("<query xmlns='http://jabber.org/protocol/disco#info'")
	if node != "" {
		b = append(b, " node='"+esc(node)+"'"...)
	}
	b = append(b, "><identity category='client' type='pc' name='"+esc(e.Software)+"'/>"...)
	for _, f := range e.features() {
		io.WriteString(sum, f+"<")
		b = append(b, "<feature var='"+esc(f)+"'/>"...)
	}
	return append(b, "</query>"...), base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// presence says that we are here and what we understand.
func (e *Engine) presence() []byte {
	return []byte("<presence xmlns='jabber:client'>" + e.capsElement() + "</presence>")
}

func (e *Engine) capsElement() string {
	_, hash := e.info("")
	return "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='" + nodeURI + "' ver='" + hash + "'/>"
}

// request answers what others ask of this client. RFC 6120 §8.2.3: every
// request is answered, also one that is not understood.
func (e *Engine) request(s *conn.Stanza) {
	if !s.IsRequest() {
		return
	}
	// RFC 6121 §2.1.6: of the account itself, not of another device
	own := s.From.IsZero() || s.From == e.own
	q := s.Elem.First()
	switch {
	case s.Type == "set" && q.Is("jabber:iq:roster", "query") && own:
		e.rosterPush(q)
		e.reply(s, nil)
	case s.Type == "set" && q.NS() == "urn:xmpp:blocking" && own:
		e.blockPush(q)
		e.reply(s, nil)
	case s.Type == "set" && q.NS() == nsLink && (own || s.From.Bare() == e.own):
		e.linkRequest(s)
	case s.Type == "set" && q.Is(jingle.NS, "jingle") && e.callRequest(s, q):
	case !own && !e.mayAsk(s.From):
		e.refuseIQ(s)
	case s.Type == "get" && q.Is("urn:xmpp:ping", "ping"):
		e.reply(s, nil)
	case s.Type == "get" && q.Is("http://jabber.org/protocol/disco#info", "query") && strings.HasPrefix(q.Attr("node")+nodeURI, nodeURI):
		payload, _ := e.info(q.Attr("node"))
		e.reply(s, payload)
	default:
		e.refuseIQ(s)
	}
}

// mayAsk tells whether somebody may know that we are here: who hears so anyhow. To others
// we are what an address is where nobody is.
// RFC 6121 §8.5.3.2.1, XEP-0030#security
func (e *Engine) mayAsk(from jid.JID) bool {
	bare := from.Bare()
	return bare == e.own || from == e.own.DomainOnly() || e.knows(bare.String()) || e.rooms[bare.String()] != nil
}

func (e *Engine) refuseIQ(s *conn.Stanza) {
	e.send(stanza.ErrorReply(s.Head, stanza.Errorf(stanza.ServiceUnavailable, "")).Raw, 0)
}

func (e *Engine) reply(s *conn.Stanza, payload []byte) {
	e.send(stanza.ResultReply(s.Head, payload).Raw, 0)
}

// newID is a random id for a stanza.
func (e *Engine) newID() string {
	var b [12]byte
	if _, err := io.ReadFull(e.Rand, b[:]); err != nil {
		e.breakDown(err)
	}
	return hex.EncodeToString(b[:])
}
