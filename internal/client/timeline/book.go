package timeline

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// Change is what a step has changed: what to tell, and what to keep. The engine
// keeps Batch (with others, if it likes) before it tells Events and before it
// acknowledges what caused them; then it calls Book.Committed. A Change that comes with
// an error is empty; the Book must then be opened anew, if what was begun matters.
type Change struct {
	Events []port.Event
	Batch  *keep.Batch
	Files  []string // where files lie whose message was taken back, or is no more: nobody is to keep them
}

// Config is what a Book is opened with.
type Config struct {
	Own  string    // the account's bare address
	Rand io.Reader // for ids of messages
	// Dress fills in what the timeline does not know of a chat (name, lock, online,
	// blocked, joined); Name gives what to show for a sender, "" for no other than
	// came with the message. Either may be nil. They must not use the Book.
	Dress func(*port.Chat)
	Name  func(chat, sender string) string
	// Depth is how many pages of history a new profile fetches without being asked, 0: 5.
	Depth int
	// Now is the clock for what happens when nobody tells the time; nil is the machine's.
	Now func() time.Time
}

// Book is all conversations of one account. In memory it has the list of chats, what is
// known of archives, the outbox, and what is not committed yet.
type Book struct {
	own   string
	rand  io.Reader
	dress func(*port.Chat)
	name  func(chat, sender string) string
	depth int

	kept   *layer
	next   uint64 // the last number given
	list   map[string]*chat
	known  map[string]*archive
	outbox []*item // in order
	typing map[string]map[string]time.Time

	present func() time.Time
	vanish  time.Time // when the first line is to be deleted
}

// Open reads a Book from a store.
func Open(store keep.Store, c Config) (*Book, error) {
	b := &Book{own: c.Own, rand: c.Rand, dress: c.Dress, name: c.Name, depth: c.Depth,
		kept: &layer{store: store, above: map[keep.Table]map[string][]byte{}},
		list: map[string]*chat{}, known: map[string]*archive{}, typing: map[string]map[string]time.Time{}}
	if b.present = c.Now; b.present == nil {
		b.present = time.Now
	}
	if b.depth == 0 {
		b.depth = 5
	}
	for _, load := range []func() error{b.loadNext, b.loadChats, b.loadArchives, b.loadOutbox, b.loadVanish} {
		if err := load(); err != nil {
			return nil, fmt.Errorf("timeline: %w", err)
		}
	}
	return b, nil
}

func (b *Book) loadNext() error {
	v, err := b.kept.get(tableMeta, "next")
	if err != nil || v == nil {
		return err
	}
	b.next, err = strconv.ParseUint(string(v), 10, 64)
	return err
}

func (b *Book) loadChats() error {
	return each(b.kept, tableChats, func(_ string, c *chat) { b.list[c.Address] = c })
}

func (b *Book) loadArchives() error {
	return each(b.kept, tableArchives, func(name string, a *archive) { b.known[name] = a })
}

func (b *Book) loadOutbox() error {
	return each(b.kept, tableOutbox, func(_ string, x *item) { b.outbox = append(b.outbox, x) })
}

// each reads a whole table.
func each[T any](l *layer, t keep.Table, f func(key string, v *T)) error {
	entries, err := l.list(t, keep.Range{})
	for _, e := range entries {
		v := new(T)
		if err := json.Unmarshal(e.value, v); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		f(e.key, v)
	}
	return err
}

// Committed tells that all batches handed out so far are in the store. Until then
// what they hold is kept in memory, so it is called soon after each.
func (b *Book) Committed() { clear(b.kept.above) }

// Known tells whether a message of an archive (own bare address, or room) has been
// applied and could be read: it needs not be read again, its stanza-id is enough. A change
// whose place was not known yet has to be: which of several counts depends on that.
func (b *Book) Known(archive, stanzaID string) (bool, error) {
	m, found, err := b.mark(archiveKey(archive, stanzaID))
	return found && !m.Blind && !(m.Loose && !m.Kind.line()), err
}

// Message is one message by its ID; false when there is none.
func (b *Book) Message(id string) (port.Message, bool, error) {
	r, err := b.row(id)
	if err != nil || r == nil {
		return port.Message{}, false, err
	}
	m, err := b.view(r)
	return m, err == nil, err
}

// FileOf is the file of a message, with where it is and how it is opened.
func (b *Book) FileOf(id string) (File, bool, error) {
	r, err := b.row(id)
	if err != nil || r == nil || r.File == nil {
		return File{}, false, err
	}
	return *r.File, true, nil
}

// IDs are the ids that others know a message by: what a receipt names, and the
// archive's; "" where there is none. A message that a room's moderators take back is named by
// the latter.
func (b *Book) IDs(message string) (id, stanzaID string, err error) {
	r, err := b.row(message)
	if err != nil || r == nil {
		return "", "", err
	}
	return r.MsgID, r.StanzaID, nil
}
