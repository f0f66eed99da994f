package client

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/client/call"
	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// callSeals seals fingerprints for a person's devices, by OMEMO.
type callSeals struct {
	e   *Engine
	who jid.JID
}

// Own is of call.Seals.
func (s callSeals) Own() uint32 { return s.e.keys.ID() }

// Seal is of call.Seals.
func (s callSeals) Seal(device uint32, text string) (jingle.Sealed, error) {
	env, batch, err := s.e.keys.EncryptFor(s.who, device, text)
	switch {
	case errors.Is(err, e2ee.ErrWaiting):
		s.e.askKeysFor(s.who)
		return jingle.Sealed{}, call.ErrLater
	case errors.Is(err, e2ee.ErrUndecided), errors.Is(err, e2ee.ErrRefused):
		return jingle.Sealed{}, call.ErrDistrusted
	case err != nil:
		return jingle.Sealed{}, err
	}
	if !s.e.take(e2ee.Step{Batch: batch}) { // a ratchet's step is kept before it leaves
		return jingle.Sealed{}, s.e.broken
	}
	out := jingle.Sealed{Sender: env.Sender, IV: env.Payload.IV, Payload: env.Payload.Data}
	for _, k := range env.Keys {
		out.Keys = append(out.Keys, jingle.SealedKey{Device: k.Device, PreKey: k.PreKey, Data: k.Data})
	}
	return out, nil
}

// Open is of call.Seals.
func (s callSeals) Open(sealed *jingle.Sealed) (string, port.Lock, error) {
	env := omemo.Envelope{Sender: sealed.Sender, Payload: &omemo.Payload{IV: sealed.IV, Data: sealed.Payload}}
	for _, k := range sealed.Keys {
		env.Keys = append(env.Keys, omemo.Key{Device: k.Device, PreKey: k.PreKey, Data: k.Data})
	}
	el, err := xtok.Parse(env.Append(nil, omemo.Legacy), xtok.Limits{})
	if err != nil {
		return "", port.Lock{}, err
	}
	open, step, err := s.e.keys.Decrypt(e2ee.Incoming{From: s.who, Element: el, Aside: true})
	s.e.take(s.e.discreet(step))
	switch {
	case errors.Is(err, e2ee.ErrRefused), open.Proof.Lock.State == port.Changed:
		return "", open.Proof.Lock, call.ErrDistrusted
	case err != nil:
		return "", open.Proof.Lock, err
	case open.Duplicate || open.Empty:
		return "", open.Proof.Lock, e2ee.ErrUnreadable
	}
	return open.Text, open.Proof.Lock, nil
}

// askKeysFor asks for the keys of somebody whom we call.
func (e *Engine) askKeysFor(who jid.JID) {
	ask, _ := e.keys.Needs([]jid.JID{who})
	for _, r := range ask {
		e.askKeys(r)
	}
}

// callKeys has calls go on that have waited for a key.
func (e *Engine) callKeys() {
	for _, o := range e.calls.on {
		if do := o.Keys(); len(do) > 0 || o.Over() {
			e.carry(o, do)
		}
	}
}

const nsExternal = "urn:xmpp:extdisco:2"

// serversLast is how long servers that the server has named are not asked for again: their passwords
// live longer.
const serversLast = 5 * time.Minute

// askServers asks for what helps media to find its way; calls wait for the answer, also if there is none.
// XEP-0215 §3
func (e *Engine) askServers() {
	if e.Now().Before(e.calls.until) {
		e.giveServers()
		return
	}
	if e.calls.asking {
		return
	}
	e.calls.asking = true
	e.ask(conn.Request{To: e.own.DomainOnly(), Type: stanza.Get, Payload: []byte("<services xmlns='" + nsExternal + "'/>")}, func(s *conn.Stanza, err error) {
		e.calls.asking, e.calls.servers = false, nil
		if stanzaError(s, err) == nil {
			e.calls.servers, e.calls.until = serversIn(s.Elem.Child(nsExternal, "services")), e.Now().Add(serversLast)
		}
		e.giveServers()
	})
}

func (e *Engine) giveServers() {
	for _, o := range e.calls.on {
		e.carry(o, o.Gave(e.calls.servers))
	}
}

// mostServers bounds how many servers media is given.
const mostServers = 16

// serversIn are the STUN and TURN servers of a list, in its order.
// RFC 7064, RFC 7065
func serversIn(services xtok.Elem) (out []port.CallServer) {
	for s := range services.Children() {
		kind, host := s.Attr("type"), s.Attr("host")
		number, err := strconv.ParseUint(s.Attr("port"), 10, 16)
		if !s.Is(nsExternal, "service") || err != nil || number == 0 || !hostName(host) || len(out) >= mostServers {
			continue
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		c := port.CallServer{URLs: []string{kind + ":" + host + ":" + s.Attr("port")}}
		switch kind {
		case "stun":
		case "turn", "turns":
			if c.Username, c.Credential = s.Attr("username"), s.Attr("password"); c.Username == "" || c.Credential == "" {
				continue // a relay that nobody may use
			}
			if t := s.Attr("transport"); t == "udp" || t == "tcp" {
				c.URLs[0] += "?transport=" + t
			}
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// hostName tells whether a text is a name or an address, and nothing that a URL would take for more.
func hostName(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune("/?#@[]<>\"'&\\%", c)
	})
}
