package offline

import (
	"bytes"
	"context"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// portion is how many places of the archive are looked at in one go.
const portion = 20

// feed is a core.Source of what a session missed.
type feed struct {
	offline *Offline
	session *core.Session
	state   *state
	after   uint64 // what was looked at already
	given   bool   // something was handed out
	looked  bool   // what was held back last has been looked for
	debts   bool   // what former sessions were owed is to come first
}

// Next satisfies core.Source.
func (f *feed) Next() []core.Packet {
	for f.debts {
		packets, err := f.arrears()
		if err != nil {
			return f.fail(err)
		}
		f.debts = len(packets) > 0
		if f.debts {
			return packets
		}
	}
	for {
		rows, _, err := f.offline.archive.Page(context.Background(), f.query())
		if err != nil {
			return f.fail(err)
		}
		if len(rows) == 0 {
			if f.end() {
				return nil
			}
			continue
		}
		packets := f.packets(rows)
		f.skip(rows[len(rows)-1].Seq, packets)
		if len(packets) > 0 {
			return packets
		}
	}
}

// fail ends the session: without its missed messages it would seem up to date.
func (f *feed) fail(err error) []core.Packet {
	f.offline.log.Error("missed messages cannot be read", "cid", f.session.CID, "jid", f.session.JID.String(), "err", err)
	f.session.Close(&stream.Error{Condition: "internal-server-error"})
	return nil
}

// end stops the feed unless something was held back since it last looked.
func (f *feed) end() bool {
	st := f.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.held > f.after && !f.looked {
		f.looked = true // it is there now, unless it was deleted
		return false
	}
	st.feeding, st.heldFrom, st.held = false, 0, 0
	st.upTo = max(st.upTo, f.after)
	return true
}

// packets are what the session gets of some rows.
func (f *feed) packets(rows []store.Row) (out []core.Packet) {
	f.looked = false
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	for i := range rows {
		r := &rows[i]
		if _, given := f.state.early[r.Seq]; given || r.Flags&archive.Offline == 0 {
			continue
		}
		out = append(out, f.packet(r))
	}
	return out
}

var closing = []byte("</message>")

// packet is an archived message as one who was away gets it.
// XEP-0160#flow
func (f *feed) packet(r *store.Row) core.Packet {
	o, owner := f.offline, f.session.JID.Bare()
	opening, _ := bytes.CutSuffix(r.Body, closing)
	said := stanza.AppendDelay(nil, o.router.Domain.String(), time.UnixMilli(r.Time))
	said = append(said, o.router.StanzaIDElement(r.Seq, owner)...)
	return core.Packet{Segments: [][]byte{opening, said, closing}, Seq: r.Seq, Sole: toDevice(r.Body)}
}

// toDevice tells whether a message was sent to a full address, so that other
// devices that were there have not been given it.
func toDevice(body []byte) bool {
	s, _, err := stanza.Parse(body)
	return err == nil && s.To.IsFull()
}

// skip moves over rows up to last. The last packet takes the account's cursor over
// the rows that give none; where there is no packet yet, nothing waits for one.
func (f *feed) skip(last uint64, packets []core.Packet) {
	bare := f.session.JID.Bare()
	switch {
	case len(packets) > 0:
		packets[len(packets)-1].Seq = last
		f.given = true
	case !f.given && !f.state.anyEarly() && f.after == f.offline.cursors.At(bare):
		f.offline.cursors.Move(bare, last)
	}
	f.after = last
}
