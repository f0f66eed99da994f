package timeline

import (
	"errors"
	"io"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/xtok"
)

var errLater = errors.New("timeline: not yet written")

// Change is what a step has changed: what to tell, and what to keep. The engine
// keeps Batch (with others, if it likes) before it tells Events and before it
// acknowledges what caused them; then it calls Book.Committed.
type Change struct {
	Events []port.Event
	Batch  *keep.Batch
}

// Config is what a Book is opened with.
type Config struct {
	Own  string    // the account's bare address
	Rand io.Reader // for ids of messages
	// Dress fills in what the timeline does not know of a chat (name, lock, online,
	// blocked, joined); Name gives what to show for a sender. Either may be nil.
	Dress func(*port.Chat)
	Name  func(chat, sender string) string
}

// Book is all conversations of one account.
type Book struct{}

// Open reads a Book from a store.
func Open(store keep.Store, c Config) (*Book, error) { return nil, errLater }

// Committed tells that all batches handed out so far are in the store.
func (b *Book) Committed() {}

// Plain is what was in an encrypted message: Text (the old profile), or Content,
// the <content/> of the new one. XEP-0384, XEP-0420
type Plain struct {
	Text    string
	Content xtok.Elem
}

// Read reads a message. p is nil for one that was not encrypted, and for one that
// could not be opened (Envelope.Unreadable).
func Read(e xtok.Elem, env Envelope, archive string, p *Plain) Incoming { return Incoming{} }

// Known tells whether a message of an archive (own bare address, or room) has been
// applied: it needs not be decrypted again.
func (b *Book) Known(archive, stanzaID string) (bool, error) { return false, errLater }

// Apply applies what came on the stream.
func (b *Book) Apply(in Incoming, now time.Time) (Change, error) { return Change{}, errLater }

// Draft is something to be sent.
type Draft struct {
	Chat     string
	Room     bool
	Text     string
	File     *File  // with State "sending" it waits in the outbox until SetFile gives its URL
	ReplyTo  string // ID of the message answered
	Corrects string // ID of one's own message that Text replaces
	Retracts string // ID of one's own message
	ReactsTo string // ID of the message that Emoji (the whole set, empty: none) are for
	Emoji    []string
	Lock     port.Lock
}

// Outgoing is what waits in the outbox.
type Outgoing struct {
	Message  string // ID of the line it shows as or changes
	Chat     string
	Room     bool
	OriginID string // also the stanza's id, at each attempt
	Kind     Kind   // Text, Edit, Retract, React
	Text     string
	File     *File
}

// Body is the text to send (and encrypt), a quote for old clients before it;
// "" for none.
func (o Outgoing) Body() string { return "" }

// AppendExtras appends what goes beside the body: origin-id, replace, reply, fallback,
// retract, reactions, the wish for receipts, hints.
func (o Outgoing) AppendExtras(dst []byte) []byte { return dst }

// Compose puts a draft into the outbox; its effect is seen at once.
func (b *Book) Compose(d Draft, now time.Time) (Outgoing, Change, error) {
	return Outgoing{}, Change{}, errLater
}

// Outbox lists what is to be sent, in order; what waits for a file's upload is left out.
func (b *Book) Outbox() ([]Outgoing, error) { return nil, errLater }

// Sent tells that the server has taken what was sent under an origin-id.
func (b *Book) Sent(originID string, now time.Time) (Change, error) { return Change{}, errLater }

// Failed tells that it was refused, and why in words; it leaves the outbox.
func (b *Book) Failed(originID, why string) (Change, error) { return Change{}, errLater }

// Retry puts a failed message back, under the same ids.
func (b *Book) Retry(message string, now time.Time) (Outgoing, Change, error) {
	return Outgoing{}, Change{}, errLater
}

// SetFile changes the file of a message: uploaded, here, failed.
func (b *Book) SetFile(message string, f File) (Change, error) { return Change{}, errLater }

