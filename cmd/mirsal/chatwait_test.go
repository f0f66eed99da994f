package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
)

// A desk is an engine that has an account, or none, and answers nothing else.
type desk struct {
	*caller.Caller
	none *port.Failure
}

func (d *desk) Do(c port.Command) {
	ref := port.Ref{Ref: port.RefOf(c)}
	if d.none != nil {
		d.Heard(&port.Done{Ref: ref, Failure: d.none})
		return
	}
	d.Heard(&port.ContactList{Ref: ref})
}

// chattingWith is a chat with such an engine, of which statuses are heard, and that has a minute.
func chattingWith(t *testing.T, none *port.Failure, heard ...port.Status) (c *chatting, signal func()) {
	call := caller.New()
	call.Use(&desk{call, none})
	for _, s := range heard {
		call.Heard(&s)
	}
	ctx, signal := context.WithCancel(t.Context())
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	t.Cleanup(signal)
	return &chatting{Caller: call, ctx: ctx, limit: limit}, signal
}

func TestWhatIsReadHereWaitsAFewSecondsForAServerThatIsNotThere(t *testing.T) {
	down := port.Failf(port.Unreachable, "connection refused")
	out := port.Failf(port.WrongPassword, "this profile is not signed in")
	for name, one := range map[string]struct {
		heard []port.Status
		most  time.Duration
		says  string
	}{
		"down":       {[]port.Status{{State: "connecting"}, {State: "offline", Failure: down}}, lostGrace, "not connected: connection refused;"},
		"silent":     {[]port.Status{{State: "connecting"}}, quietGrace, "not connected: no connection"},
		"signed out": {[]port.Status{{State: "refused", Failure: out}}, 0, "not connected: this profile is not signed in;"},
		"slow":       {[]port.Status{{State: "online"}}, time.Minute, "not up to date: "},
		"in time":    {[]port.Status{{State: "online", Synced: true}}, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := chattingWith(t, nil, one.heard...)
			var words strings.Builder
			begun := time.Now()
			if err := c.readyFor(&port.ListChats{}, &words); err != nil || !strings.Contains(words.String(), one.says) || (one.says == "") != (words.Len() == 0) {
				t.Errorf("%s: %v, %q", name, err, words.String())
			}
			if took := time.Since(begun); took > one.most {
				t.Errorf("%s: %s", name, took)
			}
		})
	}
}

func TestWhatCannotBeReadHereIsNotSaidToBe(t *testing.T) {
	for want, f := range map[exitStatus]*port.Failure{exitNoAccount: port.Failf(port.NotSignedIn, "no account"), exitRefused: port.Failf(port.Missing, "still receiving")} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := chattingWith(t, f)
			if err := chatError(c.readable(io.Discard)); !errors.Is(err, want) {
				t.Errorf("%v, not %d", err, want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, _ := chattingWith(t, nil, port.Status{State: "refused", Failure: port.Failf(port.Internal, "the disk is full")})
		if err := c.readable(io.Discard); err == nil {
			t.Error("a broken profile was read")
		}
	})
}

// Whoever sends a signal hears no words of the program's language.
func TestASignalWhileWaitingIsCalledAnInterrupt(t *testing.T) {
	for name, wait := range map[string]func(c *chatting) error{
		"online": (*chatting).online,
		"reads":  func(c *chatting) error { return c.readable(io.Discard) },
		"calls":  func(c *chatting) error { return c.hasAccount() },
		"next": func(c *chatting) error {
			_, err := c.Wait(c.limit, func(port.Event) bool { return false })
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, signal := chattingWith(t, nil, port.Status{State: "connecting"})
			if name == "calls" {
				c.Use(engine(func(port.Command) {}))
			}
			time.AfterFunc(time.Second, signal)
			err := wait(c)
			var f *port.Failure
			if !errors.As(err, &f) && !errors.Is(err, context.Canceled) || f != nil && f.Text != "interrupted" || !errors.Is(chatError(err), exitRefused) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// An engine does what it is asked.
type engine func(port.Command)

func (e engine) Do(c port.Command) { e(c) }

func TestListeningEndsByItsTimeWhereThatIsGiven(t *testing.T) {
	came := func(late bool) *port.MessageChanged {
		return &port.MessageChanged{New: true, Late: late, Message: port.Message{Chat: "bob@localhost", Text: "x"}}
	}
	online, lost := port.Status{State: "online"}, port.Status{State: "offline", Failure: port.Failf(port.Unreachable, "gone")}
	for name, one := range map[string]struct {
		status port.Status
		count  int
		late   bool
		want   error
	}{
		"enough":           {online, 1, false, nil},
		"too few":          {online, 2, false, exitRefused},
		"enough with late": {online, 2, true, nil},
		"lost":             {lost, 2, false, exitUnreachable},
		"without a count":  {online, 0, false, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := chattingWith(t, nil, one.status)
			c.Heard(came(true))
			c.Heard(came(false))
			err := (&chatOptions{}).listen(c.limit, io.Discard, c, "", one.count, one.late)
			if got := chatError(err); !errors.Is(got, one.want) {
				t.Errorf("%s: %v", name, got)
			}
		})
	}
}

func TestAMistypedProfileIsNotMade(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "typo")
	for _, line := range [][]string{{"list"}, {"history", "bob@localhost"}, {"search", "x"}, {"send", "bob@localhost", "x"}, {"listen"}, {"logout"}, {"link"}, {"devices"}} {
		if status := run(append([]string{"chat", "--profile", folder}, line...)); status != int(exitNoAccount) {
			t.Errorf("%v: %d", line, status)
		}
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a folder was made")
	}
}

func TestLinesForPeopleHoldNoMachineWords(t *testing.T) {
	for want, m := range map[string]port.Message{
		"(cannot be read here: it was not encrypted to this device)":                         {Unreadable: "not-for-us"},
		"-- bob@localhost invites you to a room: Desk (mirsal chat room join d@c.localhost)": {Notice: "invited", Params: []string{"d@c.localhost", "bob@localhost", "Desk"}},
		"(not sent: no app that encrypts is signed in there)":                                {Mine: true, Text: "x", Delivery: port.Failed, Failure: "no-device"},
	} {
		if got := line(m); !strings.HasSuffix(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
