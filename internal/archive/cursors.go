package archive

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// grace is how long a message stays after it was delivered, at least.
const grace = 7 * 24 * time.Hour

// Cursors tell how far each account has been given its messages: everything up
// to its cursor has reached one of its sessions. Moves are kept in memory and
// written by Flush, so a crash may set a cursor back by the moves of a second:
// then something is delivered again, under the same stanza-id, never lost.
//
// All accounts' cursors lie with the server, so that one transaction writes
// whatever moved.
type Cursors struct {
	kv       store.KV
	bucket   *store.Bucket
	flushing sync.Mutex // one Flush at a time
	mu       sync.Mutex
	of       map[jid.JID]cursor
	moved    map[jid.JID]struct{}
	log      *slog.Logger
}

// cursor is one account's place. aged trails at by the time of grace or more.
type cursor struct {
	at, aged, aging uint64
	since           int64 // Unix seconds; aging was at then
}

func openCursors(ctx context.Context, kv store.KV) (*Cursors, error) {
	c := &Cursors{kv: kv, of: map[jid.JID]cursor{}, moved: map[jid.JID]struct{}{}, log: slog.New(slog.DiscardHandler),
		bucket: kv.Declare(store.Space{
			Name: "archive-cursors", Fields: "key: account; value: places in the log up to which it has its messages, now and a week ago",
			Purpose: "who was away gets what he missed, once",
		})}
	items, err := c.bucket.Scan(ctx, "", store.Range{})
	for _, item := range items {
		bare, err := jid.Parse(item.Key)
		if err != nil {
			return nil, fmt.Errorf("cursor of %q: %w", item.Key, err)
		}
		c.of[bare] = decodeCursor(item.Value)
	}
	return c, err
}

func decodeCursor(b []byte) (c cursor) {
	if len(b) == 32 {
		c.at, c.aged = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		c.aging, c.since = binary.BigEndian.Uint64(b[16:]), int64(binary.BigEndian.Uint64(b[24:]))
	}
	return c
}

func (c cursor) encode() []byte {
	b := make([]byte, 0, 32)
	for _, n := range []uint64{c.at, c.aged, c.aging, uint64(c.since)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// At is an account's cursor, 0 when it never was given anything.
func (c *Cursors) At(bare jid.JID) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[bare].at
}

// Move moves a cursor forward; a move backward is ignored. It does not block.
func (c *Cursors) Move(bare jid.JID, seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.of[bare]
	if seq <= now.at {
		return
	}
	now.at = seq
	c.of[bare] = now
	c.moved[bare] = struct{}{}
}

// Flush writes what moved since the last time, durable on return.
func (c *Cursors) Flush() {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	ops := make([]store.Op, 0, len(c.moved))
	moved := c.moved
	for bare := range moved {
		ops = append(ops, c.bucket.Set(bare.String(), c.of[bare].encode()))
	}
	if len(moved) > 0 {
		c.moved = map[jid.JID]struct{}{}
	}
	c.mu.Unlock()
	if len(ops) == 0 {
		return
	}
	if err := c.kv.Apply(context.Background(), "", ops...); err != nil {
		c.again(moved)
		c.log.Error("delivery places could not be stored, trying again", "accounts", len(ops), "err", err)
	}
}

// again marks accounts as moved whose cursors could not be written.
func (c *Cursors) again(moved map[jid.JID]struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for bare := range moved {
		if _, ok := c.of[bare]; ok {
			c.moved[bare] = struct{}{}
		}
	}
}

func (c *Cursors) forget(bare jid.JID) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	delete(c.of, bare)
	delete(c.moved, bare)
	c.mu.Unlock()
	return c.bucket.Delete(context.Background(), "", bare.String())
}

// age lets every aged cursor follow, at least the time of grace behind.
func (c *Cursors) age(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for bare, was := range c.of {
		if was.since != 0 && now.Sub(time.Unix(was.since, 0)) < grace || was.since != 0 && was.aging == was.at && was.aged == was.at {
			continue
		}
		if was.since != 0 {
			was.aged = was.aging
		}
		was.aging, was.since = was.at, now.Unix()
		c.of[bare] = was
		c.moved[bare] = struct{}{}
	}
}

// aged is the place up to which an account had everything a time of grace ago.
func (c *Cursors) aged(owner string) uint64 {
	bare, err := jid.Parse(owner)
	if err != nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[bare].aged
}
