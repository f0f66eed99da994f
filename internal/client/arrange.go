package client

import (
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
)

// This file is how a person arranges chats and messages for himself, on this device.

// Bounds on what is arranged.
const (
	mostPins    = 20
	mostForward = 20
	mostDeleted = 500
)

// arrangeCommand carries out what is about one's own view of chats.
func (e *Engine) arrangeCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.Pin:
		e.arrange(c, c.Chat, func(s *chatSettings) { s.Pinned = e.since(c.On) })
	case *port.Mute:
		e.mute(c)
	case *port.Archive:
		e.arrange(c, c.Chat, func(s *chatSettings) { s.Archived = e.since(c.On) })
	case *port.KeepDraft:
		e.keepDraft(c)
	case *port.DeleteForMe:
		e.deleteForMe(c)
	case *port.ClearChat:
		e.clearChat(c)
	case *port.Forward:
		e.forward(c)
	case *port.Star:
		e.star(c)
	case *port.ListStarred:
		e.listStarred(c)
	case *port.PinMessage:
		e.pinMessage(c)
	default:
		return false
	}
	return true
}

// since is now, or never.
func (e *Engine) since(on bool) time.Time {
	if !on {
		return time.Time{}
	}
	return e.Now().UTC().Truncate(time.Millisecond)
}

// listed is the chat of a command that must be on the list.
func (e *Engine) listed(c port.Command, name string) (string, bool) {
	chat, ok := e.chatOf(c, name)
	if !ok {
		return "", false
	}
	if _, there := e.lines.Chat(chat); !there {
		e.fail(c, port.Failf(port.NoSuchChat, "there is no such chat"))
		return "", false
	}
	return chat, true
}

// arrange changes how a chat stands, keeps and tells it.
func (e *Engine) arrange(c port.Command, name string, change func(*chatSettings)) {
	chat, ok := e.listed(c, name)
	if !ok {
		return
	}
	s := e.chats[chat]
	change(&s)
	var b keep.Batch
	put(&b, chatTable, chat, s)
	if !e.keepBatch(&b) {
		return
	}
	e.chats[chat] = s
	e.tell(e.lines.Touch(chat)...)
	e.done(c, port.Done{Chat: chat})
}

// dressArranged fills in how a chat stands.
func (e *Engine) dressArranged(c *port.Chat) {
	s := e.chats[c.Address]
	c.Pinned, c.Draft, c.Pins = s.Pinned, s.Draft, s.Pins
	if e.Now().Before(s.Muted) {
		c.Muted = s.Muted
	}
	c.Archived = !s.Archived.IsZero() && (!c.Active.After(s.Archived) || !c.Muted.IsZero())
}

// forGood is the end of what has none.
func forGood() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

func (e *Engine) mute(c *port.Mute) {
	until := c.Until.UTC()
	switch {
	case !c.On:
		until = time.Time{}
	case c.Until.IsZero() || until.After(forGood()):
		until = forGood()
	}
	e.arrange(c, c.Chat, func(s *chatSettings) { s.Muted = until })
}

func (e *Engine) keepDraft(c *port.KeepDraft) {
	if len(c.Text) > mostText {
		e.fail(c, tooLong(c.Text))
		return
	}
	e.arrange(c, c.Chat, func(s *chatSettings) {
		if s.Draft = nil; c.Text != "" || c.ReplyTo != "" {
			s.Draft = &port.Draft{Text: c.Text, ReplyTo: c.ReplyTo, Time: e.since(true)}
		}
	})
}

// deleteForMe deletes messages here; a file that is on its way goes no further.
func (e *Engine) deleteForMe(c *port.DeleteForMe) {
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	if n := len(c.Messages); n == 0 || n > mostDeleted {
		e.fail(c, port.Failf(port.BadCommand, "1 to %d messages are deleted at a time", mostDeleted))
		return
	}
	ids := slices.Compact(slices.Sorted(slices.Values(c.Messages)))
	change, err := e.lines.Erase(chat, ids)
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return
	}
	if err == nil {
		e.unpinned(change.Batch, chat, ids)
	}
	if !e.change(change, err) {
		return
	}
	for _, id := range ids {
		if cancel := e.uploading[id]; cancel != nil {
			cancel()
		}
	}
	e.done(c, port.Done{Chat: chat})
}

// unpinned takes messages that are no more from the top of their chat.
func (e *Engine) unpinned(b *keep.Batch, chat string, ids []string) {
	s := e.chats[chat]
	left := slices.DeleteFunc(slices.Clone(s.Pins), func(id string) bool { return slices.Contains(ids, id) })
	if len(left) == len(s.Pins) {
		return
	}
	s.Pins = left
	e.chats[chat] = s
	put(b, chatTable, chat, s)
}

// clearChat deletes all of a chat here. What else is kept of it stays: that it is a room, or
// was written to.
func (e *Engine) clearChat(c *port.ClearChat) {
	chat, ok := e.listed(c, c.Chat)
	if !ok {
		return
	}
	if c.Remove && e.rooms[chat] != nil {
		e.fail(c, port.Failf(port.BadCommand, "a room is left"))
		return
	}
	if e.online() && !e.synced { // what nobody has seen yet would go too
		e.fail(c, port.Failf(port.Unreachable, "messages are still being fetched"))
		return
	}
	change, err := e.lines.Clear(chat, c.Remove)
	if err != nil {
		e.change(change, err)
		return
	}
	s := e.chats[chat]
	if s.Pins = nil; c.Remove {
		s.Pinned, s.Archived, s.Draft = time.Time{}, time.Time{}, nil
	}
	put(change.Batch, chatTable, chat, s)
	if e.change(change, nil) {
		e.chats[chat] = s
		e.done(c, port.Done{Chat: chat})
	}
}

