package lastactivity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	grain      = time.Minute     // to which times are kept and told
	flushEvery = time.Minute     // between writes of what changed
	beatEvery  = 5 * time.Minute // between marks that the server runs
	maxStatus  = 1 << 10         // bytes kept of a status text
)

// The keys of the spaces, which hold one each.
const (
	lastKey  = "last"
	hereKey  = "here"
	aliveKey = "alive"
)

// Load settles what a crash left: whoever was online then was so until the
// server last said that it ran.
func (l *Last) Load(ctx context.Context) error {
	owners, err := l.here.Owners(ctx)
	if err != nil || len(owners) == 0 {
		return err
	}
	item, err := l.alive.Get(ctx, "", aliveKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	ops := map[string][]store.Op{}
	for _, owner := range owners {
		ops[owner] = []store.Op{l.here.Unset(hereKey)}
		if item.Value != nil {
			ops[owner] = append(ops[owner], l.seen.Set(lastKey, item.Value))
		}
	}
	for owner, err := range store.ApplyAll(ctx, l.kv, ops) {
		return fmt.Errorf("last activity of %s: %w", owner, err)
	}
	return nil
}

// Flush writes what changed since the last time. What cannot be written waits
// for the next.
func (l *Last) Flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	todo := l.dirty
	l.dirty = map[jid.JID]change{}
	l.mu.Unlock()
	ctx := context.Background()
	l.write(ctx, todo)
	if now := time.Now(); len(l.marked) > 0 && now.Sub(l.beat) >= beatEvery {
		if err := l.kv.Apply(ctx, "", l.alive.Set(aliveKey, encode(change{at: now.Truncate(grain)}))); err != nil {
			l.log.Error("last activity of the server cannot be kept", "err", err)
			return
		}
		l.beat = now
	}
}

// again takes a change up once more, unless there is a newer one.
func (l *Last) again(owner jid.JID, c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, newer := l.dirty[owner]; !newer {
		l.dirty[owner] = c
	}
}

// write makes changes durable; under writing.
func (l *Last) write(ctx context.Context, todo map[jid.JID]change) {
	all := map[string][]store.Op{}
	failed := map[string]error{}
	here := map[jid.JID]bool{}
	for owner, c := range todo {
		ops, marked, err := l.ops(ctx, owner, c)
		switch {
		case err != nil:
			failed[owner.String()] = err
		case ops != nil:
			all[owner.String()] = ops
		}
		here[owner] = marked
	}
	maps.Copy(failed, store.ApplyAll(ctx, l.kv, all))
	for owner, marked := range here {
		switch err := failed[owner.String()]; {
		case err != nil:
			l.log.Error("last activity cannot be kept", "jid", owner.String(), "err", err)
			l.again(owner, todo[owner])
		case marked:
			l.marked[owner] = struct{}{}
		default:
			delete(l.marked, owner)
		}
	}
}

// ops is what one change writes, if anything, and whether the account is marked
// as here afterwards.
func (l *Last) ops(ctx context.Context, owner jid.JID, c change) (ops []store.Op, marked bool, err error) {
	if c.here && !l.online(owner) {
		// it went before it was noted that it came
		c = change{at: time.Now().Truncate(grain)}
	}
	_, marked = l.marked[owner]
	who, err := l.who(ctx, owner)
	switch {
	case err != nil || !l.router.Exists(owner):
		return nil, marked, err
	case who == nobody:
		return []store.Op{l.seen.Unset(lastKey), l.here.Unset(hereKey)}, false, nil
	case !c.here:
		return []store.Op{l.seen.Set(lastKey, encode(c)), l.here.Unset(hereKey)}, false, nil
	case !marked:
		return []store.Op{l.here.Set(hereKey, nil)}, true, nil
	}
	return nil, true, nil
}

// last is when an account that is away went.
func (l *Last) last(ctx context.Context, owner jid.JID) (change, error) {
	l.mu.Lock()
	c, noted := l.dirty[owner]
	l.mu.Unlock()
	if noted && !c.here {
		return c, nil
	}
	item, err := l.seen.Get(ctx, owner.String(), lastKey)
	if errors.Is(err, store.ErrNotFound) {
		return c, stanza.Errorf(stanza.ItemNotFound, "it is not known when this account was last online")
	}
	if err != nil {
		return c, err
	}
	return decode(item.Value)
}

// encode writes the minute in Unix seconds, a line feed and the status.
func encode(c change) []byte {
	return append(append(strconv.AppendInt(nil, c.at.Unix(), 10), '\n'), c.status...)
}

func decode(value []byte) (change, error) {
	at, status, _ := strings.Cut(string(value), "\n")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return change{}, fmt.Errorf("last activity: %w", err)
	}
	return change{at: time.Unix(n, 0), status: status}, nil
}

// statusOf is the text of an unavailable presence, cut where it is long.
// XEP-0012#offline
func statusOf(st *stanza.Stanza) string {
	e, err := st.Elem()
	if err != nil {
		return ""
	}
	text := e.Child(stanza.NSClient, "status").Text()
	if len(text) <= maxStatus {
		return text
	}
	n := maxStatus
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// answer is the payload of a result.
func answer(away time.Duration, status string) []byte {
	b := append([]byte("<query xmlns='"+ns+"' seconds='"), strconv.FormatInt(int64(max(0, away)/time.Second), 10)...)
	b = xtok.Escape(append(b, "'>"...), status)
	return append(b, "</query>"...)
}
