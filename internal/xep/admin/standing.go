package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// The two texts that stand, by their keys.
const (
	keyMOTD    = "motd"
	keyWelcome = "welcome"
)

// standingText is a text that is told to everybody once.
type standingText struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Since int64  `json:"since"` // Unix seconds
}

func (a *Admin) loadTexts(ctx context.Context) error {
	for key, s := range map[string]*standing{keyMOTD: &a.motd, keyWelcome: &a.welcome} {
		item, err := a.texts.Get(ctx, server, key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		var t standingText
		if err == nil {
			err = json.Unmarshal(item.Value, &t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.Store(&t)
	}
	return nil
}

// put makes a text stand, durably.
func (a *Admin) put(ctx context.Context, key string, s *standing, t standingText) error {
	if len(t.Text) > maxText {
		return stanza.Errorf(stanza.NotAcceptable, "it has at most %d bytes", maxText)
	}
	value, err := json.Marshal(t)
	if err == nil {
		err = a.texts.Put(ctx, server, key, value)
	}
	if err == nil {
		s.Store(&t)
	}
	return err
}

func (a *Admin) take(ctx context.Context, key string, s *standing) (command.Result, error) {
	if s.Load() == nil {
		return command.Said("There was none."), nil
	}
	if err := a.texts.Delete(ctx, server, key); err != nil {
		return command.Result{}, err
	}
	s.Store(nil)
	return command.Said("It is deleted."), nil
}

// setMOTD is told at once to those who are online, and to others when they come.
// XEP-0133#set-motd
func (a *Admin) setMOTD(c *command.Call) (command.Result, error) {
	t := standingText{ID: rand.Text(), Text: c.Text(keyMOTD), Since: time.Now().Unix()}
	if err := a.put(c.Ctx, keyMOTD, &a.motd, t); err != nil {
		return command.Result{}, err
	}
	to := a.online()
	if err := a.submit(c.Ctx, job{to: to, each: a.greet}); err != nil {
		return command.Result{}, err
	}
	return command.Said(fmt.Sprintf("Those who are online are told now: %d. Others are when they come.", len(to))), nil
}

// editForm shows what stands.
// XEP-0133#edit-motd
func (a *Admin) editForm(*command.Call) (form.Form, error) {
	f := form.Field{Var: keyMOTD, Kind: form.TextMulti, Label: "Message of the day", Required: true}
	if t := a.motd.Load(); t != nil {
		f.Values = lines(t.Text)
	}
	return form.Form{Kind: form.Ask, Of: nsAdmin, Title: "Mend the message of the day", Fields: []form.Field{f}}, nil
}

// editMOTD changes the text for those who have not been told yet: it mends a mistake,
// and tells nobody anew.
// XEP-0133#edit-motd
func (a *Admin) editMOTD(c *command.Call) (command.Result, error) {
	t := a.motd.Load()
	if t == nil {
		return command.Result{}, stanza.Errorf(stanza.ItemNotFound, "there is no message of the day; set one")
	}
	mended := *t
	mended.Text = c.Text(keyMOTD)
	if err := a.put(c.Ctx, keyMOTD, &a.motd, mended); err != nil {
		return command.Result{}, err
	}
	return command.Said("It is changed. Those who were told already are not told again."), nil
}

// XEP-0133#delete-motd
func (a *Admin) deleteMOTD(c *command.Call) (command.Result, error) {
	return a.take(c.Ctx, keyMOTD, &a.motd)
}

// welcomeForm shows what stands.
// XEP-0133#set-welcome
func (a *Admin) welcomeForm(*command.Call) (form.Form, error) {
	f := form.Field{Var: keyWelcome, Kind: form.TextMulti, Label: "Welcome", Required: true}
	if t := a.welcome.Load(); t != nil {
		f.Values = lines(t.Text)
	}
	return form.Form{Kind: form.Ask, Of: nsAdmin, Title: "Welcome for newcomers", Fields: []form.Field{f}}, nil
}

// setWelcome is told to accounts that are made from the first one on, when they
// first come online.
// XEP-0133#set-welcome
func (a *Admin) setWelcome(c *command.Call) (command.Result, error) {
	t := standingText{ID: keyWelcome, Text: c.Text(keyWelcome), Since: time.Now().Unix()}
	if was := a.welcome.Load(); was != nil {
		t.Since = was.Since
	} else if err := a.passOver(c.Ctx, t); err != nil {
		return command.Result{}, err
	}
	if err := a.put(c.Ctx, keyWelcome, &a.welcome, t); err != nil {
		return command.Result{}, err
	}
	return command.Said("Newcomers are told when they first come online."), nil
}

// passOver notes of the accounts that were made in this very second, before the
// welcome, that they need none: times are known to the second.
func (a *Admin) passOver(ctx context.Context, t standingText) error {
	late, err := a.Accounts.Standings(ctx, func(s auth.Standing) bool { return s.Created.Unix() >= t.Since })
	if err != nil {
		return err
	}
	a.telling.Lock()
	defer a.telling.Unlock()
	for _, s := range late {
		if who := a.bare(s.Name); a.router.Exists(who) {
			if err := a.seen.Put(ctx, who.String(), keyWelcome, []byte(t.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// XEP-0133#delete-welcome
func (a *Admin) deleteWelcome(c *command.Call) (command.Result, error) {
	return a.take(c.Ctx, keyWelcome, &a.welcome)
}

// Available hears of a session that became available; it does not block. Where too
// many come at once, some are told the next time.
func (a *Admin) Available(s *core.Session) {
	if a.motd.Load() == nil && a.welcome.Load() == nil {
		return
	}
	select {
	case a.arrived <- s.JID.Bare():
	default:
	}
}

// greeter tells those who came online.
func (a *Admin) greeter() {
	for n := 1; ; n++ {
		select {
		case <-a.ctx.Done():
			return
		case who := <-a.arrived:
			a.greet(who)
		}
		if n%burst == 0 && !a.wait(pause) {
			return
		}
	}
}

// greet tells an account what stands and it was not told.
func (a *Admin) greet(who jid.JID) {
	a.telling.Lock()
	defer a.telling.Unlock()
	for _, x := range []struct {
		key string
		t   *standingText
	}{{keyWelcome, a.welcome.Load()}, {keyMOTD, a.motd.Load()}} {
		if x.t == nil || !a.router.Exists(who) {
			continue
		}
		if err := a.tellOnce(who, x.key, x.t); err != nil && a.ctx.Err() == nil {
			a.Log.Error("a message that stands was not told", "jid", who.String(), "err", err)
		}
	}
}

// tellOnce notes it first: who is told nothing in a crash is told no second time.
func (a *Admin) tellOnce(who jid.JID, key string, t *standingText) error {
	item, err := a.seen.Get(a.ctx, who.String(), key)
	if err == nil && string(item.Value) == t.ID {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if key == keyWelcome {
		s, err := a.Accounts.Standing(a.ctx, who.Local())
		if err != nil || s.Created.Unix() < t.Since {
			return err
		}
	}
	if err := a.seen.Put(a.ctx, who.String(), key, []byte(t.ID)); err != nil {
		return err
	}
	return a.post(who, stanza.Normal, rand.Text(), "", t.Text)
}
