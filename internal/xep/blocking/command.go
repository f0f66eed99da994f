package blocking

import (
	"crypto/rand"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// ns is the namespace of the commands, nsReport that of reports within them.
const (
	ns       = "urn:xmpp:blocking"
	nsReport = "urn:xmpp:reporting:1"
)

// own refuses requests about other accounts, in the words of one that is not
// there, and those of the wrong type.
func own(q *core.Query, set bool) error {
	switch {
	case !q.Own():
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set() != set:
		return stanza.Errorf(stanza.BadRequest, "a block list is got, blocks are set")
	}
	return nil
}

// directly is how many bytes of list are put into the queue at once; a longer
// one waits until the queue is short.
const directly = 64 << 10

// get answers with the list; from now on the session hears of changes.
// XEP-0191#blocklist
func (b *Blocking) get(q *core.Query) ([]byte, error) {
	if err := own(q, false); err != nil {
		return nil, err
	}
	owner := q.Asker()
	defer b.lock(owner)()
	l := b.of(owner)
	all := make([]jid.JID, 0, len(l))
	for j := range l {
		all = append(all, j)
	}
	slices.SortFunc(all, func(x, y jid.JID) int { return strings.Compare(x.String(), y.String()) })
	q.Session.SetFlag(core.BlockList, true)
	answer := appendItems(nil, "blocklist", all)
	if len(answer) > directly {
		q.Session.Feed(&once{core.Bytes(q.Result(answer).Raw)})
	} else {
		q.Reply(answer, nil)
	}
	return nil, core.ErrLater
}

// once is a source of one packet.
type once struct{ packet core.Packet }

// Next hands the packet out, then nothing.
func (o *once) Next() []core.Packet {
	if o.packet.Segments == nil {
		return nil
	}
	p := o.packet
	o.packet = core.Packet{}
	return []core.Packet{p}
}

// block adds to the list.
// XEP-0191#block
func (b *Blocking) block(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	owner := q.Asker()
	items, err := readItems(q.Payload)
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, stanza.Errorf(stanza.BadRequest, "nobody is named to be blocked")
	case slices.ContainsFunc(items, func(j jid.JID) bool { return j.Bare() == owner }):
		return nil, stanza.Errorf(stanza.NotAllowed, "one cannot block oneself")
	}
	if err := b.add(q, items); err != nil {
		return nil, err
	}
	b.report(q)
	return nil, core.ErrLater
}

// report hands over what the command reports of those whom it blocked.
// XEP-0377#blocking
func (b *Blocking) report(q *core.Query) {
	if b.OnReport == nil {
		return
	}
	for c := range q.Payload.Children() {
		r := c.Child(nsReport, "report")
		if j, err := jid.Parse(c.Attr("jid")); c.Is(ns, "item") && r.OK() && err == nil {
			b.OnReport(q.Ctx, q.Asker(), j, r)
		}
	}
}

// add makes a block and answers.
func (b *Blocking) add(q *core.Query, items []jid.JID) error {
	owner := q.Asker()
	defer b.lock(owner)()
	was := b.of(owner)
	now, fresh := was.with(items)
	if len(now) > maxItems || now.bytes() > maxBytes {
		return stanza.Errorf(stanza.ResourceConstraint, "a block list holds at most %d addresses, and %d KiB of them", maxItems, maxBytes>>10)
	}
	if len(fresh) > 0 {
		if err := b.write(q, fresh, b.set); err != nil {
			return err
		}
		newly := func(j jid.JID) bool { return j.Bare() != owner && now.match(j) && !was.match(j) }
		b.people.Part(owner, newly, func() { b.put(owner, now) })
	}
	b.done(q, "block", items)
	return nil
}

// unblock takes from the list; naming nobody empties it.
// XEP-0191#unblock, XEP-0191#unblockall
func (b *Blocking) unblock(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	owner := q.Asker()
	items, err := readItems(q.Payload)
	if err != nil {
		return nil, err
	}
	defer b.lock(owner)()
	was := b.of(owner)
	less := items
	if len(items) == 0 {
		for j := range was {
			less = append(less, j)
		}
	}
	now, gone := was.without(less)
	if len(gone) > 0 {
		if err := b.write(q, gone, b.bucket.Unset); err != nil {
			return nil, err
		}
		again := func(j jid.JID) bool { return was.match(j) && !now.match(j) }
		b.people.Reunite(owner, gone, again, func() { b.put(owner, now) })
	}
	b.done(q, "unblock", items)
	return nil, core.ErrLater
}

func (b *Blocking) set(address string) store.Op { return b.bucket.Set(address, nil) }

// write makes a change durable.
func (b *Blocking) write(q *core.Query, changed []jid.JID, op func(string) store.Op) error {
	ops := make([]store.Op, len(changed))
	for i, j := range changed {
		ops[i] = op(j.String())
	}
	return b.kv.Apply(q.Ctx, q.Asker().String(), ops...)
}

// done answers, and tells the devices that have asked for the list; under the
// account's lock.
// XEP-0191#block
func (b *Blocking) done(q *core.Query, name string, items []jid.JID) {
	q.Reply(nil, nil)
	payload := appendItems(nil, name, items)
	for _, s := range b.router.Directory().Sessions(q.Asker()) {
		if s.Flag(core.BlockList) {
			h := stanza.Head{Kind: stanza.IQ, Type: stanza.Set, ID: "b" + rand.Text()[:12], To: s.JID}
			s.PushStanza(stanza.New(h, payload))
		}
	}
}

// readItems are the addresses that a command names, each once. What else an item
// holds is not looked at here.
func readItems(command xtok.Elem) ([]jid.JID, error) {
	var items []jid.JID
	seen := list{}
	for c := range command.Children() {
		if !c.Is(ns, "item") {
			continue
		}
		j, err := jid.Parse(c.Attr("jid"))
		if err != nil {
			return nil, stanza.Errorf(stanza.JIDMalformed, "an item needs an address")
		}
		if !seen.has(j) {
			seen[j] = struct{}{}
			items = append(items, j)
		}
	}
	return items, nil
}

func appendItems(b []byte, name string, items []jid.JID) []byte {
	b = append(b, "<"+name+" xmlns='"+ns+"'>"...)
	for _, j := range items {
		b = append(b, "<item jid='"...)
		b = append(xtok.Escape(b, j.String()), "'/>"...)
	}
	return append(b, "</"+name+">"...)
}
