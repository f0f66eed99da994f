package upload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// This file is where files are recorded. A file is there when its account has a
// record of it, by its key. The index, which the server owns, has two entries for
// each: k/KEY tells the account, a/ACCOUNT/KEY nothing more. They come before the
// record and go after it and the blob, so that whatever a crash leaves is found:
// a blob without an entry, or an entry without a record.

// record is what is kept of a file besides the blob.
type record struct {
	key   string
	size  int64
	since int64 // Unix seconds
	until int64 // Unix seconds; 0 for ever
	media string
}

func (r *record) gone(now time.Time) bool { return r.until > 0 && now.Unix() >= r.until }

func (r *record) encode() []byte {
	return fmt.Appendf(nil, "%d %d %d %s", r.size, r.since, r.until, r.media)
}

func decode(item store.Item) (record, error) {
	r := record{key: item.Key}
	head, media, ok := cutFields(string(item.Value), 3)
	if _, err := fmt.Sscanf(head, "%d %d %d", &r.size, &r.since, &r.until); err != nil || !ok {
		return r, fmt.Errorf("upload: a record that is none: %q", item.Value)
	}
	r.media = media
	return r, nil
}

// cutFields cuts behind n fields.
func cutFields(s string, n int) (head, rest string, ok bool) {
	at := 0
	for range n {
		i := strings.IndexByte(s[at:], ' ')
		if i < 0 {
			return s, "", false
		}
		at += i + 1
	}
	return s[:at-1], s[at:], true
}

func byKey(key string) string                  { return "k/" + key }
func byOwner(owner jid.JID, key string) string { return "a/" + owner.String() + "/" + key }

// records are all of an account.
func (u *Upload) records(ctx context.Context, owner jid.JID) ([]record, error) {
	items, err := u.files.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return nil, err
	}
	all := make([]record, 0, len(items))
	for _, item := range items {
		r, err := decode(item)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// lookUp finds a file that is there, or fails with store.ErrNotFound.
func (u *Upload) lookUp(ctx context.Context, key string) (record, error) {
	owner, err := u.index.Get(ctx, "", byKey(key))
	if err != nil {
		return record{}, err
	}
	item, err := u.files.Get(ctx, string(owner.Value), key)
	if err != nil {
		return record{}, err
	}
	r, err := decode(item)
	if err == nil && r.gone(time.Now()) {
		err = store.ErrNotFound
	}
	return r, err
}

// errGone: the account was removed meanwhile.
var errGone = errors.New("upload: the account is gone")

// keep records the file of a slot, whose blob is there; r lacks its times.
func (u *Upload) keep(ctx context.Context, s *slot, r record) error {
	now := time.Now()
	r.since = now.Unix()
	if u.cfg.Keep > 0 {
		r.until = now.Add(u.cfg.Keep).Unix()
	}
	if before := s.before.Unix(); !s.before.IsZero() && (r.until == 0 || before < r.until) {
		r.until = before
	}
	a := s.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone {
		return errGone
	}
	err := u.kv.Apply(ctx, "", u.index.Set(byKey(r.key), []byte(a.owner.String())), u.index.Set(byOwner(a.owner, r.key), nil))
	if err != nil {
		return err
	}
	if err := u.files.Put(ctx, a.owner.String(), r.key, r.encode()); err != nil {
		return err
	}
	a.slots--
	return nil
}

// remove takes a file away. What fails is tried again by the next sweep.
func (u *Upload) remove(ctx context.Context, a *account, r record) error {
	a.mu.Lock()
	err := u.files.Delete(ctx, a.owner.String(), r.key)
	if err == nil && a.loaded {
		a.bytes -= r.size
		a.files--
	}
	a.mu.Unlock()
	if err != nil {
		return err
	}
	return u.removeBlob(ctx, a.owner, r.key)
}

// removeBlob takes away what is behind a record that is gone.
func (u *Upload) removeBlob(ctx context.Context, owner jid.JID, key string) error {
	if err := u.blob.Delete(ctx, key); err != nil {
		return err
	}
	return u.kv.Apply(ctx, "", u.index.Unset(byKey(key)), u.index.Unset(byOwner(owner, key)))
}

// accountGone removes everything of an account: its records are gone already, but
// for one that was written meanwhile.
func (u *Upload) accountGone(bare jid.JID) {
	ctx, a := context.Background(), u.account(bare)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = true
	u.forget(a)
	prefix := "a/" + bare.String() + "/"
	items, err := u.index.Scan(ctx, "", store.Range{Prefix: prefix})
	errs := []error{err}
	for _, item := range items {
		key := strings.TrimPrefix(item.Key, prefix)
		errs = append(errs, u.files.Delete(ctx, bare.String(), key), u.removeBlob(ctx, bare, key))
	}
	if err := errors.Join(errs...); err != nil {
		u.cfg.Log.Error("files of a removed account are left to the next sweep", "jid", bare.String(), "err", err)
	}
}

// forget drops an account and its slots. Who has one taken finds the account gone.
func (u *Upload) forget(a *account) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, s := range u.slots {
		if s.a == a {
			delete(u.slots, key)
			if s.state == open {
				u.promised -= s.size
			}
		}
	}
	delete(u.accounts, a.owner)
}
