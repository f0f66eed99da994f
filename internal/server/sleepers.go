package server

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// sleepers keeps resumable sessions over a graceful stop (XEP-0198 §5). After
// a kill there are none: sessions then end, and what was acknowledged is in
// the archive.
type sleepers struct {
	kv     store.KV
	bucket *store.Bucket
	thawed map[string][]store.Op // what forgets them, by owner
}

func newSleepers(kv store.KV, most time.Duration) *sleepers {
	return &sleepers{kv: kv, bucket: kv.Declare(store.Space{
		Name: "sleeping-session", Fields: "resumption id: device address, counters, presence, unacknowledged stanzas",
		Purpose: "resume sessions after the server was stopped", Life: most,
	})}
}

// freeze writes every resumable session down, an account's in one step. unsay takes out
// of a queue what must not be written; a session of which that cannot be told ends.
func (k *sleepers) freeze(ctx context.Context, r *core.Router, unsay func(context.Context, []core.FrozenPacket) error) error {
	ops := map[string][]store.Op{}
	var errs []error
	r.Directory().Each(func(s *core.Session) {
		f, ok := s.Freeze()
		if !ok {
			return
		}
		if err := unsay(ctx, f.Queue); err != nil {
			errs = append(errs, fmt.Errorf("a session of %s cannot be kept: %w", s.JID.Bare(), err))
			return
		}
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(f); err != nil {
			errs = append(errs, err)
			return
		}
		owner := s.JID.Bare().String()
		ops[owner] = append(ops[owner], k.bucket.Set(hex.EncodeToString(f.ID[:]), b.Bytes()))
	})
	for owner, err := range store.ApplyAll(ctx, k.kv, ops) {
		errs = append(errs, fmt.Errorf("sessions of %s cannot be kept: %w", owner, err))
	}
	return errors.Join(errs...)
}

// thaw brings the sessions back; what was written stays until forget. A record
// that cannot be read costs its own session and no other.
func (k *sleepers) thaw(ctx context.Context, r *core.Router, log *slog.Logger) error {
	owners, err := k.bucket.Owners(ctx)
	if err != nil {
		return err
	}
	k.thawed = map[string][]store.Op{}
	for _, owner := range owners {
		items, err := k.bucket.Scan(ctx, owner, store.Range{})
		if err != nil {
			return err
		}
		for _, item := range items {
			k.thawed[owner] = append(k.thawed[owner], k.bucket.Unset(item.Key))
			if err := k.wake(r, item.Value); err != nil {
				log.Error("a session cannot be brought back; its device has to log in anew", "account", owner, "err", err)
			}
		}
	}
	return nil
}

// forget is called when nothing else can make the start fail, and before anybody
// is served: a later kill must not find the sessions as they were.
func (k *sleepers) forget(ctx context.Context) error {
	var errs []error
	for _, err := range store.ApplyAll(ctx, k.kv, k.thawed) {
		errs = append(errs, err)
	}
	k.thawed = nil
	return errors.Join(errs...)
}

func (k *sleepers) wake(r *core.Router, value []byte) error {
	var f core.Frozen
	if err := gob.NewDecoder(bytes.NewReader(value)).Decode(&f); err != nil {
		return err
	}
	if j, err := jid.Parse(f.JID); err != nil || !r.Exists(j.Bare()) {
		return err // the account was removed meanwhile
	}
	return r.Thaw(f)
}
