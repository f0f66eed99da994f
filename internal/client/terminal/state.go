package terminal

import (
	"cmp"
	"slices"

	"mirsal/internal/client/port"
)

// state is what the engine has told: it follows from its events alone.
type state struct {
	status   port.Status
	chats    map[string]port.Chat
	contacts map[string]port.Contact
	talks    map[string]*talk
	progress map[string]port.Progress // by message, of files on their way
}

// talk is a part of a conversation without a gap: its end, or, after a jump, one further back.
type talk struct {
	messages []port.Message
	loaded   bool // a page is here
	more     bool // there are older ones
	newer    bool // there are newer ones
	loading  bool // a page has been asked for
}

func newState() *state {
	return &state{chats: map[string]port.Chat{}, contacts: map[string]port.Contact{}, talks: map[string]*talk{}, progress: map[string]port.Progress{}}
}

// apply takes one event.
func (s *state) apply(ev port.Event) {
	switch e := ev.(type) {
	case *port.Status:
		s.status = *e
	case *port.ChatList:
		s.chats = map[string]port.Chat{}
		for _, c := range e.Chats {
			s.chats[c.Address] = c
		}
	case *port.ChatChanged:
		s.chats[e.Chat.Address] = e.Chat
	case *port.ChatGone:
		delete(s.chats, e.Address)
		delete(s.talks, e.Address)
	case *port.ContactList:
		s.contacts = map[string]port.Contact{}
		for _, c := range e.Contacts {
			s.contacts[c.Address] = c
		}
	case *port.ContactChanged:
		s.contact(e.Contact)
	case *port.MessageChanged:
		s.message(e)
	case *port.Page:
		s.page(e)
	case *port.Progress:
		s.progress[e.Message] = *e
	}
}

func (s *state) contact(c port.Contact) {
	if c.State == "none" && !c.Blocked {
		delete(s.contacts, c.Address)
		return
	}
	s.contacts[c.Address] = c
}

// talk is a chat's conversation, made if need be.
func (s *state) talk(chat string) *talk {
	t := s.talks[chat]
	if t == nil {
		t = &talk{}
		s.talks[chat] = t
	}
	return t
}

// message takes a changed or a new line. One that stands before all that is here is
// left to the page that it belongs to.
func (s *state) message(e *port.MessageChanged) {
	if f := e.Message.File; f == nil || f.State != "loading" && f.State != "sending" {
		delete(s.progress, e.Message.ID)
	}
	t := s.talks[e.Message.Chat]
	if t == nil || !t.loaded {
		return
	}
	if i := t.index(e.Message.ID); i >= 0 {
		t.messages[i] = e.Message
		if !e.New {
			return
		}
		t.messages = slices.Delete(t.messages, i, i+1)
	}
	at := t.index(e.After) + 1
	switch {
	case at > 0:
	case e.After == "" && !t.more && e.New:
	case len(t.messages) == 0:
	default:
		return
	}
	t.messages = slices.Insert(t.messages, at, e.Message)
}

// page takes older lines or newer ones, the newest ones, or those around one. What does not
// join to what is here was asked for before a jump.
func (s *state) page(e *port.Page) {
	t := s.talk(e.Chat)
	t.loading = false
	n := len(t.messages)
	switch {
	case e.Failure != nil:
		t.loaded = t.loaded || e.Around == ""
	case e.Around != "":
		t.messages, t.loaded, t.more, t.newer = slices.Clone(e.Messages), true, e.More, e.Newer
	case e.After != "":
		if n > 0 && t.messages[n-1].ID == e.After {
			t.messages, t.newer = append(t.messages, t.fresh(e.Messages)...), e.Newer && len(e.Messages) > 0
		}
	case e.Before == "" && t.newer, e.Before != "" && t.index(e.Before) != 0:
	default:
		t.messages = append(t.fresh(e.Messages), t.messages...)
		t.loaded, t.more = true, e.More && len(e.Messages) > 0
	}
}

// fresh brings what is here up to date by a page, and returns the rest of it.
func (t *talk) fresh(page []port.Message) (fresh []port.Message) {
	for _, m := range page {
		if i := t.index(m.ID); i >= 0 {
			t.messages[i] = m
		} else {
			fresh = append(fresh, m)
		}
	}
	return fresh
}

func (t *talk) index(id string) int {
	if id == "" {
		return -1
	}
	for i := len(t.messages) - 1; i >= 0; i-- { // most changes are near the end
		if t.messages[i].ID == id {
			return i
		}
	}
	return -1
}

func (t *talk) message(id string) *port.Message {
	if i := t.index(id); i >= 0 {
		return &t.messages[i]
	}
	return nil
}

// list is the chats, newest first.
func (s *state) list() []port.Chat {
	list := make([]port.Chat, 0, len(s.chats))
	for _, c := range s.chats {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b port.Chat) int {
		return cmp.Or(b.Active.Compare(a.Active), cmp.Compare(a.Address, b.Address))
	})
	return list
}

// people is the contacts, who asks first, by name.
func (s *state) people() []port.Contact {
	list := make([]port.Contact, 0, len(s.contacts))
	for _, c := range s.contacts {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b port.Contact) int {
		return cmp.Or(askers(a)-askers(b), cmp.Compare(contactName(a), contactName(b)), cmp.Compare(a.Address, b.Address))
	})
	return list
}

func askers(c port.Contact) int {
	if c.State == "asks" {
		return 0
	}
	return 1
}

// requests is who asks to be a contact.
func (s *state) requests() (list []port.Contact) {
	for _, c := range s.people() {
		if c.State == "asks" && !c.Blocked {
			list = append(list, c)
		}
	}
	return list
}

func contactName(c port.Contact) string { return cmp.Or(c.Name, c.Address) }

// unread is how many messages wait in all chats.
func (s *state) unread() (n int) {
	for _, c := range s.chats {
		n += c.Unread
	}
	return n
}

// chat is a row of the list, or one made up for somebody not written to before.
func (s *state) chat(address string) port.Chat {
	if c, ok := s.chats[address]; ok {
		return c
	}
	c := port.Chat{Address: address, Name: address}
	if p, ok := s.contacts[address]; ok {
		c.Name, c.Online, c.Blocked = contactName(p), p.Online, p.Blocked
	}
	return c
}
