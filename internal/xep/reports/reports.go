// Package reports takes what people report when they block somebody: Blocking Command
// Reports, XEP-0377 version 0.4.1. Reports wait in a queue for the administrators, who
// are told that there are some, and close them.
//
// It blocks nobody (xep/blocking does, and hands reports over), punishes nobody,
// and forwards nothing to other servers: that waits for federation. Invariants: a
// report costs a bounded number of bytes, and somebody's reports a bounded number of
// reports; who reports the same address again adds to the same report; texts of
// messages are not in it, unless its author wrote them there; when the account of
// either side goes, so does the report; after 90 days it goes anyway.
package reports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// ns is the namespace of reports, nsSID that of the ids of messages.
const (
	ns    = "urn:xmpp:reporting:1"
	nsSID = "urn:xmpp:sid:0"
)

// Bounds.
const (
	life        = 90 * 24 * time.Hour // since it was last reported
	most        = 10_000              // reports
	mostEach    = 50                  // of one account
	maxTexts    = 5
	maxText     = 1 << 10 // bytes
	maxMessages = 20
	maxName     = 256 // bytes of a reason, an id, a language
	tellEvery   = time.Hour
)

// Report is one, as it is kept.
type Report struct {
	ID       string            `json:"id"`
	Reporter string            `json:"reporter"` // bare JID
	Reported string            `json:"reported"` // as it was blocked
	Reason   string            `json:"reason"`
	Texts    map[string]string `json:"texts,omitempty"` // by language, "" where none is said
	Messages []Message         `json:"messages,omitempty"`
	// Origin and ThirdParty are what the reporter agreed to; nothing is done with them yet.
	Origin     bool  `json:"report_origin,omitempty"`
	ThirdParty bool  `json:"third_party,omitempty"`
	First      int64 `json:"first"` // Unix seconds
	Last       int64 `json:"last"`
	Times      int   `json:"times"`
	// Closed says by whom, "" while it is open.
	Closed string `json:"closed,omitempty"`
}

// Message names a message in an archive.
type Message struct {
	By string `json:"by"`
	ID string `json:"id"`
}

// Config is what it works with.
type Config struct {
	// Admins are those who are told. It may block on storage.
	Admins func(ctx context.Context) ([]jid.JID, error)
	Log    *slog.Logger
}

// Reports is the feature. Make it with New.
type Reports struct {
	Config
	router *core.Router
	bucket *store.Bucket
	told   *store.Bucket

	// mu is held while one report changes, storage included: few do.
	mu     sync.Mutex
	all    map[string]*Report // by ID, without texts and messages
	each   map[string]int     // how many of each reporter
	news   bool               // something that the administrators were not told of
	toldAt time.Time
}

// New makes the feature over its storage. Load is to be called before start.
func New(r *core.Router, kv store.KV, cfg Config) *Reports {
	return &Reports{
		Config: cfg, router: r, all: map[string]*Report{}, each: map[string]int{},
		told: kv.Declare(store.Space{
			Name: "report-told", Fields: "when the administrators were last told that there are reports", Purpose: "tell them of each report once, and not often", Until: "they are told again",
		}),
		bucket: kv.Declare(store.Space{
			Name: "report", Fields: "id -> who reported whom, when, why, in what words, and which messages by their ids",
			Purpose: "let administrators act on spam and abuse (XEP-0377)", Life: life,
		}),
	}
}

// Register attaches the feature. Take and Commands are for others to hook up.
func (f *Reports) Register(h *core.Host) {
	h.AccountGone = append(h.AccountGone, f.gone)
	h.Every(time.Minute, f.tick)
	// XEP-0377#disco
	h.Disco(core.Server, ns)
}

// server is the owner of reports: they are for the administrators.
const server = ""

// Load reads what waits, and whether the administrators were told of it.
func (f *Reports) Load(ctx context.Context) error {
	if err := f.loadTold(ctx); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	items, err := f.bucket.Scan(ctx, server, store.Range{})
	if err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	for _, item := range items {
		var r Report
		if err := json.Unmarshal(item.Value, &r); err != nil {
			return fmt.Errorf("report %s: %w", item.Key, err)
		}
		f.index(&r)
		// what came in the second in which they were told, they may not know of
		f.news = f.news || r.Closed == "" && r.Last >= f.toldAt.Unix()
	}
	return nil
}

// lastTold is the one key of its space.
const lastTold = "at"

func (f *Reports) loadTold(ctx context.Context) error {
	item, err := f.told.Get(ctx, server, lastTold)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = f.toldAt.UnmarshalText(item.Value)
	}
	return err
}

// index notes a report in memory; under mu.
func (f *Reports) index(r *Report) {
	if f.all[r.ID] == nil {
		f.each[r.Reporter]++
	}
	short := *r
	short.Texts, short.Messages = nil, nil
	f.all[r.ID] = &short
}

