package core

import (
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Site is a host name that the server answers for besides its own domain: that
// of the rooms, of uploads, of a component. None of its addresses is an account.
//
// Requests to the name itself and to its bare addresses go to the handlers at
// Host and at Node, all else to the functions. These run on the sender's reader
// and may block on storage; a returned error goes back to the sender. Where one
// is nil, nobody is there. A function keeps a transit in order, and its sender
// waiting for the acknowledgement, by Router.Enter.
type Site struct {
	Name       jid.JID
	Host, Node Target

	Message  func(t *Transit) error
	Presence func(t *Transit) error
	// IQ takes requests to full addresses, and all results and errors.
	IQ func(t *Transit) error
	// Any, where set, takes every stanza instead of all of the above.
	Any func(t *Transit) error
}

// Site adds a host name. It panics on a name that is taken.
func (h *Host) Site(name jid.JID) *Site {
	if h.sites[name] != nil {
		panic("core: two sites at " + name.String())
	}
	s := &Site{Name: name, Host: h.target(), Node: h.target()}
	h.sites[name] = s
	return s
}

// target makes a new kind of address.
func (h *Host) target() Target {
	h.iq, h.disco = append(h.iq, map[xmlName]IQFunc{}), append(h.disco, &Disco{})
	return Target(len(h.iq) - 1)
}

// SiteIQFunc answers a request at any site's host or node.
type SiteIQFunc func(at Target, q *Query) ([]byte, error)

// SiteIQ answers get and set requests with this child at the hosts and nodes of
// all sites, where they have no handler of their own.
func (h *Host) SiteIQ(ns, local string, f SiteIQFunc) { add(h.siteIQ, ns, local, f) }

// Sites calls f for every site.
func (h *Host) Sites(f func(s *Site)) {
	for _, s := range h.sites {
		f(s)
	}
}

// Site is the site of an address, nil when it has none.
func (r *Router) Site(to jid.JID) *Site {
	if to.IsZero() || r.Local(to) {
		return nil
	}
	return r.host.sites[to.DomainOnly()]
}

// toSite hands a message or presence to a site.
func (r *Router) toSite(s *Site, t *Transit, f func(*Transit) error) {
	asked := t.Head // the site may write another
	err := r.pass(t)
	if err == nil {
		err = s.take(t, f)
	}
	if err != nil {
		r.refuse(t, &asked, err)
	}
	r.settle(t)
}

func (s *Site) take(t *Transit, f func(*Transit) error) error {
	switch {
	case t.Head.Kind == stanza.Presence && f == nil && binds(t.Head.Type):
		// nor is a component asked: its answer could change no roster
		return stanza.Errorf(stanza.FeatureNotImplemented, "there are no subscriptions between accounts and addresses at %s", s.Name)
	case s.Any != nil:
		return s.Any(t)
	case f != nil:
		return f(t)
	case t.Head.Kind == stanza.Presence:
		return nil
	}
	return stanza.Errorf(stanza.ServiceUnavailable, "")
}

// binds tells whether presence of a type would begin a subscription.
// RFC 6121 §3.1.3, §3.4
func binds(kind string) bool { return kind == stanza.Subscribe || kind == stanza.Subscribed }

// iqToSite hands an IQ to a site, or to the handler of a site's address. It must
// not overtake the sender's messages.
func (r *Router) iqToSite(s *Site, t *Transit) {
	if t.Session != nil {
		t.Session.settleFlight()
	}
	if s.Any != nil || !t.Head.IsRequest() || t.Head.To.IsFull() {
		if !t.Head.IsRequest() && r.answered(t) {
			return
		}
		asked := t.Head
		err := r.pass(t)
		if err == nil {
			err = s.take(t, s.IQ)
		}
		if err != nil {
			r.refuse(t, &asked, err)
		}
		return
	}
	if err := r.pass(t); err != nil {
		r.refuse(t, &t.Head, err)
		return
	}
	at := s.Node
	if t.Head.To.Local() == "" {
		at = s.Host
	}
	r.ask(t, at)
}

// Enter gives a transit a place in the log: then runs on the release goroutine,
// where it must not block, after everything that was entered before is durable,
// and with it the transit itself if it has owners. With the transit's Session set
// the sender is acknowledged behind it. What a transit without owners means
// happens in order, but leaves nothing in the log.
func (r *Router) Enter(t *Transit, then func(t *Transit)) {
	t.entered = true
	if t.Session != nil {
		t.Session.fly()
		if len(t.Owners) > 0 {
			t.Session.promise(t)
		}
	}
	t.release = func(t *Transit) {
		then(t)
		r.landed(t)
	}
	r.archive.Append(t)
}

// EnterSent is Enter for a message that its sender wrote, by way of a site, to one
// person: the sender's own archive keeps it as far as he lets it, and those of his
// sessions that others names are shown it, where they want copies. t.Edit says what is
// changed in it for that.
func (r *Router) EnterSent(t *Transit, others []*Session) {
	for _, f := range r.host.Keep {
		f(t)
	}
	t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
	r.Enter(t, func(t *Transit) {
		if t.Repeats {
			return
		}
		d := Delivery{router: r, transit: t, site: true, copies: others}
		for _, f := range r.host.Spread {
			f(t, &d)
		}
	})
}

// Posted is a message that the server or a site made, for a local account.
type Posted struct {
	Head    stanza.Head // from is the site's, to the account's
	Content []byte
	// By is the account, bare, that sent what it was made of, zero for none: what is
	// sent again by it is recognised.
	By jid.JID
	// Also are further sessions of the account that are given it, each under its
	// own address.
	Also []*Session
}

// Post sends a message that the server or a site made to a local account, by the
// walk of every message: blocks, archive, copies, and delivery later where the
// account is away. An error says why it goes nowhere.
func (r *Router) Post(h stanza.Head, content []byte) error {
	return r.HandOn(Posted{Head: h, Content: content})
}

// HandOn is Post of what somebody sent to a site.
func (r *Router) HandOn(p Posted) error {
	p.Head.Kind = stanza.Message
	st, e, err := stanza.Parse(stanza.New(p.Head, p.Content).Raw)
	if err != nil {
		return err
	}
	t := &Transit{Head: st.Head, Elem: e, Stanza: st, Time: time.Now(), By: p.By, also: p.Also}
	if err := r.screen(t); err != nil {
		return err
	}
	r.keepAndGo(t)
	return nil
}

// Consult asks an account on behalf of one who has an address of a site, which is h's
// from: answer is called with what the account's handlers reply, at once or later.
// e, the request, is valid during the call.
func (r *Router) Consult(h stanza.Head, e xtok.Elem, answer func(*stanza.Stanza)) {
	t := &Transit{Head: h, Elem: e, Time: time.Now(), reply: answer}
	if err := r.pass(t); err != nil {
		r.refuse(t, &t.Head, err)
		return
	}
	r.ask(t, Account)
}

// Accept takes a stanza that came from a site of its own stream, a component's:
// e is valid during the call. It returns the stream error for what the site
// may not send. Of addresses that are none the site hears in an error, as they may be
// made of what others wrote: where its own is malformed, at its name.
// XEP-0114 §3
func (r *Router) Accept(from *Site, e xtok.Elem) *stream.Error {
	head, err := stanza.ReadHead(e)
	if err != nil && head.From.IsZero() && e.Attr("from") != "" {
		head.From = from.Name
	}
	switch {
	case head.Kind == stanza.None:
		return &stream.Error{Condition: "unsupported-stanza-type"}
	case head.From.DomainOnly() != from.Name:
		return &stream.Error{Condition: "invalid-from"}
	case head.To.IsZero() && e.Attr("to") == "":
		return &stream.Error{Condition: "improper-addressing"}
	}
	t := &Transit{Head: head, Elem: e, Time: time.Now(), reply: r.Send}
	switch {
	case err != nil:
		r.refuse(t, &t.Head, err)
	case head.Kind == stanza.Message:
		r.message(t)
	case head.Kind == stanza.Presence:
		r.presence(t)
	default:
		r.iq(t)
	}
	return nil
}
