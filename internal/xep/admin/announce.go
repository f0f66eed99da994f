package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Bounds of announcements.
const (
	maxText    = 8 << 10 // bytes
	maxSubject = 256
	jobsMost   = 10 // that wait
	// A burst of messages and a pause: 1000 a second leave the disk to others.
	burst = 20
	pause = 20 * time.Millisecond
	// noted is after how many accounts it is written down how far one has come. As
	// many may get it twice after a crash, with the same id.
	noted = 100
)

// job is something to be told to many.
type job struct {
	ID      string `json:"id"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	After   string `json:"after,omitempty"` // the last name that got it

	to   []jid.JID         // those who are online; nil for every account
	each func(who jid.JID) // instead of a message
}

// announce tells everybody who is online, or every account.
// XEP-0133#announce
func (a *Admin) announce(c *command.Call) (command.Result, error) {
	j := job{ID: rand.Text(), Subject: c.Text("subject"), Text: c.Text("announcement")}
	switch {
	case len(j.Text) > maxText:
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "an announcement has at most %d bytes", maxText)
	case len(j.Subject) > maxSubject:
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "a subject has at most %d bytes", maxSubject)
	}
	all, _ := c.Answers.Bool("all")
	if !all {
		j.to = a.online()
	}
	if err := a.submit(c.Ctx, j); err != nil {
		return command.Result{}, err
	}
	if all {
		return command.Said(fmt.Sprintf("On its way to all %d accounts.", a.Accounts.Count())), nil
	}
	return command.Said(fmt.Sprintf("On its way to those who are online: %d", len(j.to))), nil
}

// online are the accounts with an available session.
func (a *Admin) online() []jid.JID {
	all := []jid.JID{}
	for _, s := range a.sessions() {
		if s.Presence() != nil {
			all = append(all, s.JID.Bare())
		}
	}
	slices.SortFunc(all, func(x, y jid.JID) int { return strings.Compare(x.String(), y.String()) })
	return slices.Compact(all)
}

// submit has a job done soon; one for all accounts is durable on return.
func (a *Admin) submit(ctx context.Context, j job) error {
	a.mu.Lock()
	full := a.many >= jobsMost
	if !full {
		a.many++
	}
	a.mu.Unlock()
	if full {
		return stanza.Errorf(stanza.ResourceConstraint, "%d announcements are on their way; wait until one has arrived", jobsMost)
	}
	if j.to == nil {
		if err := a.keep(ctx, j); err != nil {
			a.settled()
			return err
		}
	}
	a.work <- j // there is room: jobs are counted
	return nil
}

func (a *Admin) settled() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.many--
}

func (a *Admin) keep(ctx context.Context, j job) error {
	value, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return a.jobs.Put(ctx, server, j.ID, value)
}

// server is the owner of what belongs to nobody else.
const server = ""

// load reads what stands, and the announcements that are not done.
func (a *Admin) load(ctx context.Context) error {
	if err := a.loadTexts(ctx); err != nil {
		return err
	}
	left, err := a.jobs.Scan(ctx, server, store.Range{Limit: jobsMost})
	if err != nil {
		return fmt.Errorf("announcements: %w", err)
	}
	for _, item := range left {
		var j job
		if err := json.Unmarshal(item.Value, &j); err != nil {
			return fmt.Errorf("announcement %s: %w", item.Key, err)
		}
		a.many++
		a.work <- j
	}
	return nil
}

// announcer does jobs one after the other.
func (a *Admin) announcer() {
	for {
		select {
		case <-a.ctx.Done():
			return
		case j := <-a.work:
			if err := a.tellAll(j); err != nil && a.ctx.Err() == nil {
				a.Log.Error("an announcement is broken off; it goes on after a restart", "err", err)
			}
			a.settled()
		}
	}
}

// tellAll tells everybody whom a job is for, in bursts.
func (a *Admin) tellAll(j job) error {
	to := j.to
	if to == nil {
		names, err := a.Accounts.List(a.ctx)
		if err != nil {
			return err
		}
		from, there := slices.BinarySearch(names, j.After)
		if there {
			from++
		}
		for _, n := range names[from:] {
			to = append(to, a.bare(n))
		}
	}
	told := 0
	for i, who := range to {
		if i > 0 && i%burst == 0 && !a.wait(pause) {
			return a.breakOff(j)
		}
		if a.tell(&j, who) {
			told++
		}
		if j.After = who.Local(); j.to == nil && i%noted == noted-1 {
			if err := a.keep(a.ctx, j); err != nil {
				return err
			}
		}
	}
	a.Log.Info("announcement made", "accounts", told)
	if j.to != nil {
		return nil
	}
	return a.jobs.Delete(context.WithoutCancel(a.ctx), server, j.ID)
}

// breakOff writes down how far a job has come, for the next start.
func (a *Admin) breakOff(j job) error {
	if j.to != nil {
		return nil
	}
	return a.keep(context.WithoutCancel(a.ctx), j)
}

// wait tells whether to go on.
func (a *Admin) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-a.ctx.Done():
		return false
	}
}

// tell tells one account. Those who are online now get a headline, which is kept
// nowhere; a message to all waits for who is away.
func (a *Admin) tell(j *job, who jid.JID) bool {
	if j.each != nil {
		j.each(who)
		return true
	}
	kind := stanza.Normal
	if j.to != nil {
		kind = stanza.Headline
	}
	return a.post(who, kind, j.ID, j.Subject, j.Text) == nil
}

// post sends a message in the server's name.
func (a *Admin) post(who jid.JID, kind, id, subject, text string) error {
	return post(a.router, who, kind, id, subject, text)
}

func post(r *core.Router, who jid.JID, kind, id, subject, text string) error {
	var b []byte
	if subject != "" {
		b = append(xtok.Escape(append(b, "<subject>"...), subject), "</subject>"...)
	}
	b = append(xtok.Escape(append(b, "<body>"...), text), "</body>"...)
	// XEP-0359#origin-id: whoever gets it twice can tell
	b = append(xtok.Escape(append(b, "<origin-id xmlns='urn:xmpp:sid:0' id='"...), id), "'/>"...)
	return r.Post(stanza.Head{Type: kind, ID: id, From: r.Domain, To: who}, b)
}
