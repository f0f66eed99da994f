package upload

import (
	"context"
	"errors"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

const (
	sweepEvery = time.Hour
	// pageSize is how many entries of the index are looked at in one go.
	pageSize = 500
)

// tick sweeps while the server runs.
func (u *Upload) tick(now time.Time) { u.sweep(context.Background(), now, false) }

// sweep removes files whose time is over, and what is left of those that were broken
// off. whole also looks through all that is there, for what a crash has left.
func (u *Upload) sweep(ctx context.Context, now time.Time, whole bool) {
	err := errors.Join(u.expire(ctx, now), u.sweepIndex(ctx))
	if whole {
		err = errors.Join(err, u.sweepBlobs(ctx))
	}
	if err != nil && ctx.Err() == nil {
		u.cfg.Log.Error("files cannot be swept; the next sweep tries again", "at", u.blob.String(), "err", err)
	}
}

// expire removes the files whose time is over.
func (u *Upload) expire(ctx context.Context, now time.Time) error {
	owners, err := u.files.Owners(ctx)
	errs := []error{err}
	for _, owner := range owners {
		bare, err := jid.Parse(owner)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		records, err := u.records(ctx, bare)
		errs = append(errs, err)
		for _, r := range records {
			if !r.gone(now) {
				continue
			}
			u.metrics.swept.WithLabelValues("expired").Inc()
			errs = append(errs, u.remove(ctx, u.account(bare), r))
		}
	}
	return errors.Join(errs...)
}

// sweepIndex removes what is behind entries without a record.
func (u *Upload) sweepIndex(ctx context.Context) error {
	var errs []error
	at := store.Range{Prefix: byKey(""), Limit: pageSize}
	for {
		items, err := u.index.Scan(ctx, "", at)
		if err != nil || len(items) == 0 {
			return errors.Join(append(errs, err)...)
		}
		for _, item := range items {
			errs = append(errs, u.checkEntry(ctx, item))
		}
		at.From = items[len(items)-1].Key + "\x00"
	}
}

func (u *Upload) checkEntry(ctx context.Context, entry store.Item) error {
	key := entry.Key[len(byKey("")):]
	if u.isBusy(key) {
		return nil
	}
	_, err := u.files.Get(ctx, string(entry.Value), key)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	owner, err := jid.Parse(string(entry.Value))
	if err != nil {
		return err
	}
	u.metrics.swept.WithLabelValues("left").Inc()
	return u.removeBlob(ctx, owner, key)
}

// sweepBlobs removes blobs that the index does not know.
func (u *Upload) sweepBlobs(ctx context.Context) error {
	var errs []error
	err := u.blob.List(ctx, "", func(key string) error {
		// in this order: what is not busy now and comes to be known later was not listed
		if u.isBusy(key) {
			return nil
		}
		_, err := u.index.Get(ctx, "", byKey(key))
		if errors.Is(err, store.ErrNotFound) {
			u.metrics.swept.WithLabelValues("left").Inc()
			err = u.blob.Delete(ctx, key)
		}
		errs = append(errs, err)
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

// isBusy tells whether a file is between its first byte and its record.
func (u *Upload) isBusy(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.busy[key]
}

// setBusy tells the sweeper to leave a file alone.
func (u *Upload) setBusy(key string, busy bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if busy {
		u.busy[key] = true
	} else {
		delete(u.busy, key)
	}
}
