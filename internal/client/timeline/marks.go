package timeline

import (
	"encoding/json"
	"hash/fnv"
)

// mark is what is remembered of a message that was applied, so that it is not
// applied again: under the id of its archive and under the sender's own ids.
type mark struct {
	Row    string `json:"r,omitempty"` // ID of the line it made or changed, "" none
	Kind   Kind   `json:"k,omitempty"`
	At     order  `json:"a,omitzero"`
	Stanza string `json:"s,omitempty"` // the archive's id, once known
	Hash   uint64 `json:"h,omitempty"` // of what was said
	Origin bool   `json:"o,omitempty"` // the id is an origin-id
	Ours   bool   `json:"m,omitempty"` // it went out through this outbox
	Blind  bool   `json:"b,omitempty"` // it could not be opened
	Loose  bool   `json:"l,omitempty"` // At is not of the archive
}

func (m mark) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return b
}

// archiveKey and senderKey are where marks are kept.
func archiveKey(archive, id string) string     { return "s\x00" + archive + "\x00" + id }
func senderKey(chat, author, id string) string { return "i\x00" + chat + "\x00" + author + "\x00" + id }
func (b *Book) archiveOf(c string, r bool) string {
	if r {
		return c
	}
	return b.own
}

const me = "me"

// authors are the names under which somebody is known: oneself, a real address, an
// occupant-id. Where a room gives neither, the nick tells repeats apart, and nothing
// else is done with it.
func authors(mine bool, real, occupant, sender string) []string {
	if mine {
		return []string{me}
	}
	var out []string
	if real != "" {
		out = append(out, "r:"+real)
	}
	if occupant != "" {
		out = append(out, "o:"+occupant)
	}
	if out == nil {
		out = append(out, "n:"+sender)
	}
	return out
}

func (e *Envelope) authors() []string { return authors(e.Mine, e.Real, e.Occupant, e.Sender) }

// known tells whether the sender can be told from others at all.
func (e *Envelope) known() bool { return e.Mine || e.Real != "" || e.Occupant != "" }

// wrote tells whether a line is of the sender of a message.
func wrote(r *record, e *Envelope) bool {
	switch {
	case r.Notice != "":
		return false
	case r.Mine || e.Mine:
		return r.Mine && e.Mine
	case r.Real != "" && e.Real != "":
		return r.Real == e.Real
	}
	// XEP-0421#rules
	return r.Occupant != "" && r.Occupant == e.Occupant
}

// hash is of what was said: a repeat says the same.
func (in *Incoming) hash() uint64 {
	h := fnv.New64a()
	part := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	part(in.Text)
	part(in.Ref)
	part(in.ReplyTo)
	for _, e := range in.Emoji {
		part(e)
	}
	if in.File != nil {
		part(in.File.URL)
	}
	return h.Sum64()
}

func (b *Book) mark(key string) (m mark, found bool, err error) {
	v, err := b.kept.get(tableMarks, key)
	if err != nil || v == nil {
		return m, false, err
	}
	return m, true, json.Unmarshal(v, &m)
}

// find looks for a message among those that were applied.
//
// The archive's id settles it. A sender's id does not by itself: some clients
// count from one at each start. So it must say the same, and where the archive has
// kept it as two, be the same by an origin-id, which is never used again.
// XEP-0359#rules
func (b *Book) find(in *Incoming) (m mark, found bool, err error) {
	if in.StanzaID != "" {
		m, found, err = b.mark(archiveKey(b.archiveOf(in.Chat, in.Room), in.StanzaID))
		if found || err != nil {
			return m, found, err
		}
	}
	for _, id := range distinct(in.OriginID, in.ID) {
		for _, author := range in.authors() {
			m, found, err = b.mark(senderKey(in.Chat, author, id))
			if err != nil || found && repeats(m, in, id) {
				return m, found, err
			}
		}
	}
	return mark{}, false, nil
}

// repeats tells whether what came under the id of m is m again.
func repeats(m mark, in *Incoming, id string) bool {
	same := in.Again || m.Kind == in.Kind && m.Hash == in.hash()
	if m.Stanza != "" && in.StanzaID != "" && m.Stanza != in.StanzaID {
		return same && m.Origin && id == in.OriginID
	}
	return same || m.Blind || in.Unreadable != "" || m.Ours
}

// remember keeps the marks of a message.
func (s *step) remember(in *Incoming, m mark) {
	m.Hash, m.Kind, m.Stanza, m.Blind = in.hash(), in.Kind, in.StanzaID, in.Unreadable != ""
	if in.StanzaID != "" {
		s.put(tableMarks, archiveKey(s.archiveOf(in.Chat, in.Room), in.StanzaID), m.encode())
	}
	if in.Kind == Nothing || in.Kind == Receipt || in.Kind == Displayed {
		return // coming again, they change nothing
	}
	for _, id := range distinct(in.OriginID, in.ID) {
		m.Origin = id == in.OriginID
		for _, author := range in.authors() {
			s.put(tableMarks, senderKey(in.Chat, author, id), m.encode())
		}
	}
}
