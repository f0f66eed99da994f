package push

import (
	"time"

	"mirsal/internal/core"
	"mirsal/internal/webpush"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// enable has a device woken by a service, from now on.
// XEP-0357#enabling
func (f *Push) enable(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	service, node, err := f.target(q.Payload)
	if err != nil {
		return nil, err
	}
	rec := record{
		Service: service.String(), Node: node, Device: q.Session.Device, Resource: q.Session.JID.Resource(), Enabled: time.Now().Unix(),
	}
	if err := f.options(q.Payload, service, &rec); err != nil {
		return nil, err
	}
	r := f.made(q.Asker(), service, &rec)
	if err := f.store(q.Ctx, r, &rec); err != nil {
		return nil, err
	}
	if q.Session.Ended() {
		// its access may have been ended meanwhile
		f.drop(q.Asker(), "the session ended", func(o *registration) bool { return o == r })
	}
	return nil, nil
}

// target reads who is to be told, and refuses whom we cannot reach.
func (f *Push) target(e xtok.Elem) (service jid.JID, node string, err error) {
	if service, err = jid.Parse(e.Attr("jid")); err != nil {
		if !e.HasAttr("jid") {
			return service, "", stanza.Errorf(stanza.BadRequest, "the address of the push service is missing")
		}
		return service, "", stanza.Errorf(stanza.JIDMalformed, "the address of the push service is not one")
	}
	if node = e.Attr("node"); len(node) > maxNode {
		return service, "", stanza.Errorf(stanza.NotAcceptable, "the node is longer than %d bytes", maxNode)
	}
	return service, node, f.reachable(service)
}

// reachable refuses services that a notification would never come to. People of
// this server are no push services: they did not ask for it.
func (f *Push) reachable(service jid.JID) error {
	if service == f.site && !f.site.IsZero() {
		return nil
	}
	site := f.router.Site(service)
	switch {
	case site != nil && site.Any != nil:
		return nil
	case site != nil || f.router.Local(service):
		return stanza.Errorf(stanza.ItemNotFound, "there is no push service at %s", service)
	}
	return stanza.Errorf(stanza.RemoteServerNotFound,
		"notifications to %s cannot be delivered: this server does not federate yet, so only push services of its own work (%s, and components)", service, f.site)
}

// options reads the form with what the service wants to be given.
func (f *Push) options(e xtok.Elem, service jid.JID, rec *record) error {
	var opts form.Form
	if x := e.Child(form.NS, "x"); x.OK() {
		var err error
		if opts, err = form.Read(x); err != nil {
			return err
		}
		if opts.Kind != form.Submit || opts.Of != nsOptions {
			return stanza.Errorf(stanza.BadRequest, "the form is not one of publish-options")
		}
		rec.Options = string(opts.Append(nil))
	}
	if len(rec.Options) > maxOptions {
		return stanza.Errorf(stanza.NotAcceptable, "the options are longer than %d bytes", maxOptions)
	}
	if service != f.site {
		return nil
	}
	sub, err := subscription(&opts)
	if err != nil {
		return stanza.Errorf(stanza.NotAcceptable, "%s", err)
	}
	rec.Host = sub.Host()
	return nil
}

// subscription reads a browser's subscription out of the options.
func subscription(opts *form.Form) (webpush.Subscription, error) {
	return webpush.Parse(opts.Value("endpoint"), opts.Value("p256dh"), opts.Value("auth"))
}

// disable ends one registration, or all with a service.
// XEP-0357#disabling
func (f *Push) disable(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	service, err := jid.Parse(q.Payload.Attr("jid"))
	if err != nil {
		return nil, stanza.Errorf(stanza.BadRequest, "the address of the push service is missing")
	}
	node, one := q.Payload.Attr("node"), q.Payload.HasAttr("node")
	_, err = f.remove(q.Ctx, q.Asker(), func(r *registration) bool { return r.service == service && (!one || r.node == node) })
	return nil, err
}

// ended hears a service say that it takes no more notifications of an account. The
// message goes on to the account: it is not for us to decide who else wants it.
// XEP-0357 §8
func (f *Push) ended(t *core.Transit) error {
	if t.Head.Kind != stanza.Message || t.FromLocal() || !t.Head.Facts.Any(stanza.OtherChild) {
		return nil
	}
	e := t.Elem.Child(nsPubsub, "pubsub")
	if c := e.Child(nsPubsub, "affiliation"); !c.OK() || c.Attr("affiliation") != "none" || c.Attr("jid") != t.Head.To.Bare().String() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.find(t.Head.To.Bare(), idOf(t.Head.From, e.Attr("node"))); r != nil {
		f.note(r, result{outcome: gone, reason: "the push service takes no more notifications"})
	}
	return nil
}

// find is a registration by its id, or nil; under mu.
func (f *Push) find(bare jid.JID, id string) *registration {
	if a := f.of[bare]; a != nil {
		for _, r := range a.regs {
			if r.id == id {
				return r
			}
		}
	}
	return nil
}
