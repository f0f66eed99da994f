package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Defaults of Prefs.
// XEP-0441#config-default
const (
	Always = "always"
	Never  = "never"
	Roster = "roster"
)

// MostPrefs is how many addresses the two lists of an account may hold.
const MostPrefs = 1000

// ErrTooMany refuses longer lists.
var ErrTooMany = fmt.Errorf("more than %d addresses", MostPrefs)

// Prefs are what one account wants archived (XEP-0441). What is not archived
// does not wait for an absent recipient either.
type Prefs struct {
	Default string    // Always, Never or Roster
	Always  []jid.JID // bare ones stand for all their resources
	Never   []jid.JID // stronger than Always
}

// prefs holds the preferences that differ from the default, which is Always.
type prefs struct {
	bucket *store.Bucket
	saving sync.Mutex // one save at a time, so that memory follows the disk
	mu     sync.RWMutex
	of     map[jid.JID]Prefs
}

// onDisk is Prefs as they are kept.
type onDisk struct {
	Default string   `json:"default"`
	Always  []string `json:"always,omitempty"`
	Never   []string `json:"never,omitempty"`
}

func openPrefs(ctx context.Context, kv store.KV) (*prefs, error) {
	p := &prefs{of: map[jid.JID]Prefs{}, bucket: kv.Declare(store.Space{
		Name: "archive-prefs", Fields: "prefs: default behaviour, addresses always and never archived, as JSON",
		Purpose: "people decide what of theirs is archived (XEP-0441)", Export: true,
	})}
	owners, err := p.bucket.Owners(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		if err := p.load(ctx, o); err != nil {
			return nil, fmt.Errorf("preferences of %s: %w", o, err)
		}
	}
	return p, nil
}

func (p *prefs) load(ctx context.Context, owner string) error {
	item, err := p.bucket.Get(ctx, owner, "prefs")
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	var d onDisk
	if err = errors.Join(err, json.Unmarshal(item.Value, &d)); err != nil {
		return err
	}
	bare, err := jid.Parse(owner)
	if err != nil {
		return err
	}
	got := Prefs{Default: d.Default}
	if got.Always, err = parseAll(d.Always); err == nil {
		got.Never, err = parseAll(d.Never)
	}
	p.of[bare] = got
	return err
}

func parseAll(ss []string) (out []jid.JID, err error) {
	for _, s := range ss {
		j, err := jid.Parse(s)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

func formatAll(js []jid.JID) (out []string) {
	for _, j := range js {
		out = append(out, j.String())
	}
	return out
}

// Prefs are an account's preferences.
func (a *Archive) Prefs(bare jid.JID) Prefs {
	a.prefs.mu.RLock()
	defer a.prefs.mu.RUnlock()
	p, ok := a.prefs.of[bare]
	if !ok {
		p.Default = Always
	}
	return p
}

// SetPrefs changes an account's preferences, durable on return. ErrTooMany when
// the lists are too long.
func (a *Archive) SetPrefs(ctx context.Context, bare jid.JID, new Prefs) error {
	if len(new.Always)+len(new.Never) > MostPrefs {
		return ErrTooMany
	}
	p := a.prefs
	p.saving.Lock()
	defer p.saving.Unlock()
	value, err := json.Marshal(onDisk{new.Default, formatAll(new.Always), formatAll(new.Never)})
	if err != nil {
		return err
	}
	if err := p.bucket.Put(ctx, bare.String(), "prefs", value); err != nil {
		return err
	}
	p.mu.Lock()
	p.of[bare] = new
	p.mu.Unlock()
	return nil
}

func (p *prefs) forget(bare jid.JID) {
	p.mu.Lock()
	delete(p.of, bare)
	p.mu.Unlock()
}

// allow tells whether an owner wants messages to or from target archived.
// XEP-0441#match
func (p *prefs) allow(owner, target jid.JID, contact func(owner, peer jid.JID) bool) bool {
	p.mu.RLock()
	own, ok := p.of[owner]
	p.mu.RUnlock()
	switch {
	case !ok:
		return true
	case lists(own.Never, target):
		return false
	case lists(own.Always, target) || own.Default == Always:
		return true
	case own.Default == Never:
		return false
	}
	return contact == nil || contact(owner, target.Bare())
}

// lists tells whether a list names target or its account.
// XEP-0441#match-rules
func lists(list []jid.JID, target jid.JID) bool {
	return slices.Contains(list, target) || target.IsFull() && slices.Contains(list, target.Bare())
}
