// Package outage tells people of times when the server is not there: Service Outage
// Status, XEP-0455 version 0.4.0. Clients learn by service discovery where a file with
// the state lies, keep that address, and look there when they cannot connect.
//
// The file is one that the operator keeps elsewhere, or our own, which nobody can read
// while this very server is down; the plan can be printed to be laid down elsewhere.
// Invariants: there is at most one outage; when it is over, the file says nothing,
// whether somebody takes it away or not; everybody may read it.
package outage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/language"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsForm is the type of the form in service discovery.
const nsForm = "urn:xmpp:sos:0"

// Path is where our own file is served.
const Path = "/outage.json"

// Bounds of a plan.
const (
	maxText  = 2000 // bytes in one language
	maxLangs = 50
	longest  = 30 * 24 * time.Hour
	ahead    = 366 * 24 * time.Hour
	// openEnd is how long one without an end is told of.
	openEnd = 7 * 24 * time.Hour
)

// Plan is an outage, as the file tells it.
// XEP-0455#json-schema
type Plan struct {
	Planned     bool              `json:"planned"`
	Beginning   time.Time         `json:"beginning"`
	ExpectedEnd time.Time         `json:"expected_end,omitzero"`
	Message     map[string]string `json:"message,omitempty"` // by language tag, and "default"
}

// over tells whether there is nothing to tell any more.
func (p *Plan) over(now time.Time) bool {
	end := p.ExpectedEnd
	if end.IsZero() {
		end = p.Beginning.Add(openEnd)
	}
	return now.After(end)
}

// check refuses what is no plan, in words for people.
func (p *Plan) check(now time.Time) error {
	bad := func(text string, args ...any) error { return stanza.Errorf(stanza.NotAcceptable, text, args...) }
	switch {
	case p.Beginning.IsZero():
		return bad("when it begins is missing")
	case p.Beginning.After(now.Add(ahead)):
		return bad("it begins more than a year from now")
	case !p.ExpectedEnd.IsZero() && !p.ExpectedEnd.After(p.Beginning):
		return bad("it ends before it begins")
	case !p.ExpectedEnd.IsZero() && p.ExpectedEnd.Sub(p.Beginning) > longest:
		return bad("it lasts longer than %d days", longest/(24*time.Hour))
	case p.over(now):
		return bad("it is over already")
	case len(p.Message) > maxLangs:
		return bad("a message in at most %d languages", maxLangs)
	case len(p.Message) > 0 && p.Message["default"] == "":
		return bad("a message for those whose language is not there is missing")
	}
	for tag, text := range p.Message {
		if _, err := language.Parse(tag); err != nil && tag != "default" {
			return bad("%q is no language such as de or pt-BR", tag)
		}
		if len(text) > maxText {
			return bad("a message has at most %d bytes", maxText)
		}
	}
	return nil
}

// Outage is the feature. Make it with New.
type Outage struct {
	url    string // where clients look, "" for nowhere
	own    bool
	bucket *store.Bucket
	change sync.Mutex // held while the plan changes, storage included
	plan   atomic.Pointer[Plan]
}

// New makes the feature. elsewhere is the address of a file that the operator keeps,
// "" for our own; public is where our web pages begin, "" where there are none. Load
// is to be called before start.
func New(kv store.KV, elsewhere, public string) *Outage {
	o := &Outage{url: elsewhere, bucket: kv.Declare(store.Space{
		Name: "outage", Fields: "plan: begin, end and message of an outage",
		Purpose: "tell people when the server is not there (XEP-0455)", Life: ahead + longest,
	})}
	if elsewhere == "" && public != "" {
		o.url, o.own = public+Path, true
	}
	return o
}

// Register attaches the feature. Commands are for others to hook up.
func (o *Outage) Register(h *core.Host) {
	if o.own {
		h.HTTP("GET "+Path, http.HandlerFunc(o.serve))
	}
	if o.url == "" {
		return
	}
	d := h.DiscoAt(core.Server)
	d.Forms = append(d.Forms, o.form)
	h.Every(time.Minute, o.sweep)
}

// form tells where the file is.
// XEP-0455#external-disco
func (o *Outage) form(*core.Query) []byte {
	b := []byte("<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>" + nsForm +
		"</value></field><field var='external-status-addresses' type='list-multi'><value>")
	return append(xtok.Escape(b, o.url), "</value></field></x>"...)
}

// The owner, who is nobody, and the key.
const (
	server = ""
	key    = "plan"
)

// Load reads the plan.
func (o *Outage) Load(ctx context.Context) error {
	item, err := o.bucket.Get(ctx, server, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	var p Plan
	if err == nil {
		err = json.Unmarshal(item.Value, &p)
	}
	if err != nil {
		return fmt.Errorf("outage: %w", err)
	}
	o.plan.Store(&p)
	return nil
}

// set makes a plan the one that there is, durably.
func (o *Outage) set(ctx context.Context, p *Plan) error {
	o.change.Lock()
	defer o.change.Unlock()
	value, err := json.Marshal(p)
	if err == nil {
		err = o.bucket.Put(ctx, server, key, value)
	}
	if err == nil {
		o.plan.Store(p)
	}
	return err
}

// now is the outage that there is to tell of, nil for none.
func (o *Outage) now() *Plan {
	if p := o.plan.Load(); p != nil && !p.over(time.Now()) {
		return p
	}
	return nil
}

// clear takes the plan away.
func (o *Outage) clear(ctx context.Context) error {
	o.change.Lock()
	defer o.change.Unlock()
	return o.remove(ctx)
}

// remove is under change.
func (o *Outage) remove(ctx context.Context) error {
	if err := o.bucket.Delete(ctx, server, key); err != nil {
		return err
	}
	o.plan.Store(nil)
	return nil
}

// sweep takes away what is over, and nothing that was planned meanwhile. What fails is
// tried again; nobody is told of it.
func (o *Outage) sweep(now time.Time) {
	o.change.Lock()
	defer o.change.Unlock()
	if p := o.plan.Load(); p != nil && p.over(now) {
		_ = o.remove(context.Background())
	}
}

// json is what the file holds: nothing is an empty object.
// XEP-0455#json-schema
func (o *Outage) json() []byte {
	p := o.now()
	if p == nil {
		return []byte("{}\n")
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err) // strings and times only
	}
	return append(b, '\n')
}

// serve serves our own file, to web clients of any origin too.
func (o *Outage) serve(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "max-age=60")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(o.json()) // the asker went away
}

// languages are the tags of a message in order, the default first.
func languages(m map[string]string) []string {
	tags := slices.Sorted(maps.Keys(m))
	if i := slices.Index(tags, "default"); i > 0 {
		tags = slices.Insert(slices.Delete(tags, i, i+1), 0, "default")
	}
	return tags
}
