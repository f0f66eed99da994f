package timeline

import (
	"cmp"
	"slices"
)

// straighten gives lines that are known already the order in which their archive has them,
// where they have come live in another one: each chat's places stay, and are dealt out
// anew. Ids of archives tell nothing of their order, so that it is known only now.
// XEP-0359#security
func (s *step) straighten(q Query, page []Incoming) error {
	chats := map[string][]*record{}
	for i := range page {
		m, found, err := s.mark(archiveKey(q.Archive, page[i].StanzaID))
		if err != nil {
			return err
		}
		if !found || m.Loose || !m.Kind.line() {
			continue
		}
		r, err := s.row(m.Row)
		if err != nil {
			return err
		}
		if r != nil && r.Anchored && r.StanzaID == page[i].StanzaID &&
			!slices.ContainsFunc(chats[r.chat], func(o *record) bool { return o.ID == r.ID }) {
			chats[r.chat] = append(chats[r.chat], r)
		}
	}
	for _, lines := range chats {
		if err := s.deal(q.Archive, lines); err != nil {
			return err
		}
	}
	return nil
}

// deal gives the lines of one chat their places in order.
func (s *step) deal(archive string, lines []*record) error {
	byPlace := func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.at.Pos, b.at.Pos), cmp.Compare(a.at.Sub, b.at.Sub))
	}
	if slices.IsSortedFunc(lines, byPlace) {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(lines), byPlace)
	places := make([]order, len(sorted))
	for i, r := range sorted {
		places[i] = r.at
	}
	for _, r := range lines { // all of them before one comes to where another was
		s.kept.delete(tableRows, r.key())
	}
	for i, r := range lines {
		key := archiveKey(archive, r.StanzaID)
		m, _, err := s.mark(key)
		if err != nil {
			return err
		}
		r.at, m.At = places[i], places[i]
		s.put(tableMarks, key, m.encode())
		s.put(tableWhere, r.ID, []byte(r.key()))
		s.save(r)
		s.touch(r.chat, true)
	}
	return nil
}
