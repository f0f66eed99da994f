package timeline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"mirsal/internal/client/port"
)

var errDamaged = errors.New("timeline: a damaged record")

// record is a line as it is kept.
type record struct {
	ID         string        `json:"id"`
	Room       bool          `json:"room,omitempty"`
	Sender     string        `json:"from,omitempty"`
	Real       string        `json:"real,omitempty"`
	Occupant   string        `json:"occ,omitempty"`
	Name       string        `json:"name,omitempty"`
	Mine       bool          `json:"mine,omitempty"`
	Time       int64         `json:"time"` // Unix milliseconds
	Text       string        `json:"-"`    // kept before all else, for Search
	EditOrder  order         `json:"eo,omitzero"`
	EditID     string        `json:"eid,omitempty"`
	Retracted  bool          `json:"gone,omitempty"`
	ReplyTo    string        `json:"re,omitempty"`
	ReplyOf    string        `json:"reof,omitempty"`
	Reactions  []reaction    `json:"react,omitempty"`
	File       *File         `json:"file,omitempty"`
	Delivery   port.Delivery `json:"way"`
	Failure    string        `json:"fail,omitempty"`
	Lock       port.Lock     `json:"lock"`
	Unreadable string        `json:"unr,omitempty"`
	Folded     bool          `json:"fold,omitempty"` // not shown: another unreadable line stands for it
	Count      int           `json:"n,omitempty"`    // unreadable lines that this one stands for, if more
	Starred    bool          `json:"star,omitempty"`
	ForMe      bool          `json:"me,omitempty"`
	Timer      uint32        `json:"timer,omitempty"`   // seconds
	Expires    int64         `json:"expires,omitempty"` // Unix milliseconds, 0 as long as its time does not run
	Forwarded  bool          `json:"fwd,omitempty"`     // said elsewhere before
	Notice     string        `json:"notice,omitempty"`
	Params     []string      `json:"params,omitempty"`
	StanzaID   string        `json:"sid,omitempty"`
	OriginID   string        `json:"oid,omitempty"`
	MsgID      string        `json:"mid,omitempty"`
	Anchored   bool          `json:"anc,omitempty"`   // its place is the archive's
	EditLoose  bool          `json:"el,omitempty"`    // EditOrder is not the archive's
	Before     *former       `json:"was,omitempty"`   // as long as one's own edit is not sent
	Aside      *former       `json:"aside,omitempty"` // by an edit whose place may prove to be the later

	chat string
	at   order
}

// former is what a line was before an edit, or would be by another one.
type former struct {
	Text  string    `json:"text"`
	File  *File     `json:"file,omitempty"`
	Lock  port.Lock `json:"lock"`
	ID    string    `json:"id,omitempty"` // of the edit, "" for the line as it was said
	At    order     `json:"at,omitzero"`
	Loose bool      `json:"loose,omitempty"` // At is not of the archive
}

func (r *record) former() *former {
	return &former{r.Text, r.File, r.Lock, r.EditID, r.EditOrder, r.EditLoose}
}

func (r *record) become(f *former) {
	r.Text, r.File, r.Lock, r.EditID, r.EditOrder, r.EditLoose = f.Text, f.File, f.Lock, f.ID, f.At, f.Loose
}

// reaction is one person's set.
type reaction struct {
	Who   string   `json:"who"` // author
	Name  string   `json:"name"`
	Mine  bool     `json:"mine,omitempty"`
	Emoji []string `json:"e,omitempty"`
	At    order    `json:"at"`
	ID    string   `json:"id,omitempty"`
}

// What the first byte of a record tells without reading it.
const (
	isFound   = 1 << iota // Search looks at it
	isHidden              // it is not shown
	isCounted             // it counts as unread until it is seen
	isBlind               // it could not be opened
	isStarred
	isTimed // it has a timer
	isForMe // it speaks to us by name
)

func (r *record) flags() (f byte) {
	if r.Text != "" || r.File != nil {
		f |= isFound
	}
	if r.Folded {
		f |= isHidden
	}
	if r.Unreadable != "" {
		f |= isBlind
	}
	if r.Starred {
		f |= isStarred
	}
	if r.Timer != 0 {
		f |= isTimed
	}
	if r.ForMe && !r.Retracted {
		f |= isForMe
	}
	if !r.Mine && (r.Notice == "" || r.missedCall()) && !r.Folded && !r.Retracted {
		f |= isCounted
	}
	return f
}

// missedCall tells whether a line is of a call that nobody has taken: port.Call says what it consists of.
func (r *record) missedCall() bool {
	return r.Notice == "call" && len(r.Params) > 3 && r.Params[1] == "theirs" && r.Params[3] == "missed"
}

func (r *record) encode() []byte {
	text := r.Text
	if r.File != nil {
		text += "\x00" + r.File.Name
	}
	b := binary.AppendUvarint([]byte{r.flags()}, uint64(len(text)))
	b = append(b, text...)
	j, err := json.Marshal(r)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return append(b, j...)
}

// head is a record's flags and its text.
func head(b []byte) (flags byte, text, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, nil, errDamaged
	}
	n, w := binary.Uvarint(b[1:])
	if w <= 0 || n > uint64(len(b)-1-w) {
		return 0, nil, nil, errDamaged
	}
	rest = b[1+w:]
	return b[0], rest[:n], rest[n:], nil
}

func decode(key string, b []byte) (*record, error) {
	_, text, rest, err := head(b)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(rest, r); err != nil {
		return nil, err
	}
	if i := bytes.LastIndexByte(text, 0); r.File != nil && i >= 0 {
		text = text[:i]
	}
	r.Text = string(text)
	r.chat, r.at = splitKey(key)
	return r, nil
}

func (r *record) key() string { return rowKey(r.chat, r.at) }

func (r *record) when() time.Time { return time.UnixMilli(r.Time).UTC() }

// refs are the ids by which others speak of this line.
func (r *record) refs() []string {
	if r.Room {
		return distinct(r.StanzaID, r.OriginID)
	}
	return distinct(r.OriginID, r.MsgID)
}

// distinct is what is not empty, each once.
func distinct(ids ...string) (out []string) {
	for _, id := range ids {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
