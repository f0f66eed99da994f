package client

import (
	"maps"
	"slices"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
)

// A service that puts somebody among the members of an encrypted room has all be encrypted
// to him from then on: that is not done unseen.
const (
	mostMemberLines = 20 // in memberTime; what is more is one line that says so
	memberTime      = time.Minute
)

// changing notes what somebody is before it changes, so that keepRoom can tell of it.
func (r *room) changing(address string) {
	if _, noted := r.was[address]; r.Told && !noted && !r.naming[address] {
		r.was[address] = r.Members[address] != ""
	}
}

// memberNews is who has become a member, or is none any more, since the last time.
func (r *room) memberNews(own string) (news [][2]string) {
	for _, address := range slices.Sorted(maps.Keys(r.was)) {
		switch was, is := r.was[address], r.Members[address] != ""; {
		case was == is || address == own:
		case is:
			news = append(news, [2]string{"member-added", address})
		default:
			news = append(news, [2]string{"member-removed", address})
		}
	}
	clear(r.was)
	return news
}

// noteMembers puts lines about an encrypted room's members into its conversation.
func (e *Engine) noteMembers(b *keep.Batch, r *room) (events []port.Event, err error) {
	news := r.memberNews(e.own.String())
	if len(news) == 0 || !r.Encrypted {
		return nil, nil
	}
	for _, n := range r.fewer(news, e.Now()) {
		var c timeline.Change
		if c, err = e.lines.Notice(r.Address, true, n[0], n[1:], e.Now()); err != nil {
			return nil, err
		}
		b.Add(c.Batch)
		events = append(events, c.Events...)
	}
	return events, nil
}

// fewer bounds the lines.
func (r *room) fewer(news [][2]string, now time.Time) (lines [][]string) {
	if now.Sub(r.notedAt) >= memberTime {
		r.noted, r.notedAt = 0, now
	}
	before := r.noted
	r.noted = min(before+len(news), mostMemberLines+1)
	switch {
	case before > mostMemberLines: // it was said
		return nil
	case r.noted > mostMemberLines:
		return [][]string{{"members-changed"}}
	}
	for _, n := range news {
		lines = append(lines, n[:])
	}
	return lines
}
