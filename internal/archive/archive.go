// Package archive is the durable message log as the server uses it: the group
// committer behind core.Archive, the ids that clients see, who keeps what and
// for how long, which resends are recognised, and how far each account has read.
//
// It is not the store (that is store.Log, whose one committer this is) and
// speaks no XMPP to clients: xep/mam and xep/offline do, by its queries.
//
// Invariants, each with a test:
//   - a transit is released only when the group that holds it is durable, and
//     after everything that was appended before it;
//   - a group that cannot be written is tried again and nobody in it or behind
//     it is released meanwhile, so nothing is acknowledged that is not kept;
//   - the h recovered for a session after a crash is never lower than one that
//     it was told, as long as it is recovered at all.
//
// Goroutines: New starts the committer and the releaser, Close ends both and
// waits. Append is called by sessions' readers; Release runs on the releaser.
package archive

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Config is what an Archive needs to know. The zero values of the first
// four stand for their defaults.
type Config struct {
	// Resumption is how long resends are recognised and counts of resumable
	// sessions remembered; 10 minutes.
	Resumption time.Duration
	// Repeats is the most resends remembered, the oldest are forgotten first; 500,000
	// (20 MB when full).
	Repeats int
	// Waiting is how many bytes may wait for the disk before senders wait; 64 MiB.
	Waiting int
	// Keep is how long messages are kept; 30 days.
	Keep Keep
	// Fatal hears, once, that the state on disk is unknown: the server must stop.
	Fatal func(error)
	// Contact tells whether peer, a bare JID, is in the owner's roster, for the
	// preference "roster"; without it everybody is. It runs on sessions' readers.
	Contact func(owner, peer jid.JID) bool
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil for none
}

// Archive is the durable log. Its methods may be called from any goroutine.
type Archive struct {
	log     store.Log
	cfg     Config
	ids     cipher.Block
	b64     *base64.Encoding
	metrics *metrics
	prefs   *prefs
	cursors *Cursors

	mu      sync.Mutex // guards the rest up to closing; held for no I/O
	work    *sync.Cond // the committer waits for something to commit
	room    *sync.Cond // Append waits for less to wait
	queue   []*core.Transit
	head    int // queue[:head] is taken
	waiting int // bytes appended and not yet durable
	next    uint64
	repeats *repeats
	marks   map[[16]byte]uint32 // recovered at start; nil once outdated
	closing bool

	stop    chan struct{} // closed by Close
	durable chan []*core.Transit
	spare   chan []*core.Transit
	run     sync.WaitGroup
	failing atomic.Pointer[failure]
	latest  int64       // time of the last group; the committer's
	group   store.Group // the committer's
	entries []store.Entry
	marked  map[[16]byte]int // session to its place in group.Marks; the committer's
}

// How much one group holds.
const (
	groupRecords = 512
	groupBytes   = 4 << 20
)

// New opens the archive on a log and starts its goroutines. It reads the
// groups of the last Resumption to recognise resends and know counts.
func New(ctx context.Context, log store.Log, kv store.KV, cfg Config) (*Archive, error) {
	a, err := prepare(ctx, log, kv, cfg)
	if err != nil {
		return nil, err
	}
	a.run.Go(a.commitGroups)
	a.run.Go(a.releaseGroups)
	return a, nil
}

// prepare is New without the goroutines.
func prepare(ctx context.Context, log store.Log, kv store.KV, cfg Config) (*Archive, error) {
	if cfg.Resumption == 0 {
		cfg.Resumption = 10 * time.Minute
	}
	if cfg.Repeats == 0 {
		cfg.Repeats = 500_000
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = 64 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &Archive{
		log: log, cfg: cfg, metrics: newMetrics(cfg.Metrics), b64: base64.RawURLEncoding.Strict(),
		next: log.Last() + 1, repeats: newRepeats(cfg.Resumption, cfg.Repeats), marks: map[[16]byte]uint32{},
		stop: make(chan struct{}), durable: make(chan []*core.Transit, 2), spare: make(chan []*core.Transit, 4),
		marked: map[[16]byte]int{},
	}
	a.work, a.room = sync.NewCond(&a.mu), sync.NewCond(&a.mu)
	if err := a.open(ctx, kv); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return a, nil
}

// open reads what a restart must know.
func (a *Archive) open(ctx context.Context, kv store.KV) error {
	secrets := kv.Declare(store.Space{
		Name: "archive", Fields: "id-key: the AES-128 key of archive ids",
		Purpose: "archive ids tell nothing about how much is archived", Until: "the server itself is gone",
	})
	key, err := idKey(ctx, secrets)
	if err != nil {
		return err
	}
	if a.ids, err = aes.NewCipher(key); err != nil {
		return err
	}
	if a.prefs, err = openPrefs(ctx, kv); err != nil {
		return err
	}
	if a.cursors, err = openCursors(ctx, kv); err != nil {
		return err
	}
	return a.recover(ctx)
}

// idKey reads the key of archive ids, making it the first time.
func idKey(ctx context.Context, b *store.Bucket) ([]byte, error) {
	item, err := b.Get(ctx, "", "id-key")
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return item.Value, err
	}
	key := make([]byte, 16)
	rand.Read(key)
	return key, b.Put(ctx, "", "id-key", key)
}

// Close commits what waits, unless the log is failing, and ends the
// goroutines. What is appended afterwards is dropped, unacknowledged.
func (a *Archive) Close() {
	a.mu.Lock()
	if !a.closing {
		a.closing = true
		close(a.stop)
	}
	a.work.Broadcast()
	a.room.Broadcast()
	a.mu.Unlock()
	a.run.Wait()
	a.cursors.Flush()
}

// StanzaID is the id that clients see for a place in the log: opaque, and
// telling nothing about other places.
// XEP-0359#security
func (a *Archive) StanzaID(seq uint64) string {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[8:], seq)
	a.ids.Encrypt(block[:], block[:])
	var text [22]byte
	a.b64.Encode(text[:], block[:])
	return string(text[:])
}

// ParseStanzaID is the inverse of StanzaID; ok is false for what StanzaID
// never made.
func (a *Archive) ParseStanzaID(id string) (seq uint64, ok bool) {
	if len(id) != 22 {
		return 0, false
	}
	var block [aes.BlockSize]byte
	if _, err := a.b64.Decode(block[:], []byte(id)); err != nil {
		return 0, false
	}
	a.ids.Decrypt(block[:], block[:])
	seq = binary.BigEndian.Uint64(block[8:])
	return seq, binary.BigEndian.Uint64(block[:8]) == 0 && seq > 0 && seq <= store.MaxSeq
}