// forward says a message again elsewhere.
func (e *Engine) forward(c *port.Forward) {
	if len(c.To) == 0 || len(c.To) > mostForward {
		e.fail(c, port.Failf(port.BadCommand, "a message is forwarded to 1 to %d chats", mostForward))
		return
	}
	from, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	d, f := e.again(from, c.Message)
	if f != nil {
		e.fail(c, f)
		return
	}
	to := make([]string, 0, len(c.To))
	for _, name := range c.To {
		chat, ok := e.chatOf(c, name)
		if !ok {
			return
		}
		to = append(to, chat)
	}
	caption := captionOf(d.File)
	for _, d.Chat = range to {
		if !e.forwardTo(c, d, caption) {
			return
		}
	}
	e.done(c, port.Done{Chat: from, Message: c.Message})
	e.pump()
}

// captionOf takes what was said about a file off its draft; "" for nothing.
func captionOf(f *timeline.File) string {
	if f == nil {
		return ""
	}
	text := f.Text
	f.Text = ""
	return text
}

// forwardTo puts a message into the outbox of one chat, with what was said about it behind it.
func (e *Engine) forwardTo(c *port.Forward, d timeline.Draft, caption string) bool {
	if caption != "" {
		file := *d.File
		file.Said, _ = e.lines.OriginID() // without randomness the two are only not shown as one
		d.File = &file
	}
	_, change, ok := e.draft(c, d)
	if !ok {
		return false
	}
	if caption != "" {
		e.caption(&change, timeline.Draft{Chat: d.Chat, Text: caption, Origin: d.File.Said, Forwarded: true})
	}
	return e.commit(change, e2ee.Step{})
}

// again is a draft that says a message once more, a file with its caption as its Text.
func (e *Engine) again(chat, message string) (d timeline.Draft, f *port.Failure) {
	m, there, err := e.lines.Message(message)
	switch {
	case err != nil:
		e.breakDown(err)
		return d, port.Failf(port.Internal, "%s", err)
	case !there || m.Chat != chat || m.Retracted || m.Unreadable != "" || m.Notice != "":
		return d, port.Failf(port.NoSuchMessage, "there is no such message in this chat")
	}
	d = timeline.Draft{Text: m.Text, Forwarded: true}
	file, has, err := e.lines.FileOf(message)
	if err != nil || !has {
		return d, nil
	}
	if file.URL == "" {
		return d, port.Failf(port.Missing, "the file is not sent yet")
	}
	if file.Cipher != "" {
		link := linkTo(file)
		if link == file.URL {
			return d, port.Failf(port.Refused, "this file is encrypted in a way that it cannot be forwarded in")
		}
		file.URL, file.Cipher, file.Key, file.IV, file.Hash = link, "", nil, nil, nil
	}
	file.Said, file.Text = "", ""
	if m.File != nil && m.File.Caption != "" {
		said, _, err := e.lines.Message(m.File.Caption)
		if err != nil {
			e.breakDown(err)
			return d, port.Failf(port.Internal, "%s", err)
		}
		file.Text = said.Text
	}
	d.Text, d.File = "", &file
	return d, nil
}

// linkTo is the address of a file with what opens it, where one address can say both: XEP-0448 has
// the key beside it, XEP-0454 within.
func linkTo(f timeline.File) string {
	if !strings.HasPrefix(f.URL, "https://") || files.Cipher(f.Cipher) != files.AES256 {
		return f.URL
	}
	return files.Link{Source: files.Source{URL: f.URL, Key: f.Key, IV: f.IV}}.Text()
}

// lineOf finds the message of a command.
func (e *Engine) lineOf(c port.Command, name, message string) (chat string, ok bool) {
	if chat, ok = e.chatOf(c, name); !ok {
		return "", false
	}
	m, there, err := e.lines.Message(message)
	if err != nil {
		e.breakDown(err)
		return "", false
	}
	if !there || m.Chat != chat {
		e.fail(c, port.Failf(port.NoSuchMessage, "there is no such message in this chat"))
		return "", false
	}
	return chat, true
}

func (e *Engine) star(c *port.Star) {
	chat, ok := e.lineOf(c, c.Chat, c.Message)
	if !ok {
		return
	}
	change, err := e.lines.Star(c.Message, c.On)
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return
	}
	if e.change(change, err) {
		e.done(c, port.Done{Chat: chat, Message: c.Message})
	}
}

func (e *Engine) listStarred(c *port.ListStarred) {
	if c.Limit < 1 || c.Limit > 200 {
		e.tell(&port.Found{Ref: c.Ref, Failure: port.Failf(port.BadCommand, "a list has 1 to 200 messages")})
		return
	}
	found, err := e.lines.Starred(c.Chat, c.Limit)
	if err != nil {
		e.breakDown(err)
		return
	}
	e.tell(&port.Found{Ref: c.Ref, Messages: found})
}

func (e *Engine) pinMessage(c *port.PinMessage) {
	chat, ok := e.lineOf(c, c.Chat, c.Message)
	if !ok {
		return
	}
	e.arrange(c, chat, func(s *chatSettings) {
		pins := slices.DeleteFunc(slices.Clone(s.Pins), func(id string) bool { return id == c.Message })
		if c.On {
			pins = append([]string{c.Message}, pins...)
		}
		s.Pins = pins[:min(len(pins), mostPins)]
	})
}
