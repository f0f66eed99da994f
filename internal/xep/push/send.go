package push

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/webpush"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// maxWorkers is how many pushes are under way at one time.
const maxWorkers = 16

// How long a push service keeps a notification for a device that it cannot reach.
const (
	lifeOfNote = 24 * time.Hour
	lifeOfRing = 45 * time.Second // who called has given up by then
)

// note is what one push says.
type note struct {
	Count   int    `json:"count"`             // messages since the device was here
	Pending int    `json:"pending,omitempty"` // subscription requests
	Call    bool   `json:"call,omitempty"`
	Test    bool   `json:"test,omitempty"`
	Sender  string `json:"sender,omitempty"`
	Body    string `json:"body,omitempty"`
}

// work sends what is in the queue, and ends with it.
func (f *Push) work() {
	for {
		r := f.next()
		if r == nil {
			return
		}
		if at, _, _ := f.locate(r); at == connected {
			f.mu.Lock()
			r.busy = false
			f.here(r, time.Now())
			f.mu.Unlock()
			continue
		}
		f.push(r)
	}
}

// next takes the next registration out of the queue; nil ends the worker.
func (f *Push) next() *registration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 || f.ctx.Err() != nil {
		f.workers--
		return nil
	}
	r := f.queue[0]
	f.queue[0] = nil
	f.queue = f.queue[1:]
	return r
}

// push sends a notification of what there is to say.
func (f *Push) push(r *registration) {
	f.mu.Lock()
	n := note{Count: r.count, Call: r.ring, Sender: r.sender, Body: r.body}
	r.owed, r.ring = false, false
	r.last, r.step = time.Now(), r.step+1
	f.mu.Unlock()
	f.send(r, n, func(res result) {
		f.mu.Lock()
		defer f.mu.Unlock()
		r.busy = false
		if r.removed {
			return
		}
		f.note(r, res)
		r.owed = r.owed || res.outcome == later
		f.schedule(r, time.Now())
	})
}

// send sends one notification and has f called once with what became of it, perhaps later.
func (f *Push) send(r *registration, n note, done func(result)) {
	opts, err := f.optionsOf(r)
	if err != nil {
		done(result{outcome: later, reason: "the registration cannot be read at the moment"})
		return
	}
	if n.Pending, err = f.cfg.Requests(f.ctx, r.owner); err != nil {
		n.Pending = 0 // a count is no reason not to wake anybody
	}
	if r.service == f.site {
		done(f.sendWeb(r, &opts, n))
		return
	}
	h := stanza.Head{Type: stanza.Set, From: r.owner, To: r.service}
	f.router.AskFrom(h, publish(r.node, &opts, n), func(_ xtok.Elem, err error) { done(published(err)) })
}

// optionsOf reads what is kept of a registration's options; an empty form where
// there are none.
func (f *Push) optionsOf(r *registration) (opts form.Form, err error) {
	it, err := f.regs.Get(f.ctx, r.owner.String(), r.id)
	if errors.Is(err, store.ErrNotFound) {
		return opts, nil // it ended meanwhile
	}
	var rec record
	if err == nil {
		err = json.Unmarshal(it.Value, &rec)
	}
	if err != nil || rec.Options == "" {
		return opts, err
	}
	e, err := xtok.Parse([]byte(rec.Options), xtok.Limits{})
	if err != nil {
		return opts, err
	}
	return form.Read(e)
}

// publish is the payload for an app server.
// XEP-0357#publishing
func publish(node string, opts *form.Form, n note) []byte {
	summary := form.Form{Kind: form.Submit, Of: nsSummary, Fields: []form.Field{
		{Var: "message-count", Values: []string{strconv.Itoa(n.Count)}},
		{Var: "pending-subscription-count", Values: []string{strconv.Itoa(n.Pending)}},
	}}
	for _, o := range []struct{ name, value string }{{"last-message-sender", n.Sender}, {"last-message-body", n.Body}} {
		if o.value != "" {
			summary.Fields = append(summary.Fields, form.Field{Var: o.name, Values: []string{o.value}})
		}
	}
	b := append([]byte("<pubsub xmlns='"+nsPubsub+"'><publish node='"), xtok.Escape(nil, node)...)
	b = append(b, "'><item><notification xmlns='"+ns+"'>"...)
	b = summary.Append(b)
	b = append(b, "</notification></item></publish>"...)
	if opts.Of != "" {
		b = append(b, "<publish-options>"...)
		b = append(opts.Append(b), "</publish-options>"...)
	}
	return append(b, "</pubsub>"...)
}

// published judges an app server's answer.
// XEP-0357#publishing
func published(err error) result {
	var se *stanza.StanzaError
	switch {
	case err == nil:
		return result{outcome: sent}
	case errors.Is(err, core.ErrNoAnswer):
		return result{outcome: later, reason: "the push service does not answer"}
	case !errors.As(err, &se):
		return result{outcome: later, reason: "the push service cannot be asked"}
	}
	res := result{outcome: refused, reason: "the push service answered " + string(se.Condition)}
	if se.Text != "" {
		res.reason += ": " + clean(se.Text)
	}
	switch {
	case se.Condition == stanza.ItemNotFound || se.Condition == stanza.Gone:
		res.outcome = gone
	case se.Kind == "wait" || se.Condition == stanza.RemoteServerTimeout || se.Condition == stanza.RemoteServerNotFound:
		res.outcome = later
	}
	return res
}

// clean bounds what a service says: it goes into the log and to people.
func clean(text string) string {
	const most = 200
	b := make([]rune, 0, most)
	for _, c := range text {
		if len(b) == most {
			break
		}
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		b = append(b, c)
	}
	return string(b)
}

// sendWeb sends by Web Push.
func (f *Push) sendWeb(r *registration, opts *form.Form, n note) result {
	sub, err := subscription(opts)
	if err != nil {
		return result{outcome: gone, reason: "the subscription is not there any more"}
	}
	payload, err := json.Marshal(n)
	if len(payload) > webpush.MaxPayload {
		n.Sender, n.Body = "", ""
		payload, err = json.Marshal(n)
	}
	if err != nil {
		return result{outcome: refused, reason: err.Error()}
	}
	m := webpush.Message{Payload: payload, TTL: lifeOfNote, Urgency: webpush.Normal, Topic: "messages"}
	if n.Test {
		m.Topic = "test" // it does not take the place of messages that wait for the device
	}
	if n.Call {
		m.TTL, m.Urgency, m.Topic = lifeOfRing, webpush.High, "call"
	}
	res := f.web.Send(f.ctx, sub, m)
	out := result{reason: res.Reason, after: res.After}
	switch res.Outcome {
	case webpush.Sent:
		out.outcome = sent
	case webpush.Gone:
		out.outcome = gone
	case webpush.Refused:
		out.outcome = refused
	default:
		out.outcome = later
	}
	return out
}
