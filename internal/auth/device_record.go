package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// record is what is kept of a device. The client's own ID is not in it.
type record struct {
	Software string  `json:"software,omitempty"`
	Name     string  `json:"name,omitempty"`
	First    int64   `json:"first"` // Unix seconds
	Last     int64   `json:"last"`
	Password bool    `json:"password,omitempty"`
	Revoked  bool    `json:"revoked,omitempty"` // and it knows the password: not let in before there is another
	Removed  bool    `json:"removed,omitempty"` // by another device: not listed until it signs in again
	Keys     uint32  `json:"keys,omitempty"`    // number of its OMEMO device, as it says
	Tokens   []token `json:"tokens,omitempty"`  // the last that is spent, the one in use, and one that was not used yet
}

func deviceSpace() store.Space {
	return store.Space{
		Name: "device", Fields: "hash of the device's id: program and name as it says, first and last sign-in, whether it knows the password, whether it was revoked (that is kept until the password changes), its tokens, the number under which its public keys are published",
		Purpose: "let a device sign in by its token; show people what has access to their account, and end that", Life: deviceLife,
	}
}

// signIn tells whether there is something to write.
func (r *record) signIn(g Agent, by string, now time.Time) bool {
	was := *r
	if now.Sub(time.Unix(r.Last, 0)) >= deviceGrain {
		r.Last = now.Unix()
	}
	r.Software, r.Name = cmp.Or(g.Software, r.Software), cmp.Or(g.Device, r.Name)
	r.Password = r.Password || by == byPassword
	r.Removed = false
	return was.Removed || r.Last != was.Last || r.Software != was.Software || r.Name != was.Name || r.Password != was.Password
}

// forgotten tells whether it was unused for too long, or was let in and never came. One
// that is revoked is kept out however long it waits.
func (r *record) forgotten(now time.Time) bool {
	return !r.Revoked && (now.Sub(time.Unix(r.Last, 0)) > deviceLife || r.neverCame(now))
}

// neverCame tells whether all that a device ever had is a first token that nobody used in time.
func (r *record) neverCame(now time.Time) bool {
	return !r.Password && len(r.Tokens) > 0 && !slices.ContainsFunc(r.Tokens, func(t token) bool {
		return t.First == 0 || t.Used || t.good(now)
	})
}

func (r *record) hasToken(now time.Time) bool {
	return slices.ContainsFunc(r.Tokens, func(t token) bool { return t.good(now) })
}

func (r *record) device(id string, now time.Time) Device {
	return Device{
		ID: id, Software: r.Software, Name: r.Name, First: time.Unix(r.First, 0), Last: time.Unix(r.Last, 0),
		Password: r.Password, Token: r.hasToken(now), Keys: r.Keys,
	}
}

// owner is the account in the store, bare its address.
func (a *Auth) owner(name string) string { return name + "@" + a.Domain().String() }

func (a *Auth) bare(name string) jid.JID {
	j, _ := jid.New(name, a.Domain().Domain(), "")
	return j
}

// record reads one device; store.ErrNotFound.
func (a *Auth) record(ctx context.Context, name, id string) (r record, err error) {
	it, err := a.devices.Get(ctx, a.owner(name), id)
	if err == nil {
		err = json.Unmarshal(it.Value, &r)
	}
	if err != nil {
		return r, fmt.Errorf("auth: device: %w", err)
	}
	return r, nil
}

// records reads all devices of an account by ID.
func (a *Auth) records(ctx context.Context, name string) (map[string]*record, error) {
	items, err := a.devices.Scan(ctx, a.owner(name), store.Range{})
	if err != nil {
		return nil, fmt.Errorf("auth: devices: %w", err)
	}
	records := make(map[string]*record, len(items))
	for _, it := range items {
		r := &record{}
		if err := json.Unmarshal(it.Value, r); err != nil {
			return nil, fmt.Errorf("auth: devices: %w", err)
		}
		records[it.Key] = r
	}
	return records, nil
}

// keep writes a device; for one that is new, others make room.
func (a *Auth) keep(ctx context.Context, name, id string, r record, fresh bool) error {
	var ops []store.Op
	if fresh {
		old, err := a.records(ctx, name)
		if err != nil {
			return err
		}
		here := a.here(a.bare(name))
		here[id]++
		for _, other := range tooMany(old, here, time.Now()) {
			ops = append(ops, a.devices.Unset(other))
		}
	}
	return a.write(ctx, name, append(ops, a.setRecord(id, &r))...)
}

func (a *Auth) setRecord(id string, r *record) store.Op {
	value, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return a.devices.Set(id, value)
}

func (a *Auth) write(ctx context.Context, name string, ops ...store.Op) error {
	if len(ops) == 0 {
		return nil
	}
	if err := a.kv.Apply(ctx, a.owner(name), ops...); err != nil {
		return fmt.Errorf("auth: devices: %w", err)
	}
	return nil
}

// ForgetDevices forgets what was not used for as long as devices are kept, of all accounts.
func (a *Auth) ForgetDevices(ctx context.Context) error {
	owners, err := a.devices.Owners(ctx)
	for _, o := range owners {
		name, _, _ := strings.Cut(o, "@")
		err = errors.Join(err, a.forget(ctx, name))
	}
	return err
}

func (a *Auth) forget(ctx context.Context, name string) error {
	defer a.hold(name)()
	records, err := a.records(ctx, name)
	if err != nil {
		return err
	}
	var ops []store.Op
	here := a.here(a.bare(name))
	for id, r := range records {
		if here[id] == 0 && r.forgotten(time.Now()) {
			ops = append(ops, a.devices.Unset(id))
		}
	}
	return a.write(ctx, name, ops...)
}

// tooMany are the devices to forget so that one more has room: those that are out
// of date, and then those without a token before those with one, the longest
// unused first. Those that are here stay, so that what has access is known;
// those that were revoked stay too, and take no room from the others.
func tooMany(records map[string]*record, here map[string]int, now time.Time) (forget []string) {
	var live []string
	for id, r := range records {
		switch {
		case here[id] > 0, r.Revoked:
		case r.forgotten(now):
			forget = append(forget, id)
		default:
			live = append(live, id)
		}
	}
	if len(live) < maxDevices {
		return forget
	}
	rank := func(id string) int64 {
		if records[id].hasToken(now) {
			return 1
		}
		return 0
	}
	slices.SortFunc(live, func(x, y string) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(records[x].Last, records[y].Last), cmp.Compare(x, y))
	})
	return append(forget, live[:len(live)-maxDevices+1]...)
}

// holds are locks by account. One is held while what is kept of the account's
// devices changes, storage included; inside change, outside mu.
type holds struct {
	seed maphash.Seed
	lock [64]sync.Mutex
}

// hold takes an account's lock and returns what gives it back.
func (a *Auth) hold(name string) (release func()) {
	l := &a.holds.lock[maphash.String(a.holds.seed, name)%uint64(len(a.holds.lock))]
	l.Lock()
	return l.Unlock
}
