// Package transparency tells everybody what this server can see and keep of people, at
// /transparency.json: made of what the features themselves have declared of their spaces, so
// that what is kept and what is told cannot come apart, and of a short list, here, of what is
// no space. It is no XEP and tells nothing about any one person. docs/protocol/site.md has the shape.
//
// Invariants: every space that is declared is told; the answer is the same for everybody.
package transparency

import (
	"encoding/json"
	"net/http"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
)

// Config is what the list needs to know of the configuration.
type Config struct {
	Domain, Version string
	// Archive is how long messages are kept, 0 until they are delivered.
	Archive time.Duration
	// Files is how long files are kept, 0 where there are none.
	Files time.Duration
	// Encrypted tells that messages between two people have to be end-to-end encrypted.
	Encrypted bool
}

// Feature is the feature.
type Feature struct {
	kv  store.KV
	cfg Config
}

// New makes the feature.
func New(kv store.KV, cfg Config) *Feature { return &Feature{kv, cfg} }

// Register attaches the feature.
func (f *Feature) Register(h *core.Host) {
	h.HTTP("GET /transparency.json", http.HandlerFunc(f.serve))
}

// Entry is one thing that is kept or seen.
type Entry struct {
	Kind    string `json:"kind"` // space, table, files, log or memory
	Name    string `json:"name"` // stable, for translations
	Fields  string `json:"fields"`
	Purpose string `json:"purpose"`
	// Life is the longest, in seconds; 0 is as long as the account, or Until.
	Life int64 `json:"life"`
	// Until says it where it is no number.
	Until string `json:"until,omitempty"`
}

func (f *Feature) serve(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	h.Set("Access-Control-Allow-Origin", "*") // the same for everybody
	_ = json.NewEncoder(w).Encode(struct {
		Version   int     `json:"version"`
		Domain    string  `json:"domain"`
		Software  string  `json:"software"`
		Encrypted bool    `json:"encrypted"`
		Entries   []Entry `json:"entries"`
	}{1, f.cfg.Domain, "Mirsal " + f.cfg.Version, f.cfg.Encrypted, append(f.beside(), f.spaces()...)}) // the asker went away
}

// spaces are what the features have declared.
func (f *Feature) spaces() (list []Entry) {
	for _, s := range f.kv.Spaces() {
		list = append(list, Entry{Kind: "space", Name: s.Name, Fields: s.Fields, Purpose: s.Purpose, Life: seconds(s.Life), Until: s.Until})
	}
	return list
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// delivered is how long messages are kept that are kept until they are delivered.
const delivered = "acknowledged by a session of each owner, and 7 days of grace"

// beside are what is no space.
func (f *Feature) beside() []Entry {
	list := []Entry{
		{Kind: "table", Name: "account", Fields: "name, since when, whether administrator or disabled, SCRAM keys of the password", Purpose: "let people sign in; the password itself is not known"},
		f.archive(),
		{Kind: "log", Name: "log", Fields: "address of an account, what happened and when; of a network that asks too often its prefix; no message, no secret, no device's address",
			Purpose: "find faults and abuse", Until: "as the operator keeps logs"},
		{Kind: "memory", Name: "connections", Fields: "network address of each connection, who is signed in there, whether it is online; how often networks and names were tried",
			Purpose: "deliver messages; hold floods off", Until: "the connection ends, or the server restarts"},
	}
	if f.cfg.Files > 0 {
		list = append(list, Entry{Kind: "files", Name: "files", Fields: "files as they were sent, encrypted by the sender in an encrypted chat; neither their names nor keys",
			Purpose: "hand them to those who have the link", Life: seconds(f.cfg.Files)})
	}
	return list
}

// archive tells of messages.
func (f *Feature) archive() Entry {
	e := Entry{
		Kind: "table", Name: "messages", Life: seconds(f.cfg.Archive),
		Fields:  "each message as it was sent, its sender, receiver and time; the text is encrypted end to end, reactions, receipts and other signs are not",
		Purpose: "give every device of an account its messages, also those that were away",
	}
	if !f.cfg.Encrypted {
		e.Fields = "each message as it was sent, its sender, receiver and time; the text is encrypted end to end where both sides do that, else it can be read"
	}
	if f.cfg.Archive == 0 {
		e.Until = delivered
	}
	return e
}
