// Package store declares the shapes in which Mirsal keeps things: KV for
// features, Log for the archive, Accounts for credentials. Engines live below
// it (memory, sqlite) and pass storetest, the one contract suite.
//
// It is no query language and no cache. Invariants: what a method returned nil
// for survives a power cut; slices passed in are not kept, and slices handed out
// belong to the caller; after Close every method returns ErrClosed. A context
// ends waiting, not writing: once a write has been taken up, its result is
// waited for, so that an error never leaves its outcome open unless it wraps
// ErrFatal. All methods may be called from any goroutine.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("precondition failed") // of a batch; nothing was written
	ErrExists   = errors.New("already exists")
	ErrClosed   = errors.New("store closed")
)

// Space describes one kind of thing that a feature keeps; it is declared beside
// the feature. What the server can see, what an export holds and what account
// removal removes is read off the declarations.
type Space struct {
	Name    string        // stable; part of the key on disk
	Fields  string        // what key and value hold, in words
	Purpose string        // why it is kept
	Life    time.Duration // longest life; 0 means as long as its owner, or Until
	Until   string        // how long, where that is neither a number nor the life of an account, in words
	Export  bool          // part of an account's export
}

// Item is one stored value. Version grows with each write to the key, also
// across deletion and restarts, and is never 0. Value is never nil.
type Item struct {
	Key     string
	Value   []byte
	Version uint64
}

// Op is one step of a batch.
type Op struct {
	Space *Bucket
	Key   string
	Value []byte // nil deletes the key
	// If, when not nil, is the version that the key must have: 0 for absent.
	If *uint64
}

// Range bounds a scan: From <= key < To, "" for no bound.
type Range struct {
	From, To string
	Prefix   string // keys that begin so; with From and To both must hold
	Reverse  bool
	Limit    int // 0 means no limit
}

// KV keeps (owner, space, key) -> bytes. The owner is an account, a room, a
// node (all as bare JIDs) or the server ("").
type KV interface {
	// Declare makes a space usable. It panics when the declaration is incomplete
	// or the name is taken: that is a mistake in the program. Before use only.
	Declare(Space) *Bucket
	// Spaces lists the declarations in the order of their names.
	Spaces() []Space
	// Apply runs the ops, all of one owner, in order and as one atomic step,
	// durable on return. A precondition looks at what the ops before it left;
	// ErrConflict when one fails.
	Apply(ctx context.Context, owner string, ops ...Op) error
	// RemoveOwner deletes everything of an owner in every space, also in those
	// that are no longer declared.
	RemoveOwner(ctx context.Context, owner string) error

	// Raw reads, used by Bucket; an error when the space is not declared.
	ReadKey(ctx context.Context, owner, space, key string) (Item, error)
	ReadRange(ctx context.Context, owner, space string, r Range) ([]Item, error)
	// ReadOwners lists the owners that have something in a space, in order.
	ReadOwners(ctx context.Context, space string) ([]string, error)
}

// Bucket is a declared space of one KV: the handle by which a feature reads
// and writes it.
type Bucket struct {
	kv    KV
	Space Space
}

// NewBucket is for engines, in their Declare.
func NewBucket(kv KV, s Space) *Bucket { return &Bucket{kv, s} }

// Get returns an item, or ErrNotFound.
func (b *Bucket) Get(ctx context.Context, owner, key string) (Item, error) {
	return b.kv.ReadKey(ctx, owner, b.Space.Name, key)
}

// Scan lists an owner's items in key order.
func (b *Bucket) Scan(ctx context.Context, owner string, r Range) ([]Item, error) {
	return b.kv.ReadRange(ctx, owner, b.Space.Name, r)
}

// Owners lists the owners that have something in the space.
func (b *Bucket) Owners(ctx context.Context) ([]string, error) {
	return b.kv.ReadOwners(ctx, b.Space.Name)
}

// Put writes one key unconditionally, durable on return.
func (b *Bucket) Put(ctx context.Context, owner, key string, value []byte) error {
	return b.kv.Apply(ctx, owner, b.Set(key, value))
}

// Delete removes one key; a missing key is no error.
func (b *Bucket) Delete(ctx context.Context, owner, key string) error {
	return b.kv.Apply(ctx, owner, b.Unset(key))
}

// Set is the op that writes a key, Unset the op that removes it.
func (b *Bucket) Set(key string, value []byte) Op {
	if value == nil {
		value = []byte{}
	}
	return Op{Space: b, Key: key, Value: value}
}

// Unset is the op that removes a key.
func (b *Bucket) Unset(key string) Op { return Op{Space: b, Key: key} }

// Group is what one commit adds to the log: consecutive records and the marks
// of stream management that became true with them. A group may have marks only.
type Group struct {
	First   uint64 // sequence number of Records[0]; at least Last()+1 (numbers may be skipped)
	Time    int64  // Unix milliseconds
	Records []Record
	Marks   []Mark
}

// Valid tells whether g can follow a log whose Last is last.
func (g *Group) Valid(last uint64) error {
	if len(g.Records) == 0 {
		return nil
	}
	end := g.First + uint64(len(g.Records)) - 1
	if g.First <= last || end < g.First || end > MaxSeq {
		return fmt.Errorf("store: group of %d at %d cannot follow %d", len(g.Records), g.First, last)
	}
	return nil
}