// SetLock changes the lock of one's own message once it is encrypted.
func (b *Book) SetLock(message string, l port.Lock) (Change, error) { return Change{}, errLater }

// Seen says what to tell others when messages were read. ID "" asks for no marker.
type Seen struct {
	Chat     string
	Room     bool
	ID       string // for the marker (0333): the message's id, in a room its stanza-id
	StanzaID string // for one's own devices (0490), "" unknown
	By       string // whose StanzaID it is
}

// MarkRead tells that everything up to a message was seen here.
func (b *Book) MarkRead(chat, message string) (Seen, Change, error) {
	return Seen{}, Change{}, errLater
}

// Displayed tells that everything up to a stanza-id was seen on another device (0490).
func (b *Book) Displayed(chat string, room bool, stanzaID string) (Change, error) {
	return Change{}, errLater
}

// Notice adds a line of the engine's own.
func (b *Book) Notice(chat string, room bool, notice string, params []string, now time.Time) (Change, error) {
	return Change{}, errLater
}

// Begin puts a chat on the list, if it is not there.
func (b *Book) Begin(chat string, room bool, now time.Time) (Change, error) {
	return Change{}, errLater
}

// Remove takes a chat off, with everything in it.
func (b *Book) Remove(chat string) (Change, error) { return Change{}, errLater }

// Touch tells of a chat again: what Dress says of it has changed.
func (b *Book) Touch(chat string) []port.Event { return nil }

// Chats is the list, newest first; Chat one row.
func (b *Book) Chats() ([]port.Chat, error) { return nil, errLater }

// Chat is one row of the list.
func (b *Book) Chat(chat string) (port.Chat, bool) { return port.Chat{}, false }

// Page is the messages of a chat before one (ID, "" the newest), oldest first. When
// fetch is not nil something is missing between them and older ones: the engine asks that
// query first, hands the answer to TakePage and calls Page again.
func (b *Book) Page(chat, before string, limit int) (messages []port.Message, more bool, fetch *Query, err error) {
	return nil, false, nil, errLater
}

// Message is one message by its ID; false when there is none.
func (b *Book) Message(id string) (port.Message, bool, error) { return port.Message{}, false, errLater }

// FileOf is the file of a message.
func (b *Book) FileOf(id string) (File, bool, error) { return File{}, false, errLater }

// Search looks for words in a chat or ("") all, newest first.
func (b *Book) Search(query, chat string, limit int) ([]port.Message, error) { return nil, errLater }

// Expire ends the typing of who has not gone on; next is when to call it again, zero
// when nobody types.
func (b *Book) Expire(now time.Time) (events []port.Event, next time.Time) { return nil, time.Time{} }

// Query is one page to be asked of an archive (0313, 0059).
type Query struct {
	Archive  string    // whom to ask: own bare address, or a room
	With     string    // only this chat's
	After    string    // results after this id
	Before   string    // with Backward: results before this id, "" the last page
	Start    time.Time // results from then on; zero: no bound
	Max      int
	Backward bool // <before/> is sent
}

// Fin is how an archive ends a page.
type Fin struct {
	First, Last string
	Complete    bool
}

// Online tells that an archive's messages come live from now on: the account's own
// after binding, a room's after entering. resumed: nothing was missed.
func (b *Book) Online(archive string, resumed bool) (Change, error) { return Change{}, errLater }

// Offline tells that they do not any more.
func (b *Book) Offline(archive string) {}

// NextQuery is what to ask to catch up; false when nothing is missing.
func (b *Book) NextQuery(archive string) (Query, bool) { return Query{}, false }

// TakePage applies a page: all its results in their order, those that mean
// nothing too (Kind Nothing), and its end.
func (b *Book) TakePage(q Query, page []Incoming, fin Fin, now time.Time) (Change, error) {
	return Change{}, errLater
}

// Lost tells that an archive does not have the id any more from which was asked
// (item-not-found); NextQuery goes on another way.
func (b *Book) Lost(q Query) (Change, error) { return Change{}, errLater }