// unindex is under mu.
func (f *Reports) unindex(id string) {
	r := f.all[id]
	if r == nil {
		return
	}
	delete(f.all, id)
	if f.each[r.Reporter]--; f.each[r.Reporter] <= 0 {
		delete(f.each, r.Reporter)
	}
}

// idOf is the same for the same two, and tells nobody who they are.
func idOf(reporter, reported string) string {
	h := sha256.Sum256([]byte(reporter + "\x00" + reported))
	return hex.EncodeToString(h[:6])
}

// Take takes the report in an item of a block that was made. What cannot be kept is
// logged: the block holds all the same.
// XEP-0377#blocking
func (f *Reports) Take(ctx context.Context, reporter, reported jid.JID, report xtok.Elem) {
	r := read(report)
	r.Reporter, r.Reported = reporter.Bare().String(), reported.String()
	r.ID = idOf(r.Reporter, r.Reported)
	kept, err := f.keep(ctx, r)
	switch {
	case err != nil:
		f.Log.Error("a report cannot be kept", "jid", r.Reporter, "err", err)
	case kept:
		f.Log.Info("report taken", "report", r.ID)
	default:
		f.Log.Warn("a report is not taken: there are too many", "jid", r.Reporter)
	}
}

// keep writes a report; false when there are too many. An older one of the same two
// is the same report.
func (f *Reports) keep(ctx context.Context, r Report) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now().Unix()
	r.First, r.Last, r.Times = now, now, 1
	if was := f.all[r.ID]; was != nil {
		r.First, r.Times = was.First, was.Times+1
	} else if len(f.all) >= most || f.each[r.Reporter] >= mostEach {
		return false, nil
	}
	if reporter, err := jid.Parse(r.Reporter); err != nil || !f.router.Exists(reporter) {
		return false, err // removed meanwhile
	}
	if err := f.write(ctx, &r); err != nil {
		return false, err
	}
	f.news = true
	return true, nil
}

// write makes a report durable; under mu.
func (f *Reports) write(ctx context.Context, r *Report) error {
	value, err := json.Marshal(r)
	if err == nil {
		err = f.bucket.Put(ctx, server, r.ID, value)
	}
	if err == nil {
		f.index(r)
	}
	return err
}

// read reads a report, as much of it as is kept.
// XEP-0377#payload, XEP-0377#processing
func read(e xtok.Elem) (r Report) {
	r.Reason = cut(e.Attr("reason"), maxName)
	for c := range e.Children() {
		switch {
		case c.Is(ns, "text") && len(r.Texts) < maxTexts:
			if r.Texts == nil {
				r.Texts = map[string]string{}
			}
			r.Texts[cut(c.Lang(), maxName)] = cut(c.Text(), maxText)
		case c.Is(nsSID, "stanza-id") && len(r.Messages) < maxMessages:
			r.Messages = append(r.Messages, Message{cut(c.Attr("by"), maxName), cut(c.Attr("id"), maxName)})
		case c.Is(ns, "report-origin"):
			r.Origin = true
		case c.Is(ns, "third-party"):
			r.ThirdParty = true
		}
	}
	return r
}

// cut bounds a text, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// gone removes the reports by an account and about it.
func (f *Reports) gone(bare jid.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, r := range f.all {
		about, err := jid.Parse(r.Reported)
		if r.Reporter == bare.String() || err == nil && about.Bare() == bare {
			f.drop(id)
		}
	}
}

// drop removes one; what fails is tried again when its time is over. Under mu.
func (f *Reports) drop(id string) {
	if err := f.bucket.Delete(context.Background(), server, id); err != nil {
		f.Log.Error("a report cannot be removed", "report", id, "err", err)
		return
	}
	f.unindex(id)
}

// tick removes what is too old, and tells the administrators.
func (f *Reports) tick(now time.Time) {
	f.mu.Lock()
	for id, r := range f.all {
		if now.Sub(time.Unix(r.Last, 0)) > life {
			f.drop(id)
		}
	}
	tell := f.news && now.Sub(f.toldAt) >= tellEvery
	if tell {
		f.news, f.toldAt = false, now
	}
	open := f.open()
	f.mu.Unlock()
	if tell && open > 0 {
		f.tell(now, open)
	}
}

// tell tells the administrators, and remembers that. Where there are none yet, or
// they cannot be found, those of an hour later are told.
func (f *Reports) tell(now time.Time, open int) {
	ctx := context.Background()
	some, err := f.announce(ctx, open)
	if err == nil && some {
		var at []byte
		if at, err = now.MarshalText(); err == nil {
			err = f.told.Put(ctx, server, lastTold, at)
		}
	}
	if err != nil {
		f.Log.Error("administrators cannot be told of reports", "err", err)
	}
	if !some {
		f.mu.Lock()
		f.news = true
		f.mu.Unlock()
	}
}

// open counts; under mu.
func (f *Reports) open() (n int) {
	for _, r := range f.all {
		if r.Closed == "" {
			n++
		}
	}
	return n
}
