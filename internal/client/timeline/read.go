package timeline

import (
	"slices"
	"unicode/utf8"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces that are read.
const (
	nsCorrect   = "urn:xmpp:message-correct:0"
	nsRetract   = "urn:xmpp:message-retract:1"
	nsModerate  = "urn:xmpp:message-moderate:1"
	nsReactions = "urn:xmpp:reactions:0"
	nsReply     = "urn:xmpp:reply:0"
	nsFallback  = "urn:xmpp:fallback:0"
	nsReceipts  = "urn:xmpp:receipts"
	nsMarkers   = "urn:xmpp:chat-markers:0"
	nsStates    = "http://jabber.org/protocol/chatstates"
	nsSID       = "urn:xmpp:sid:0"
	nsHints     = "urn:xmpp:hints"
)

// What is kept of a message at most.
const (
	maxText  = 64 << 10 // bytes of a text
	maxID    = 512      // bytes of an id; a longer one is none
	maxEmoji = 16       // reactions of one person to one message
)

// Plain is what was in an encrypted message: Text (the old profile), or Content,
// the <content/> of the new one.
// XEP-0384#usecases-messagesend, XEP-0420#use-case-message
type Plain struct {
	Text    string
	Content xtok.Elem
}

// reader reads one message.
type reader struct {
	e     xtok.Elem // the stanza
	meant xtok.Elem // where what the sender means stands: the stanza, or what was encrypted
	body  string
	// open tells that files may be read from elements: they came as safely as the
	// body did.
	open bool
	in   Incoming
}

// Read reads a message. archive is the bare address of the room, or one's own,
// whose stanza-ids count here; p is nil for what was not encrypted, and for what
// could not be opened (Envelope.Unreadable).
//
// With the old profile of OMEMO only the body was encrypted: what stands beside it
// is as good as the server. With the new one nothing beside it counts.
func Read(e xtok.Elem, env Envelope, archive string, p *Plain) Incoming {
	r := reader{e: e, meant: e, in: Incoming{Envelope: env, ID: bounded(e.Attr("id"))}}
	r.in.OriginID = bounded(e.Child(nsSID, "origin-id").Attr("id"))
	if env.StanzaID == "" {
		r.in.StanzaID = stanzaID(e, archive)
	}
	r.in.StanzaID = bounded(r.in.StanzaID)
	r.in.Name, r.in.Sender = CleanName(env.Name), CleanName(env.Sender)
	if e.Attr("type") == stanza.Error {
		return r.refusal()
	}
	r.open = !encrypted(e) || p != nil && p.Content.OK()
	switch {
	case env.Again:
		return r.in
	case env.Unreadable != "":
		r.in.Kind = Text
		return r.in
	case p != nil && p.Content.OK():
		r.meant, r.body = p.Content, bodyOf(p.Content)
	case p != nil:
		r.body = p.Text
	case !encrypted(e):
		r.body = bodyOf(e)
	}
	return r.read()
}

// bounded is an id, or "" for one that is too long to be kept.
func bounded(id string) string {
	if len(id) > maxID {
		return ""
	}
	return id
}

// stanzaID is the id that an archive gave a message. Two that contradict each
// other are none: one of them is forged.
// XEP-0359#rules
func stanzaID(e xtok.Elem, archive string) (id string) {
	for c := range e.Children() {
		if !c.Is(nsSID, "stanza-id") {
			continue
		}
		by, err := jid.Parse(c.Attr("by"))
		if err != nil || archive == "" || by.String() != archive {
			continue
		}
		if id != "" && id != c.Attr("id") {
			return ""
		}
		id = c.Attr("id")
	}
	return id
}

// encrypted tells whether the body of a stanza is a stand-in for an encrypted one.
func encrypted(e xtok.Elem) bool {
	for c := range e.Children() {
		if c.Local() == "encrypted" && (c.NS() == "eu.siacs.conversations.axolotl" || c.NS() == "urn:xmpp:omemo:2") {
			return true
		}
	}
	return false
}

// bodyOf is the first body without a language of its own, or else the first.
func bodyOf(e xtok.Elem) string {
	var first xtok.Elem
	for c := range e.Children() {
		if !c.Is(stanza.NSClient, "body") {
			continue
		}
		if c.AttrNS(xtok.NSXML, "lang") == "" {
			return c.Text()
		}
		if !first.OK() {
			first = c
		}
	}
	return first.Text()
}

// refusal reads an error: which message it is about, and why.
// RFC 6120 §8.3
func (r *reader) refusal() Incoming {
	r.in.Kind, r.in.Ref = Refusal, r.in.ID
	if r.in.Refused == "" {
		err := stanza.ReadError(r.e)
		r.in.Refused = err.Text
		if err.Text == "" {
			r.in.Refused = string(err.Condition)
		}
	}
	r.in.Refused = cutText(r.in.Refused, 512)
	return r.in
}

// read tells what happened; the first that fits.
func (r *reader) read() Incoming {
	r.asides()
	r.timed()
	for _, step := range []func() bool{r.tombstone, r.retract, r.react, r.invite, r.text, r.subject, r.displayed, r.receipt, r.timer} {
		if step() {
			break
		}
	}
	return r.in
}

// asides reads what accompanies a message.
func (r *reader) asides() {
	for c := range r.meant.Children() {
		switch c.NS() {
		case nsStates:
			// XEP-0085#definitions
			if slices.Contains([]string{"active", "composing", "paused", "inactive", "gone"}, c.Local()) {
				r.in.State = c.Local()
			}
		case nsReceipts:
			r.in.Asked = r.in.Asked || c.Local() == "request" && r.in.ID != ""
		case nsMarkers:
			r.in.Markable = r.in.Markable || c.Local() == "markable"
		}
	}
}

// tombstone reads what an archive has in place of a message.
// XEP-0424#tombstones, XEP-0425#tombstones
func (r *reader) tombstone() bool {
	if r.in.Source != Archive || !r.e.Child(nsRetract, "retracted").OK() || r.body != "" {
		return false
	}
	r.in.Kind = Tombstone
	return true
}

// retract reads that a message is taken back; by moderators only the room says it.
// XEP-0424#usecase, XEP-0425#usecase
func (r *reader) retract() bool {
	c := r.meant.Child(nsRetract, "retract")
	if !c.OK() {
		return false
	}
	if c.Child(nsModerate, "moderated").OK() != r.in.FromRoom {
		return true
	}
	r.in.Text = cutText(c.Child(nsRetract, "reason").Text(), 512)
	return r.about(Retract, c)
}

// about is a kind that means an earlier message; without its id it is nothing.
func (r *reader) about(k Kind, c xtok.Elem) bool {
	r.in.Ref = bounded(c.Attr("id"))
	if r.in.Ref != "" {
		r.in.Kind = k
	}
	return true
}

// react reads the whole set of somebody's reactions to a message.
// XEP-0444#rules
func (r *reader) react() bool {
	c := r.meant.Child(nsReactions, "reactions")
	if !c.OK() {
		return false
	}
	for x := range c.Children() {
		if !x.Is(nsReactions, "reaction") || len(r.in.Emoji) == maxEmoji {
			continue
		}
		if s := cleanEmoji(x.Text()); s != "" && !slices.Contains(r.in.Emoji, s) {
			r.in.Emoji = append(r.in.Emoji, s)
		}
	}
	return r.about(React, c)
}

// text reads what is said, anew or in place of something earlier.
func (r *reader) text() bool {
	if c := r.meant.Child(nsReply, "reply"); c.OK() {
		// XEP-0461#usecases
		r.in.ReplyTo, r.in.ReplyOf = bounded(c.Attr("id")), CleanName(c.Attr("to"))
	}
	r.files()
	r.in.Text = cutText(r.spoken(), maxText)
	if r.in.Text == "" && r.in.File == nil {
		return false
	}
	r.in.Kind = Text
	if c := r.meant.Child(nsCorrect, "replace"); c.OK() {
		// XEP-0308#usecase
		return r.about(Edit, c)
	}
	return true
}

// subject reads what a room is about from now on.
// XEP-0045#subject-mod
func (r *reader) subject() bool {
	c := r.meant.Child(stanza.NSClient, "subject")
	if !r.in.Room || !c.OK() || r.meant.Child(stanza.NSClient, "body").OK() {
		return false
	}
	r.in.Kind, r.in.Text = Subject, CleanName(cutText(c.Text(), 1024))
	return true
}

// displayed reads how far somebody has read.
// XEP-0333#sending
func (r *reader) displayed() bool {
	c := r.meant.Child(nsMarkers, "displayed")
	return c.OK() && r.about(Displayed, c)
}

// receipt reads that a message has arrived.
// XEP-0184#format
func (r *reader) receipt() bool {
	c := r.meant.Child(nsReceipts, "received")
	if !c.OK() {
		c = r.meant.Child(nsMarkers, "received")
	}
	return c.OK() && r.about(Receipt, c)
}

// cutText is a text of at most so many bytes, cut between code points.
func cutText(s string, most int) string {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
