package admin

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/stanza"
)

// Bounds of the time before a restart: the answer has to arrive, and nobody should
// have forgotten it.
const (
	soonest = time.Second
	latest  = time.Hour
)

func lines(text string) []string { return strings.Split(text, "\n") }

// XEP-0133#restart
func (a *Admin) restart(c *command.Call) (command.Result, error) { return a.endSoon(c, true) }

// XEP-0133#shutdown
func (a *Admin) shutdown(c *command.Call) (command.Result, error) { return a.endSoon(c, false) }

// endSoon ends the server after a while, and tells those who are online. What was
// asked for last is done.
func (a *Admin) endSoon(c *command.Call, restart bool) (command.Result, error) {
	seconds, err := strconv.Atoi(c.Text("delay"))
	delay := time.Duration(seconds) * time.Second
	if err != nil || delay < 0 || delay > latest {
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "the delay is a number of seconds, at most %d", int(latest.Seconds()))
	}
	delay = max(delay, soonest)
	if text := c.Text("announcement"); text != "" {
		if len(text) > maxText {
			return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "an announcement has at most %d bytes", maxText)
		}
		if err := a.submit(c.Ctx, job{ID: rand.Text(), Text: text, to: a.online()}); err != nil {
			return command.Result{}, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.end != nil {
		a.end.Stop()
	}
	a.end = time.AfterFunc(delay, func() { a.Stop(restart) })
	what := "shuts down"
	if restart {
		what = "restarts"
	}
	return command.Said(fmt.Sprintf("The server %s in %s.", what, delay)), nil
}

// keepRunning takes back a restart or shutdown that has not begun.
func (a *Admin) keepRunning(*command.Call) (command.Result, error) {
	if !a.cancelEnd() {
		return command.Said("Nothing was about to end."), nil
	}
	return command.Said("The server goes on."), nil
}

func (a *Admin) cancelEnd() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.end
	a.end = nil
	return was != nil && was.Stop()
}
