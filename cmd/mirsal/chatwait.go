package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"mirsal/internal/client/port"
)

// How long what only reads waits for a server that is not there.
const (
	quietGrace = 10 * time.Second // nobody has answered at all
	lostGrace  = 2 * time.Second  // an attempt has failed
)

// online waits until the account is connected.
func (c *chatting) online() error {
	if s := c.Status(); s.State == "" {
		if err := c.hasAccount(); err != nil {
			return err
		}
	}
	return c.until(func(s port.Status) bool { return s.State == "online" })
}

// hasAccount asks for something: of a profile without an account nothing is heard otherwise.
func (c *chatting) hasAccount() error {
	_, err := c.Call(c.limit, &port.ListContacts{})
	return waited(err)
}

// synced waits until the archive is caught up with, too.
func (c *chatting) synced() error {
	if err := c.online(); err != nil {
		return err
	}
	return c.until(func(s port.Status) bool { return s.Synced })
}

func (c *chatting) until(right func(port.Status) bool) error {
	for {
		s := c.Status()
		switch {
		case right(s):
			return nil
		case s.State == "refused":
			return s.Failure
		}
		if _, err := c.Next(c.limit); err != nil {
			return c.gaveUp()
		}
	}
}

// gaveUp says why waiting has ended.
func (c *chatting) gaveUp() error {
	s := c.Status()
	switch {
	case c.ctx.Err() != nil:
		return interrupted()
	case s.Failure != nil:
		return s.Failure
	case s.State == "online":
		return port.Failf(port.Unreachable, "the server has not told all that is new within the time allowed")
	}
	return port.Failf(port.Unreachable, "no connection within the time allowed")
}

func interrupted() *port.Failure { return port.Failf(port.Canceled, "interrupted") }

// readyFor waits for what a command needs: what only reads is answered from the profile.
func (c *chatting) readyFor(cmd port.Command, complaints io.Writer) error {
	switch cmd.(type) {
	case *port.ListChats, *port.ListContacts, *port.ListDevices:
		return c.readable(complaints)
	}
	return c.synced()
}

// readable waits until the archive is caught up with. Where that cannot be, or not soon, it says
// so, and what is in the profile is read as it is: also of one that is signed out.
func (c *chatting) readable(complaints io.Writer) error {
	if err := c.hasAccount(); err != nil {
		return err
	}
	err := c.caughtUp()
	f, ok := err.(*port.Failure)
	if !ok || f.Code == port.Internal || c.ctx.Err() != nil {
		return err
	}
	what := "not connected"
	if c.Status().State == "online" {
		what = "not up to date"
	}
	fmt.Fprintf(complaints, "mirsal: %s: %s; this is what this device knows\n", what, cell(f.Text))
	return nil
}

// caughtUp is synced, but for whoever does not wait long without a connection.
func (c *chatting) caughtUp() error {
	patience, stop := context.WithCancel(c.limit)
	defer stop()
	grace := time.AfterFunc(quietGrace, stop)
	defer grace.Stop()
	for failed := false; ; {
		switch s := c.Status(); {
		case s.Synced:
			return nil
		case s.State == "refused":
			return s.Failure
		case s.State == "online":
			grace.Stop()
			failed = false
		case s.Failure != nil && !failed:
			grace.Reset(lostGrace)
			failed = true
		}
		if _, err := c.Next(patience); err != nil {
			return c.gaveUp()
		}
	}
}
