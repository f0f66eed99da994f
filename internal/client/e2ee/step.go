package e2ee

import (
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// Step is what follows from something that happened. Batch comes first (package
// comment); any field may be empty.
type Step struct {
	Batch  *keep.Batch
	Send   []Note          // messages without content that keep sessions alive; fire and forget
	Ask    []Request       // IQs; hand every answer to Answer
	Alerts []port.KeyAlert // for people
	// Removed: another device of one's own has taken this one off the account, by a person's wish.
	// It stays off until Return; the sign-in is to be given up.
	Removed bool
}

// Note is a message of type chat to a bare address, with Content inside it: an empty OMEMO
// message. Nobody sees it.
type Note struct {
	To      jid.JID
	Content []byte
}

// Request is an IQ to be asked: Type (get or set), To (zero: one's own account, no to
// attribute) and its one child Payload. Hand it back to Answer as it was.
type Request struct {
	To      jid.JID
	Type    string
	Payload []byte

	what asked
	mark string // digest of the bundle that is published
}

func (s *Step) alert(who jid.JID, device uint32, kind string) {
	s.Alerts = append(s.Alerts, port.KeyAlert{Address: who.String(), Device: device, Kind: kind})
}
