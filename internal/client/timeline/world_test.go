package timeline

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

const (
	own  = "me@example.org"
	bob  = "bob@example.org"
	eve  = "eve@example.org"
	tea  = "tea@conference.example.org"
	tail = "\x00"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// helper is what tests and properties have in common.
type helper interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// desk is a Book with its store, as an engine has them.
type desk struct {
	t     helper
	store *keep.Memory
	b     *Book
	now   time.Time
}

func newDesk(t helper) *desk {
	d := &desk{t: t, store: keep.NewMemory(), now: epoch}
	d.restart()
	return d
}

// restart forgets all that is not in the store.
func (d *desk) restart() {
	d.t.Helper()
	b, err := Open(d.store, Config{Own: own, Rand: rand.Reader})
	if err != nil {
		d.t.Fatal(err)
	}
	d.b = b
}

// keep stores a change and returns its events.
func (d *desk) keep(c Change, err error) []port.Event {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.store.Apply(c.Batch); err != nil {
		d.t.Fatal(err)
	}
	d.b.Committed()
	return c.Events
}

func (d *desk) apply(in Incoming) []port.Event {
	d.t.Helper()
	if in.Time.IsZero() {
		d.now = d.now.Add(time.Second)
		in.Time = d.now
	}
	return d.keep(d.b.Apply(in, d.now))
}

func (d *desk) compose(x Draft) Outgoing {
	d.t.Helper()
	o, c, err := d.b.Compose(x, d.now)
	d.keep(c, err)
	return o
}

// lines is a whole chat, a line each: what a person sees.
func (d *desk) lines(chat string) []string {
	d.t.Helper()
	var out []string
	before := ""
	for {
		page, more, _, err := d.b.Page(chat, before, 7)
		if err != nil {
			d.t.Fatal(err)
		}
		var part []string
		for _, m := range page {
			part = append(part, show(m))
		}
		out = append(part, out...)
		if !more || len(page) == 0 {
			return out
		}
		before = page[0].ID
	}
}

func show(m port.Message) string {
	var b strings.Builder
	if m.Mine {
		b.WriteString("me: ")
	} else {
		b.WriteString(strings.SplitN(m.Sender, "@", 2)[0] + ": ")
	}
	b.WriteString(m.Text)
	if m.Edited {
		b.WriteString(" (edited)")
	}
	if m.Retracted {
		b.WriteString("(gone)")
	}
	if m.Unreadable != "" {
		b.WriteString("(unreadable" + strings.Join(m.Params, "") + ")")
	}
	for _, r := range m.Reactions {
		b.WriteString(" " + r.Emoji + strconv.Itoa(len(r.Who)))
	}
	if m.Notice != "" {
		b.WriteString("*" + m.Notice)
	}
	if m.Reply != nil {
		fmt.Fprintf(&b, " [%s]", m.Reply.Text)
	}
	return b.String()
}

func (d *desk) want(chat string, want ...string) {
	d.t.Helper()
	if got := d.lines(chat); !slices.Equal(got, want) {
		d.t.Fatalf("the chat is\n  %s\nnot\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// from is what somebody says to us alone.
func from(who, id, text string) Incoming {
	return Incoming{Envelope: Envelope{Chat: who, Sender: who, Real: who, StanzaID: "s-" + id}, Kind: Text, ID: id, OriginID: id, Text: text}
}

// mine is what one's own other device has sent.
func mine(to, id, text string) Incoming {
	in := from(to, id, text)
	in.Sender, in.Real, in.Mine, in.Source = own, own, true, Carbon
	return in
}

// inRoom is what somebody says in a room.
func inRoom(nick, id, text string) Incoming {
	in := from(tea, id, text)
	in.Room, in.Sender, in.Real, in.Occupant, in.Name = true, nick, "", "occ-"+nick, nick
	return in
}

func (in Incoming) as(k Kind, ref string) Incoming {
	in.Kind, in.Ref = k, ref
	return in
}

func (in Incoming) with(emoji ...string) Incoming {
	in.Kind, in.Emoji = React, emoji
	return in
}

// messages picks the messages out of events.
func messages(events []port.Event) (out []*port.MessageChanged) {
	for _, e := range events {
		if m, ok := e.(*port.MessageChanged); ok {
			out = append(out, m)
		}
	}
	return out
}

func lastChat(t *testing.T, d *desk, name string) port.Chat {
	t.Helper()
	c, ok := d.b.Chat(name)
	if !ok {
		t.Fatalf("%s is not on the list", name)
	}
	return c
}
