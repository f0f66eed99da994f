package timeline

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func uitoa(n uint64) string { return strconv.FormatUint(n, 10) }

// Outgoing is what waits in the outbox, ready to be sent.
type Outgoing struct {
	Message  string // ID of the line it shows as or changes
	Chat     string
	Room     bool
	OriginID string // also the stanza's id, at each attempt
	Kind     Kind   // Text, Edit, Retract, React
	Text     string
	File     *File
	Ref      string // id of the message that is changed
	ReplyTo  string // id of the message that is answered
	ReplyOf  string // whose it is, as an address
	Quote    string // the beginning of it
	Emoji    []string
	Hold     bool // it must not be sent yet
	Lock     port.Lock
	Timer    uint32 // seconds that it is kept, of Text; 0 for good
}

// Outbox lists what is to be sent, in order; what must wait for an upload, or for a
// room to tell the id of the message that is changed, is left out.
func (b *Book) Outbox() ([]Outgoing, error) {
	out := make([]Outgoing, 0, len(b.outbox))
	for _, x := range b.outbox {
		o, err := b.outgoing(x)
		if err != nil {
			return nil, err
		}
		if !o.Hold {
			out = append(out, o)
		}
	}
	return out, nil
}

// speakOf is the id by which others are told of a line.
// XEP-0461#business-id, XEP-0444#business-id
func (r *record) speakOf() string {
	if r.Room {
		return cmp.Or(r.StanzaID, r.OriginID)
	}
	return cmp.Or(r.OriginID, r.MsgID)
}

func (b *Book) outgoing(x *item) (Outgoing, error) {
	o := Outgoing{Message: x.Row, Chat: x.Chat, Room: x.Room, OriginID: x.OriginID, Kind: x.Kind, Text: x.Text, Emoji: x.Emoji, Hold: x.Hold}
	r, err := b.row(x.Row)
	if err != nil || r == nil {
		o.Hold = true
		return o, err
	}
	o.Lock = r.Lock
	switch x.Kind {
	case Text:
		o.File, o.Timer = r.File, r.Timer
		if err := b.answering(&o, r); err != nil {
			return o, err
		}
	case Edit:
		o.Ref = cmp.Or(r.MsgID, r.OriginID)
	default:
		o.Ref = r.speakOf()
		o.Hold = o.Hold || r.Room && r.StanzaID == "" && r.Delivery == port.Pending && !r.Retracted
	}
	return o, nil
}

func (b *Book) answering(o *Outgoing, r *record) error {
	if r.ReplyTo == "" {
		return nil
	}
	o.ReplyTo, o.ReplyOf = r.ReplyTo, r.ReplyOf
	to, err := b.meant(r.chat, r.Room, r.ReplyTo)
	if err != nil || to == nil {
		return err
	}
	o.ReplyOf = to.Sender
	if r.Room && to.Name != "" {
		o.ReplyOf = r.chat + "/" + to.Name
	}
	q, err := b.quote(r)
	if err == nil && q != nil {
		o.Quote = q.Text
	}
	return err
}

// prefix is what stands before the text for clients that know no answers.
func (o Outgoing) prefix() string {
	if o.Kind != Text || o.ReplyTo == "" || o.Quote == "" {
		return ""
	}
	return quoted(o.Quote)
}

// Body is the text to send and to encrypt, a quote for old clients before it; ""
// for none.
func (o Outgoing) Body() string {
	if o.File != nil {
		return o.File.URL
	}
	if o.Kind == Retract || o.Kind == React || o.Kind == Timer {
		return ""
	}
	return o.prefix() + o.Text
}

// AppendExtras appends what goes beside the body, as self-contained elements.
func (o Outgoing) AppendExtras(dst []byte) []byte {
	dst = append(xtok.AppendAttr(append(dst, "<origin-id xmlns='"+nsSID+"'"...), "id", o.OriginID), "/>"...)
	switch o.Kind {
	case Timer:
		n, _ := strconv.ParseUint(o.Text, 10, 32)
		return append(appendTimer(dst, uint32(n)), "<store xmlns='"+nsHints+"'/>"...)
	case Text:
		dst = o.appendReply(dst)
		if o.Timer > 0 {
			dst = appendTimer(dst, o.Timer)
		}
	case Edit:
		dst = appendRef(dst, "replace", nsCorrect, o.Ref)
	case Retract:
		dst = appendRef(dst, "retract", nsRetract, o.Ref)
		return append(dst, "<store xmlns='"+nsHints+"'/>"...)
	case React:
		dst = xtok.AppendAttr(append(dst, "<reactions xmlns='"+nsReactions+"'"...), "id", o.Ref)
		dst = append(dst, '>')
		for _, e := range o.Emoji {
			dst = xtok.AppendElement(dst, "reaction", e)
		}
		return append(dst, "</reactions><store xmlns='"+nsHints+"'/>"...)
	}
	if !o.Room {
		// XEP-0184#when-groupchat: not in rooms
		dst = append(dst, "<request xmlns='"+nsReceipts+"'/>"...)
	}
	return append(dst, "<markable xmlns='"+nsMarkers+"'/><active xmlns='"+nsStates+"'/>"...)
}

// AppendLink appends what says that the body is a file's address; beside an encrypted body it
// would give the address away.
// XEP-0066#x-oob
func (o Outgoing) AppendLink(dst []byte) []byte {
	if o.Kind != Text || o.File == nil || !strings.HasPrefix(o.File.URL, "https://") {
		return dst
	}
	return append(xtok.AppendElement(append(dst, "<x xmlns='"+nsOOB+"'>"...), "url", o.File.URL), "</x>"...)
}

func appendRef(dst []byte, name, ns, id string) []byte {
	return append(xtok.AppendAttr(append(dst, "<"+name+" xmlns='"+ns+"'"...), "id", id), "/>"...)
}

// appendReply says what is answered, and which part of the body says it again.
// XEP-0461#usecases
func (o Outgoing) appendReply(dst []byte) []byte {
	if o.ReplyTo == "" {
		return dst
	}
	dst = xtok.AppendAttr(append(dst, "<reply xmlns='"+nsReply+"'"...), "to", o.ReplyOf)
	dst = append(xtok.AppendAttr(dst, "id", o.ReplyTo), "/>"...)
	if p := o.prefix(); p != "" {
		dst = appendFallback(dst, nsReply, utf8.RuneCountInString(p))
	}
	return dst
}

// AppendReceipt appends what says that a message has arrived.
// XEP-0184#format
func AppendReceipt(dst []byte, id string) []byte {
	return append(appendRef(dst, "received", nsReceipts, id), "<store xmlns='"+nsHints+"'/>"...)
}

// AppendMarker appends what says that everything up to a message was seen.
// XEP-0333#sending
func AppendMarker(dst []byte, id string) []byte {
	return append(appendRef(dst, "displayed", nsMarkers, id), "<store xmlns='"+nsHints+"'/>"...)
}

// AppendState appends a chat state; "" for one that is none.
// XEP-0085#definitions
func AppendState(dst []byte, state string) []byte {
	switch state {
	case "active", "composing", "paused", "inactive", "gone":
		return append(dst, "<"+state+" xmlns='"+nsStates+"'/>"...)
	}
	return dst
}

// AppendBody appends a body as it stands in a stanza.
func AppendBody(dst []byte, text string) []byte {
	dst = append(dst, "<body xmlns='"+stanza.NSClient+"'>"...)
	return append(xtok.Escape(dst, text), "</body>"...)
}
