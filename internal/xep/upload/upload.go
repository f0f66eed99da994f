// Package upload lets people send files: HTTP File Upload, XEP-0363 version 1.2.0.
// A client asks upload.DOMAIN for a slot, puts the file there by HTTP, and anybody
// who is given the link may get it. It shows no file as a page, looks into none, and
// fetches none from elsewhere.
//
// Who has a file is known by its token alone, 130 random bits: what is kept are
// hashes of token and name, so that neither the disk nor a log tells a link. A slot
// lives in memory until it is used or five minutes old; its size is taken from the
// account's quota when it is given, and is what is put, exactly, or nothing.
//
// Invariants, each with a test: one slot takes one PUT; no account has more than its
// quota, however many uploads run at once; what was broken off, by whoever,
// leaves nothing but what the next start removes; a removed account's files are gone;
// a browser that is led to a link runs nothing of it.
package upload

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

const (
	ns        = "urn:xmpp:http:upload:0"
	nsPurpose = "urn:xmpp:http:upload:purpose:0"
)

// Config is what the operator chose.
type Config struct {
	Site    jid.JID       // upload.DOMAIN
	URL     string        // of the web side, without a slash at the end
	MaxSize int64         // of one file, in bytes
	Quota   int64         // of an account, in bytes
	Files   int           // of an account
	Keep    time.Duration // of a file; 0 for ever
	MinFree int64         // bytes that stay free where the files are
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil registers nothing
}

// Upload is the feature.
type Upload struct {
	cfg     Config
	router  *core.Router
	kv      store.KV
	blob    store.Blob
	files   *store.Bucket // of accounts: key of a file -> its record
	index   *store.Bucket // of the server: see shelf.go
	metrics *metrics

	stop context.CancelFunc
	run  sync.WaitGroup

	// held for moments; taken inside of account.mu
	mu       sync.Mutex
	slots    map[string]*slot     // by the key of their PUT
	accounts map[jid.JID]*account // that have asked for something since the start
	busy     map[string]bool      // keys of files between their first byte and their record
	promised int64                // bytes of slots whose files are not there yet
}

// New returns the feature, which keeps files in blob. It has them swept once
// Start is called.
func New(r *core.Router, kv store.KV, blob store.Blob, cfg Config) *Upload {
	return &Upload{
		cfg: cfg, router: r, kv: kv, blob: blob, metrics: newMetrics(cfg.Metrics),
		slots: map[string]*slot{}, accounts: map[jid.JID]*account{}, busy: map[string]bool{}, stop: func() {},
		files: kv.Declare(store.Space{
			Name: "upload", Fields: "for each file, by a hash of its link: size, times of coming and going, media type; not its name",
			Purpose: "the files that the account has sent (XEP-0363), and its quota", Life: cfg.Keep, Export: true,
		}),
		index: kv.Declare(store.Space{
			Name: "upload-index", Fields: "by the hash of a file's link, and by account: whose file it is",
			Purpose: "to find a file by its link, and the files of an account that is removed", Life: cfg.Keep,
		}),
	}
}

// Register attaches the feature. Commands are for others to hook up.
func (u *Upload) Register(h *core.Host) {
	site := h.Site(u.cfg.Site)
	h.IQ(site.Host, ns, "request", u.request)
	h.IQ(site.Host, nsQuota, "quota", u.quota)
	// XEP-0363#disco, XEP-0363#purpose
	h.Disco(site.Host, ns, nsPurpose+"#message", nsPurpose+"#ephemeral", nsQuota)
	what := h.DiscoAt(site.Host)
	what.Identities = append(what.Identities, core.Identity{Category: "store", Type: "file", Name: "HTTP File Upload"})
	what.Forms = append(what.Forms, u.form, u.quotaForm)
	h.HTTP("PUT "+route, guard(u.put))
	h.HTTP("GET "+route, guard(u.get))
	h.HTTP("OPTIONS "+route, guard(preflight))
	h.AccountGone = append(h.AccountGone, u.accountGone)
	h.Every(sweepEvery, u.tick)
}

// maxSize is the largest file that an account can have.
func (u *Upload) maxSize() int64 { return min(u.cfg.MaxSize, u.cfg.Quota) }

// form tells how large a file may be.
// XEP-0363#disco
func (u *Upload) form(*core.Query) []byte {
	f := form.Form{Kind: form.Result, Of: ns, Fields: []form.Field{
		{Var: "max-file-size", Kind: form.TextSingle, Values: []string{strconv.FormatInt(u.maxSize(), 10)}},
	}}
	return f.Append(nil)
}

// Start begins to sweep: first what a crash has left.
func (u *Upload) Start() {
	ctx, stop := context.WithCancel(context.Background())
	u.stop = stop
	u.run.Go(func() { u.sweep(ctx, time.Now(), true) })
}

// Close ends a sweep that runs.
func (u *Upload) Close() {
	u.stop()
	u.run.Wait()
}

func number(b []byte, name string, n int64) []byte {
	return xtok.AppendAttr(b, name, strconv.FormatInt(n, 10))
}
