package rooms

import (
	"bytes"
	"context"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Asleep looks through what waits for sessions that are about to be written down, and
// puts tombstones in the place of texts that were taken back since: no text goes to
// the disk after its retraction. Make one for each stop, when nobody takes anything
// back any more.
type Asleep struct {
	rooms *Rooms
	// tombs are the tombstones of places that were looked up, nil for what stands.
	tombs map[place][]byte
}

// place is where a room's archive has something.
type place struct {
	room jid.JID
	seq  uint64
}

// Asleep begins to look.
func (s *Rooms) Asleep() *Asleep { return &Asleep{rooms: s, tombs: map[place][]byte{}} }

// span is a message within a packet that a room's archive has.
type span struct {
	place
	elem  xtok.Elem
	inner bool // within a result of the archive
}

// Unsay changes a session's queue, in which every stanza stays one: the client may
// have received it already, and counts.
// XEP-0425#rules, XEP-0424#tombstones
func (a *Asleep) Unsay(ctx context.Context, queue []core.FrozenPacket) error {
	said := map[int]span{}
	host := []byte(a.rooms.site.Name.String())
	for i := range queue {
		if !bytes.Contains(queue[i].Bytes, host) {
			continue
		}
		e, err := xtok.Parse(queue[i].Bytes, xtok.Limits{})
		if err != nil {
			return err
		}
		if s, ok := a.rooms.spanOf(e); ok {
			said[i] = s
		}
	}
	if err := a.lookUp(ctx, said); err != nil {
		return err
	}
	for i, s := range said {
		if tomb := a.tombs[s.place]; tomb != nil {
			b, err := s.buried(queue[i].Bytes, tomb)
			if err != nil {
				return err
			}
			queue[i].Bytes = b
		}
	}
	return nil
}

// spanOf finds what somebody said in a room in a packet: as it was said, or as the
// archive hands it out.
func (s *Rooms) spanOf(e xtok.Elem) (span, bool) {
	from, err := jid.Parse(e.Attr("from"))
	if err != nil || !e.Is(stanza.NSClient, "message") || from.DomainOnly() != s.site.Name {
		return span{}, false
	}
	sp := span{place: place{room: from.Bare()}, elem: e}
	if result := e.Child("urn:xmpp:mam:2", "result"); result.OK() {
		sp.elem = result.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message")
		sp.inner = true
		return sp, sp.placed(s, result.Attr("id")) && sp.elem.OK()
	}
	for c := range e.Children() {
		if c.Is(nsSID, "stanza-id") && c.AttrIs("by", sp.room.String()) {
			return sp, sp.placed(s, c.Attr("id"))
		}
	}
	return sp, false
}

func (sp *span) placed(s *Rooms, id string) (ok bool) {
	sp.seq, ok = s.past.ParseStanzaID(id)
	return ok
}

// lookUp reads the places that were not looked up yet.
func (a *Asleep) lookUp(ctx context.Context, said map[int]span) error {
	ask := map[jid.JID][]uint64{}
	for _, s := range said {
		if _, known := a.tombs[s.place]; !known {
			a.tombs[s.place] = nil
			ask[s.room] = append(ask[s.room], s.seq)
		}
	}
	for room, seqs := range ask {
		rows, err := a.rooms.past.Find(ctx, room.String(), seqs)
		if err != nil {
			return err
		}
		for _, row := range rows {
			_, e, err := stanza.Parse(row.Body)
			if err != nil {
				return err
			}
			if e.Child(nsRetract, "retracted").OK() {
				a.tombs[place{room, row.Seq}] = row.Body
			}
		}
	}
	return nil
}

// buried is a packet with a tombstone in the place of what was said; of a message as
// it was sent, what the room added to it stays.
func (sp *span) buried(packet, tomb []byte) ([]byte, error) {
	e := sp.elem
	if sp.inner {
		return bytes.Join([][]byte{packet[:e.Start()], tomb, packet[e.End():]}, nil), nil
	}
	st, _, err := stanza.Parse(tomb)
	if err != nil {
		return nil, err
	}
	b := append(packet[:e.ContentStart():e.ContentStart()], st.Content()...)
	for c := range e.Children() {
		if c.Is(nsSID, "stanza-id") || c.Is(stanza.NSDelay, "delay") {
			b = append(b, c.Raw()...)
		}
	}
	return append(b, packet[e.ContentEnd():]...), nil
}
