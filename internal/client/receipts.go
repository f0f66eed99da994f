package client

import (
	"slices"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/timeline"
)

// mostOwed bounds how many receipts one person may wait for.
const mostOwed = 50

// owe remembers in what is kept with a message the receipt that cannot be sent yet: one of the
// two has asked to be a contact, and the other has not answered. Strangers are owed none.
func (e *Engine) owe(c *timeline.Change, in timeline.Incoming) {
	p := e.people[in.Real]
	s := e.chats[in.Chat]
	asked := in.Asked && !in.Mine && !in.Room && in.Kind == timeline.Text
	if !asked || p == nil || p.Blocked || e.knows(in.Real) || !p.Asked && !p.Asks && p.Subscription != "to" || slices.Contains(s.Owed, in.ID) {
		return
	}
	s.Owed = append(slices.Clone(s.Owed), in.ID)
	s.Owed = s.Owed[max(0, len(s.Owed)-mostOwed):]
	e.chats[in.Chat] = s
	if c.Batch == nil {
		c.Batch = &keep.Batch{}
	}
	put(c.Batch, chatTable, in.Chat, s)
}

// payReceipts sends what is owed to those who may know now that we are here.
func (e *Engine) payReceipts(addresses []string) {
	for _, a := range addresses {
		s := e.chats[a]
		if len(s.Owed) == 0 || !e.knows(a) || !e.online() {
			continue
		}
		for _, id := range s.Owed {
			e.answer(timeline.Incoming{Envelope: timeline.Envelope{Chat: a, Sender: a, Real: a}, Kind: timeline.Text, ID: id, Asked: true})
		}
		s.Owed = nil
		e.chats[a] = s
		var b keep.Batch
		put(&b, chatTable, a, s)
		if !e.keepBatch(&b) {
			return
		}
	}
}