// MaxSeq is the highest sequence number: what a signed column holds.
const MaxSeq = 1<<63 - 1

// Record is one archived stanza, payload once, an entry for each owner. In what
// Replay hands out, the place of a deleted record is held by a zero Record, whose
// Body is nil.
type Record struct {
	Time    int64   // Unix milliseconds, when it was received
	Body    []byte  // the stanza, self-contained, without stanza-id
	Entries []Entry // an owner at most once: of repeated ones the first counts
}

// Entry puts a record into one owner's archive.
type Entry struct {
	Owner string // bare JID
	Peer  string // bare JID of the other side
	Flags uint8  // the archive's own, kept as they are
}

// Mark is how far a resumable session's inbound stanzas are settled.
type Mark struct {
	Session [16]byte // resumption id
	H       uint32   // XEP-0198 counter
}

// Row is one entry of a page.
type Row struct {
	Seq   uint64
	Time  int64
	Peer  string
	Flags uint8
	Body  []byte // nil when the query asked for none
}

// Query selects a page of one owner's archive. Bounds that are zero do not
// bound.
type Query struct {
	Owner         string
	Peer          string // bare JID; "" for all
	After, Before uint64 // After < seq < Before
	From, To      int64  // From <= time <= To, Unix milliseconds
	Limit         int    // rows at most, > 0
	Backward      bool   // the last Limit rows instead of the first; rows come in ascending order all the same
	NoBody        bool
}

// Log is the append-only message log. One committer calls Append; queries come
// from anywhere, see what Append has returned for and never what is not durable.
type Log interface {
	// Append makes a group durable; an empty one is nothing. An error means that
	// nothing of it was written and that the log goes on (disk full, a First that
	// is not above Last), unless it wraps ErrFatal.
	Append(g *Group) error
	// Last is the highest sequence number ever used, also by records deleted
	// since; 0 for a new log.
	Last() uint64
	// Page returns the rows and whether the selection has more beyond them.
	Page(ctx context.Context, q Query) (rows []Row, more bool, err error)
	// Find returns those of seqs that are in the owner's archive, ascending.
	Find(ctx context.Context, owner string, seqs []uint64) ([]Row, error)
	// Count is the number of rows a query selects, its Limit ignored.
	Count(ctx context.Context, q Query) (int, error)
	// Replay calls f with the groups whose Time is since or later, in the order of
	// their times and, among equals, of their coming, payloads included. It stops
	// at f's first error and returns it. Groups appended meanwhile may be left out.
	Replay(ctx context.Context, since int64, f func(Group) error) error
	// Expire deletes at most limit payloads of groups whose Time is before a time,
	// with their entries, oldest first, and returns how many it deleted. A group
	// goes with its marks when its last payload does; one that never had or no
	// longer has a payload counts as one. Fewer than limit: nothing older is left.
	Expire(ctx context.Context, before int64, limit int) (int, error)
	// Delete removes payloads and entries for every owner; numbers that are not
	// there are no error. On return the texts are gone from the disk, except when
	// a reader still holds them: then at the next sweep.
	Delete(ctx context.Context, seqs []uint64) error
	// Replace puts another payload in the place of one: entries, time and place
	// stay. ErrNotFound when there is none. On return the old text is gone from the
	// disk, as with Delete.
	Replace(ctx context.Context, seq uint64, body []byte) error
	// Forget removes an owner's entries, and payloads that nobody owns any more.
	Forget(ctx context.Context, owner string) error
}

// ErrFatal marks errors of the durable path after which the state on disk is
// unknown: stop, and recover at the next start.
var ErrFatal = errors.New("storage state unknown")

// Account is one login. Passwords are kept as SCRAM keys only (RFC 5802 §3).
type Account struct {
	Name     string // localpart
	Created  int64  // Unix seconds
	Admin    bool
	SHA1     Scram
	SHA256   Scram
	Disabled bool
}

// Scram is what a server keeps of a password for one hash.
type Scram struct {
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// Accounts keeps the logins of the one domain.
type Accounts interface {
	Account(ctx context.Context, name string) (Account, error) // ErrNotFound
	// AddAccounts is atomic: ErrExists when one is there already or named twice.
	AddAccounts(ctx context.Context, as []Account) error
	SetAccount(ctx context.Context, a Account) error      // ErrNotFound
	RemoveAccount(ctx context.Context, name string) error // ErrNotFound
	AccountNames(ctx context.Context) ([]string, error)   // in order
}

// Store is an engine: everything in one place, one writer, one durability.
type Store interface {
	KV
	Log
	Accounts
	// Version names the engine and its version for logs and the ops page.
	Version() string
	// Close waits for what was taken up; closing twice is no error.
	Close() error
}

// Checkpointer is what an engine with a write-ahead log offers besides.
type Checkpointer interface {
	// Checkpoint moves the log into the database and empties it, so that deleted
	// texts are gone from both. A sweep of Expire ends with it.
	Checkpoint() error
}
