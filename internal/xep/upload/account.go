package upload

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Bounds of one account.
const (
	maxSlots = 200 // that are open at a time
	maxPuts  = 16  // that run at a time
)

// account is what an owner has and is promised: what is kept, and what there are
// slots for.
type account struct {
	owner jid.JID
	turns chan struct{} // as many as may be put at a time

	// held over storage, so that sums and records change together
	mu     sync.Mutex
	loaded bool
	gone   bool // removed: nothing is kept any more
	bytes  int64
	files  int
	slots  int // of files: those that are not there yet
}

func (u *Upload) account(owner jid.JID) *account {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.accounts[owner]
	if a == nil {
		a = &account{owner: owner, turns: make(chan struct{}, maxPuts)}
		u.accounts[owner] = a
	}
	return a
}

// load sums up what is kept. Under a.mu.
func (u *Upload) load(ctx context.Context, a *account) error {
	if a.loaded {
		return nil
	}
	records, err := u.records(ctx, a.owner)
	if err != nil {
		return err
	}
	for _, r := range records {
		a.bytes += r.size
		a.files++
	}
	a.loaded = true
	return nil
}

// reserve takes a file of some size from an account's quota, or says why not.
func (u *Upload) reserve(ctx context.Context, a *account, size int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := u.load(ctx, a); err != nil {
		return err
	}
	switch {
	case a.gone:
		return strangers()
	case a.slots >= maxSlots:
		return u.later(a, time.Now().Add(slotLife), "too many uploads are waiting to begin")
	case a.bytes+size > u.cfg.Quota || a.files+1 > u.cfg.Files:
		return u.full(ctx, a, size)
	}
	if err := u.promise(size); err != nil {
		return err
	}
	a.bytes += size
	a.files++
	a.slots++
	return nil
}

// promise takes bytes from what is free where the files are.
func (u *Upload) promise(size int64) error {
	free, err := u.blob.Free()
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if free-u.promised-size < u.cfg.MinFree {
		u.metrics.full.Inc()
		return stanza.Errorf(stanza.ResourceConstraint, "the server has no room for files now; its operator has to make some")
	}
	u.promised += size
	return nil
}

// unpromise ends a promise: the file is there, or will not be.
func (u *Upload) unpromise(size int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.promised -= size
}

// release gives back what was reserved.
func (u *Upload) release(a *account, size int64) {
	u.unpromise(size)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes -= size
	a.files--
	a.slots--
}

// full is the refusal of a file for which the quota is too small now: it says when
// enough other files will have gone.
// XEP-0363#errors
func (u *Upload) full(ctx context.Context, a *account, size int64) error {
	records, err := u.records(ctx, a.owner)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, func(r record) bool { return r.until == 0 })
	slices.SortFunc(records, func(a, b record) int { return cmp.Compare(a.until, b.until) })
	bytes, files, when := a.bytes, a.files, time.Time{}
	if a.slots > 0 {
		when = time.Now().Add(slotLife) // if they are not used
	}
	for _, r := range records {
		if bytes+size <= u.cfg.Quota && files+1 <= u.cfg.Files {
			break
		}
		bytes, files, when = bytes-r.size, files-1, time.Unix(r.until, 0)
	}
	return u.later(a, when, "your files take all the room that an account has here")
}

// later is a refusal for now, with the account's quota. Under a.mu.
func (u *Upload) later(a *account, when time.Time, text string) error {
	e := stanza.Errorf(stanza.ResourceConstraint, "%s", text)
	if !when.IsZero() {
		// a second more: records have whole seconds
		e.App = append(stanza.AppendTime([]byte("<retry xmlns='"+ns+"' stamp='"), when.Add(time.Second)), "'/>"...)
	}
	e.App = append(e.App, u.told(a)...)
	return e
}
