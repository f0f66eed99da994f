package client

import (
	"errors"
	"slices"

	"mirsal/internal/xmpp/stanza"
)

// This file gives a device that reads only the end of the archive by itself a row for each chat:
// those with contacts, and those that somebody has read on another device. They are asked for one after the
// other, behind all else that a session asks.

// gathering is what is being looked for.
type gathering struct {
	todo  []string
	pages int // that were asked for the first of todo
}

const (
	// mostGathered bounds how many chats are looked for.
	mostGathered = 5000
	// mostTails bounds how many pages are turned for one chat of which nothing can be shown:
	// receipts and reactions have no line.
	mostTails = 5
)

// gather begins to look for chats that are older than what was read of the archive, once for a profile.
func (e *Engine) gather() {
	if e.gathering != nil || e.broken != nil || !e.lines.Short(e.own.String()) {
		return
	}
	todo := e.lines.Unlisted()
	for address, c := range e.people {
		if c.Subscription != "" {
			todo = append(todo, address)
		}
	}
	slices.Sort(todo)
	todo = slices.Compact(todo)
	e.gathering = &gathering{todo: todo[:min(len(todo), mostGathered)]}
	e.tellGathering()
	e.gatherNext(e.gathering)
}

// gatherNext asks for one page.
func (e *Engine) gatherNext(g *gathering) {
	for len(g.todo) > 0 {
		q := e.lines.Tail(g.todo[0])
		if g.pages++; q == nil || g.pages > mostTails {
			g.todo, g.pages = g.todo[1:], 0
			continue
		}
		e.fetch(*q, func(err error) { e.gatheredPage(g, err) })
		return
	}
	if e.change(e.lines.Gathered(e.own.String())) {
		e.gathering = nil
		e.tellGathering()
	}
}

// gatheredPage goes on. What is refused for good is left out; with anything else
// the next session begins again, where rows are missing still.
func (e *Engine) gatheredPage(g *gathering, err error) {
	var refusal *stanza.StanzaError
	switch {
	case e.gathering != g:
		return // of a session that is over
	case errors.As(err, &refusal) || errors.Is(err, errUneven):
		g.todo, g.pages = g.todo[1:], 0
	case err != nil:
		e.gathering = nil
		e.tellGathering()
		return
	}
	e.gatherNext(g)
}

// tellGathering tells that it has begun, or ended.
func (e *Engine) tellGathering() { e.state(e.status.State, e.status.Failure, e.status.Retry) }
