package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
)

// seatName names the place in a call that this program is.
const seatName = "terminal"

// take is one event.
func (k *calling) take(ev port.Event) error {
	switch ev := ev.(type) {
	case *port.Status:
		k.happened(ev, "")
		if ev.State == "refused" {
			return ev.Failure
		}
	case *port.CallChanged:
		return k.changed(ev.Call)
	case *port.CallMedia:
		if ev.Call == k.call.ID && ev.Seat == seatName {
			k.media(ev)
		}
	}
	return nil
}

// changed hears of a call.
func (k *calling) changed(c port.Call) error {
	if c.ID != k.call.ID {
		k.happened(&port.CallChanged{Call: c}, "")
		k.rings(c)
		return nil
	}
	before := k.call.State
	k.call = c
	k.happened(&port.CallChanged{Call: c}, k.words(before))
	if c.State != "ended" {
		return nil
	}
	return k.finish()
}

// rings hears of a call that is none of ours yet.
func (k *calling) rings(c port.Call) {
	wanted := c.State == "incoming" && k.call.ID == "" && (k.o.from == "" || k.o.from == c.Chat) && k.leaving.IsZero()
	switch {
	case !wanted:
	case k.o.answer:
		k.from, k.call, k.last = time.Now(), c, seat.Stats{}
		k.happened(nil, cell(c.Chat)+" calls"+byLink(c)+"\n")
		k.Do(&port.AnswerCall{Call: c.ID, Video: k.o.video, Seat: seatName})
	case k.o.decline:
		k.call = c
		k.Do(&port.DeclineCall{Call: c.ID})
	}
}

// finish is behind the end of a call: its numbers, and whether another is waited for.
func (k *calling) finish() error {
	k.close()
	if k.from.IsZero() {
		k.from = k.call.At
	} else {
		k.count(k.last)
	}
	k.flush()
	k.ended++
	if k.mine || !k.leaving.IsZero() && k.ctx.Err() != nil || k.o.count > 0 && k.ended >= k.o.count {
		return errOver
	}
	k.call, k.from, k.leaving = port.Call{}, time.Time{}, time.Time{}
	return nil
}

// flush waits until the server has what the engine said last: it answers in the order in
// which it was asked.
func (k *calling) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_, _ = k.Call(ctx, &port.ListCalls{Limit: 1})
}

// words is what a change is for people; "" where there is nothing to say.
func (k *calling) words(before string) string {
	c := k.call
	if c.State == before {
		return ""
	}
	switch c.State {
	case "calling":
		return "calling " + cell(c.Chat) + "\n"
	case "ringing":
		return "it rings there\n"
	case "active":
		return fmt.Sprintf("speaking, after %s%s\n", time.Since(k.from).Round(time.Millisecond), lockWords(c.Lock))
	case "ended":
		return whyWords(c) + "\n"
	}
	return ""
}

func lockWords(l *port.Lock) string {
	switch {
	case l == nil:
		return ""
	case l.State == port.Verified:
		return "; with the device whose key was compared"
	case l.State == port.Locked:
		return "; with a device that is known by its key"
	}
	return "; whoever has the server could listen"
}

// whyWords is how a call has ended.
func whyWords(c port.Call) string {
	words := map[string]string{
		"missed": "missed", "declined": "declined", "declined-elsewhere": "declined on another device", "answered-elsewhere": "answered on another device",
		"cancelled": "cancelled", "rejected": "the other side has declined", "unanswered": "nobody has answered", "hung-up": "hung up",
		"peer-hung-up": "the other side has hung up", "failed": "it failed", "insecure": "the keys are not those of the person",
		"migrated": "it has gone to another device", "tie": "both have called at once",
	}[c.Why]
	if words == "" {
		words = "ended"
	}
	if c.Text != "" {
		words += ": " + cell(c.Text)
	}
	return words
}

// callHeard tells of the first packet of a kind.
type callHeard struct {
	Event string `json:"event"` // callHeard
	Call  string `json:"call"`
	Media string `json:"media"` // audio, video
	After int64  `json:"after"` // milliseconds since the call was placed, or accepted
}

// callStats tells what was counted.
type callStats struct {
	Event string `json:"event"` // callStats
	Call  string `json:"call"`
	seat.Stats
}

func (k *calling) count(s seat.Stats) {
	k.told = time.Now()
	if k.o.json {
		raw, err := json.Marshal(callStats{"callStats", k.call.ID, s})
		if err == nil {
			k.out.say("%s\n", raw)
		}
		return
	}
	k.out.say("%s", statsWords(s))
}

func statsWords(s seat.Stats) string {
	out := ""
	for _, one := range []struct {
		name string
		m    seat.Media
	}{{"audio", s.Audio}, {"video", s.Video}} {
		if m := one.m; m.Packets+m.SentFrames > 0 {
			out += fmt.Sprintf("%s: %d frames sent, %d heard in %d packets, %d lost, jitter %.1f ms\n", one.name, m.SentFrames, m.Frames, m.Packets, m.Lost, m.Jitter)
		}
	}
	if s.Path != "" {
		out += fmt.Sprintf("way: %s, there and back in %.1f ms\n", s.Path, s.RoundTrip)
	}
	return out
}

// printLog prints the calls that were.
func (o *callOptions) printLog(w io.Writer, c *chatting) error {
	if err := c.readable(os.Stderr); err != nil {
		return err
	}
	answer, err := c.Call(c.limit, &port.ListCalls{Limit: o.limit})
	if err != nil {
		return waited(err)
	}
	for _, one := range answer.(*port.CallList).Calls {
		if o.json {
			err = printEvent(w, &port.CallChanged{Call: one})
		} else {
			_, err = fmt.Fprintln(w, logLine(one))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logLine is a call that was: when, which way, with whom, how it went.
func logLine(c port.Call) string {
	way, who := "from", c.Chat
	if c.Mine {
		way = "to"
	}
	if who == "" {
		who = "several"
	}
	kind := "audio"
	if c.Video {
		kind = "video"
	}
	line := fmt.Sprintf("%s  %-4s  %s  %s  %s", c.At.Local().Format(time.DateTime), way, cell(who), kind, whyWords(c))
	if !c.Answered.IsZero() && !c.Ended.IsZero() {
		line += ", " + c.Ended.Sub(c.Answered).Round(time.Second).String()
	}
	line += byLink(c)
	if c.Silent != "" {
		line += fmt.Sprintf("  (silent: %s, %d times)", cell(c.Silent), max(c.Count, 1))
	}
	return line
}
