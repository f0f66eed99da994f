package timeline

import (
	"slices"
	"time"

	"mirsal/internal/client/port"
)

// typingFor is how long somebody is shown as writing who does not say so again.
const typingFor = 45 * time.Second

// mostTyping is how many are shown as writing in one chat.
const mostTyping = 16

// chatState notes who is writing.
// XEP-0085#definitions
func (s *step) chatState(in *Incoming) {
	if in.Mine || in.State == "" || in.Source != Live || in.Kind == Refusal || s.list[in.Chat] == nil {
		return
	}
	if in.State != "composing" {
		s.quiet(in.Chat, in.Sender)
		return
	}
	who := s.typing[in.Chat]
	if who == nil {
		who = map[string]time.Time{}
		s.typing[in.Chat] = who
	}
	if _, there := who[in.Sender]; !there {
		if len(who) >= mostTyping {
			return
		}
		s.touch(in.Chat, false)
	}
	who[in.Sender] = s.now.Add(typingFor)
}

// quiet ends somebody's writing.
func (s *step) quiet(chat, sender string) {
	if _, there := s.typing[chat][sender]; there {
		delete(s.typing[chat], sender)
		s.touch(chat, false)
	}
}

// typists are who is writing, by name.
func (b *Book) typists(chat string) (out []string) {
	for who := range b.typing[chat] {
		out = append(out, who)
	}
	slices.Sort(out)
	return out
}

// Expire ends the writing of who has not gone on; next is when to call it again,
// zero when nobody writes.
func (b *Book) Expire(now time.Time) (events []port.Event, next time.Time) {
	var changed []string
	for chat, who := range b.typing {
		before := len(who)
		for name, until := range who {
			if !now.Before(until) {
				delete(who, name)
			} else if next.IsZero() || until.Before(next) {
				next = until
			}
		}
		if len(who) < before {
			changed = append(changed, chat)
		}
		if len(who) == 0 {
			delete(b.typing, chat)
		}
	}
	slices.Sort(changed)
	for _, chat := range changed {
		events = append(events, b.Touch(chat)...)
	}
	return events, next
}
