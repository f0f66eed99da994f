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
}

// add puts another step behind this one.
func (s *Step) add(o Step) {
	if s.Batch == nil {
		s.Batch = &keep.Batch{}
	}
	s.Batch.Add(o.Batch)
	s.Send = append(s.Send, o.Send...)
	s.Ask = append(s.Ask, o.Ask...)
	s.Alerts = append(s.Alerts, o.Alerts...)
}

// Note is a message of type chat to a bare address whose content is Content: an
// empty OMEMO message with its hints. Nobody sees it.
type Note struct {
	To      jid.JID
	Content []byte
}

// Request is an IQ to be asked: Type (get or set), To (zero: one's own account, no to
// attribute) and its one child Payload. The rest tells Answer what it was for;
// hand the Request back as it was.
type Request struct {
	To      jid.JID
	Type    string
	Payload []byte

	what asked
}

// asked is what a request was for.
type asked struct {
	kind    string
	who     jid.JID
	device  uint32
	profile uint8
}
