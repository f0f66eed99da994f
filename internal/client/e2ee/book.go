package e2ee

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// The tables of this package.
const (
	ownTable      keep.Table = "omemo.own"      // "device": omemo.Device; "state": ownRecord
	accountTable  keep.Table = "omemo.accounts" // bare address: account
	sessionTable  keep.Table = "omemo.sessions" // sessionKey.String: omemo.Session
	readTable     keep.Table = "omemo.read"     // readKey: digest of a message that was read
	encryptedName keep.Table = "omemo.chats"    // chats that were once encrypted
	ownerTable    keep.Table = "omemo.owners"   // fingerprint: the account it was first met with
	owedTable     keep.Table = "omemo.owed"     // accounts to whose devices something is owed
)

// Config is what a Book is opened with.
type Config struct {
	Store keep.Store
	Own   jid.JID // the account; its resource is not looked at
	Label string  // what this device is called (shown in profile Two only)
	Rand  io.Reader
	Now   func() time.Time
	// Two also speaks urn:xmpp:omemo:2: publishes there, and writes so to devices that announce nothing else.
	// Both are read in any case.
	Two bool
}

// Book is all OMEMO state of one account on one device.
type Book struct {
	store    keep.Store
	own      jid.JID
	name     string // Config.Label
	rand     io.Reader
	now      func() time.Time
	profiles []omemo.Profile // spoken; in the order in which they are preferred

	device   *omemo.Device
	state    ownRecord
	accounts map[jid.JID]*account          // those in memory; see rest
	most     int                           // of them; maxAccounts
	chats    map[jid.JID]bool              // of encryptedName, looked at or written
	owners   map[string]jid.JID            // of ownerTable, looked at or written
	owed     map[jid.JID]bool              // of owedTable, written since Open
	sessions map[sessionKey]*omemo.Session // those in memory
	turns    map[sessionKey]uint64         // when each was last used
	turn     uint64
	read     map[string]digest // slots looked at or written
	failed   error             // of the store: nothing is done any more

	refreshed time.Time // when the bundle was last published for used pre-keys
	stale     bool      // some were used since

	catchUp bool
	asked   map[asked]bool         // requests without an answer yet
	late    map[omemo.Profile]bool // our list changed while it was being published
	lost    map[asked]int          // questions in a row that got no answer
	poked   map[jid.JID]time.Time

	// What has changed since the last batch.
	batch   *keep.Batch
	dirty   map[*account]bool
	changed bool // state

	generation uint64 // see Generation
}

// ownRecord is what is kept of this device beside its keys.
type ownRecord struct {
	// Published is a digest of the bundle as the server acknowledged it, by profile.
	Published map[omemo.Profile]string    `json:"published,omitempty"`
	Looked    map[omemo.Profile]time.Time `json:"looked,omitempty"` // when the server's copy was last compared
	Listed    bool                        `json:"listed,omitempty"` // was on the list at least once
	Off       bool                        `json:"off,omitempty"`    // taken off the list by a person: not put back
	Drops     int                         `json:"drops,omitempty"`  // times in a row that others took us off the list
	Restored  time.Time                   `json:"restored,omitzero"`
	Restore   time.Time                   `json:"restore,omitzero"`  // when we may put ourselves back; zero: nothing waits
	Failed    int                         `json:"failed,omitempty"`  // publications in a row
	Again     time.Time                   `json:"again,omitzero"`    // when publishing is tried again
	Indexed   bool                        `json:"indexed,omitempty"` // ownerTable and owedTable are filled
	Spent     map[uint32]time.Time        `json:"spent,omitempty"`   // pre-keys that began a session, and when; see spend
}

// Open reads a Book from its store, and makes a device (stored on return) the first
// time. It begins within catch-up: CatchUp(false) ends it.
func Open(c Config) (*Book, error) {
	b := &Book{
		store: c.Store, own: c.Own.Bare(), name: c.Label, rand: c.Rand, now: c.Now,
		profiles: []omemo.Profile{omemo.Legacy},
		accounts: map[jid.JID]*account{},
		most:     maxAccounts,
		chats:    map[jid.JID]bool{},
		owners:   map[string]jid.JID{},
		owed:     map[jid.JID]bool{},
		sessions: map[sessionKey]*omemo.Session{},
		turns:    map[sessionKey]uint64{},
		read:     map[string]digest{},
		catchUp:  true,
		asked:    map[asked]bool{},
		late:     map[omemo.Profile]bool{},
		lost:     map[asked]int{},
		poked:    map[jid.JID]time.Time{},
		batch:    &keep.Batch{},
		dirty:    map[*account]bool{},
	}
	if c.Two {
		b.profiles = append(b.profiles, omemo.Two)
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	if b.device != nil {
		return b, nil
	}
	return b, b.newDevice()
}

// newDevice makes this device and stores it: the one thing that is stored by the Book itself.
func (b *Book) newDevice() error {
	id, err := b.newID()
	if err != nil {
		return err
	}
	if b.device, err = omemo.NewDevice(b.rand, id, b.now()); err != nil {
		return err
	}
	b.keepDevice()
	b.state.Indexed, b.changed = true, true
	return b.store.Apply(b.flush())
}

// newID draws the number of a device.
// XEP-0384#usecases-setup
func (b *Book) newID() (uint32, error) {
	var raw [4]byte
	if _, err := io.ReadFull(b.rand, raw[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(raw[:])%omemo.MaxID + 1, nil
}

func (b *Book) load() error {
	raw, err := b.store.Get(ownTable, "device")
	if err != nil || raw == nil {
		return err
	}
	b.device = &omemo.Device{}
	if err := b.device.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("e2ee: own device: %w", err)
	}
	raw, err = b.store.Get(ownTable, "state")
	if err != nil {
		return err
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &b.state); err != nil {
			return fmt.Errorf("e2ee: own state: %w", err)
		}
	}
	return b.index()
}

// keepDevice puts this device's secrets into the batch.
func (b *Book) keepDevice() {
	if raw, err := b.device.MarshalBinary(); err == nil {
		b.batch.Put(ownTable, "device", raw)
	}
}

// flush is the batch of all that has changed since the last one; nothing once the store has failed: what
// could not be read must not be written over.
func (b *Book) flush() *keep.Batch {
	if b.failed != nil {
		return &keep.Batch{}
	}
	b.rest()
	out := b.batch
	b.batch = &keep.Batch{}
	for a := range b.dirty {
		a.prune(b)
		out.Put(accountTable, a.who.String(), encode(a))
	}
	out.Add(b.batch) // what prune deleted
	b.batch = &keep.Batch{}
	clear(b.dirty)
	if b.changed {
		out.Put(ownTable, "state", encode(b.state))
		b.changed = false
	}
	return out
}

// done closes a step: its batch is all that has changed.
func (b *Book) done(s Step) Step {
	if b.failed != nil {
		s = Step{} // what is not kept must not be sent
	}
	s.Batch = b.flush()
	return s
}

// encode writes a record of this package, none of which can fail to be written.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("e2ee: " + err.Error())
	}
	return raw
}

// Fingerprint is this device's key as people compare it.
func (b *Book) Fingerprint() string { return b.device.Identity().Fingerprint() }

// ID is this device's number.
func (b *Book) ID() uint32 { return b.device.ID }

// backoff is how long to wait after so many failures in a row: a minute, doubled each time, a day at most.
func backoff(failures int) time.Duration {
	return min(time.Minute<<min(max(failures-1, 0), 11), 24*time.Hour)
}
