package pubsub

import (
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// refusals are those entries of a request that could not be: what the request does not
// hear of was done.
// XEP-0060#owner-affiliations-multi, XEP-0060#owner-subscriptions-multi
type refusals struct {
	list  []byte // each as it was and stays
	first error  // why the first could not
}

func (f *refusals) add(entry []byte, why error) {
	if f.first == nil {
		f.first = why
	}
	f.list = append(f.list, entry...)
}

// err tells of them, nil of none; name is the list's, asked how many entries there
// were: a single one hears its own reason.
func (f *refusals) err(r *request, name string, asked int) error {
	if f.first == nil {
		return nil
	}
	e := *stanza.AsError(f.first)
	if asked > 1 {
		e = *stanza.Errorf(stanza.NotAcceptable, "%s", e.Text)
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsOwner+"'><"+name), "node", r.node)
	e.Beside = append(append(append(b, '>'), f.list...), "</"+name+"></pubsub>"...)
	return &e
}
