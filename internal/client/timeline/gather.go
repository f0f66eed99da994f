package timeline

import "time"

// This file is the chats that a new profile has no row of, since all that was said in them is
// older than what it has read of the archive by itself.

// tailSize is how many messages of such a chat are asked for at a time.
const tailSize = 20

// Short tells whether an archive was read so far back as a new profile does, and chats that are older
// were not looked for yet.
func (b *Book) Short(name string) bool {
	a := b.known[name]
	return a != nil && a.live && a.Short && !a.Whole && a.Back <= 0 && len(a.Stretches) == 1
}

// Gathered notes that they were.
func (b *Book) Gathered(name string) (Change, error) {
	s := b.begin(time.Time{})
	b.archive(name).Short = false
	s.archives[name] = true
	return s.finish()
}

// Unlisted are chats with single people of which something is known, and no line.
func (b *Book) Unlisted() (names []string) {
	for name, c := range b.list {
		if c.Active == 0 && !c.Room {
			names = append(names, name)
		}
	}
	return names
}

// Tail asks for the end of what the archive may have of a chat with one person that has no row;
// nil when it has one, and when there is nothing to be had.
func (b *Book) Tail(name string) *Query {
	c := b.list[name]
	if c == nil {
		c = &chat{Address: name}
	}
	a := b.known[b.own]
	end := order{Pos: waiting}
	if _, _, ok := b.hole(c, end.Pos); !ok || !a.live || c.Active != 0 || c.Room {
		return nil
	}
	q := b.filling(c, a, end, 0)
	q.Max = tailSize
	return q
}
