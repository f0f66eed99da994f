package offline

import (
	"context"
	"fmt"
	"strconv"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// A message to one device by its full address moves no cursor back when that
// device never acknowledges it, while others of the account go on. Such
// messages are written down one by one and given to the next session.

// gone hears of a session's end. It may run where blocking is forbidden.
func (o *Offline) gone(s *core.Session) {
	o.states.Delete(s)
	if owed := s.Owed(); len(owed) > 0 {
		o.run.Go(func() { o.note(s.JID.Bare(), owed) })
	}
}

func (o *Offline) note(owner jid.JID, owed []uint64) {
	ops := make([]store.Op, len(owed))
	for i, seq := range owed {
		ops[i] = o.owed.Set(fmt.Sprintf("%016x", seq), nil)
	}
	if err := o.kv.Apply(context.Background(), owner.String(), ops...); err != nil {
		o.log.Error("messages that are owed cannot be noted", "jid", owner.String(), "err", err)
	}
}

// arrears are the messages owed from former sessions, as a session gets them,
// and forgets that they are owed: should it end without acknowledging them, it
// owes them anew.
func (f *feed) arrears() ([]core.Packet, error) {
	o, ctx, owner := f.offline, context.Background(), f.session.JID.Bare().String()
	items, err := o.owed.Scan(ctx, owner, store.Range{Limit: portion})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	seqs := make([]uint64, 0, len(items))
	forget := make([]store.Op, 0, len(items))
	for _, i := range items {
		forget = append(forget, o.owed.Unset(i.Key))
		// what lies behind the cursor comes with the rest
		if seq, err := strconv.ParseUint(i.Key, 16, 64); err == nil && seq <= f.after {
			seqs = append(seqs, seq)
		}
	}
	rows, err := o.archive.Find(ctx, owner, seqs)
	if err != nil {
		return nil, err
	}
	packets := f.packets(rows)
	for i := range packets {
		packets[i].Sole = true
	}
	return packets, o.kv.Apply(ctx, owner, forget...)
}
