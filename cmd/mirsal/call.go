package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
	"mirsal/internal/xmpp/jid"
)

// exitUnanswered is of mirsal call alone; the others are those of mirsal chat.
const exitUnanswered exitStatus = 7 // nobody has answered, or not here

// callOptions are the flags of mirsal call.
type callOptions struct {
	chatOptions
	linkOptions
	answer, decline, log bool
	from                 string
	video                bool
	media                seat.Config
	lasts, stats         time.Duration
	count, limit         int
}

func newCall() *cobra.Command {
	o := &callOptions{chatOptions: chatOptions{calls: true}}
	cmd := &cobra.Command{
		Use: "call [JID]", Short: "Call somebody, or answer calls: plays and records files",
		Long: "With JID somebody is called; with --answer calls are waited for and accepted, with --decline declined, and with --log\n" +
			"printed that were. --new-link makes a link by which a stranger may call once, which with --link is called. It uses a profile as mirsal chat does (mirsal chat login makes one).\n\n" +
			"There is no microphone and no camera: a file of Opus in Ogg is what is said and one of VP8 in IVF what is shown, over\n" +
			"and over; silence and a grey picture without. --record puts what comes into a folder, as audio-1.ogg and video-1.ivf,\n" +
			"with the next number for the next call. Calls are encrypted from end to end. Ctrl-C hangs up.\n\n" +
			"--answer accepts whatever rings, which by default contacts' calls do alone; with --from only that address', and others ring\n" +
			"on unanswered. Nothing that a caller sends is looked at by anything that knows of media before a call was accepted.\n\n" +
			"With --json each change of a call, and of the connection, is a line (callChanged and status of docs/protocol/engine.md);\n" +
			"callHeard tells of the first packet of a kind, and callStats what was counted: at the end, and with --stats every so often.\n\n" +
			"Exit status: 0 it was answered and hung up · 1 failed, the text says why · 2 wrong command line · 3 not signed in · 4 no\n" +
			"connection · 5 the keys of the call were not those of the person · 6 the profile is open in another program ·\n" +
			"7 not answered, declined, or answered elsewhere.",
		Example: "  mirsal call bob@example.org --play hello.ogg --for 10s\n  mirsal call --answer --from alice@example.org --record ./calls --json\n  mirsal call --log\n  mirsal call --new-link 24h",
		Args:    between(0, 1, "JID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.with(func(c *chatting) error { return o.run(cmd.OutOrStdout(), c, args) })
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *callOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.answer, "answer", false, "wait for calls and accept them, until interrupted")
	f.BoolVar(&o.decline, "decline", false, "wait for calls and decline them, until interrupted")
	f.BoolVar(&o.log, "log", false, "print the calls that were, newest first")
	o.linkFlags(cmd)
	f.StringVar(&o.from, "from", "", "with --answer and --decline: only calls of this address")
	f.IntVar(&o.count, "count", 0, "with --answer and --decline: end after that many calls")
	f.IntVar(&o.limit, "limit", 50, "with --log: how many, at most 200")
	f.BoolVar(&o.video, "video", false, "with pictures of ours")
	f.StringVar(&o.media.Audio, "play", "", "file of Opus in Ogg to be said, over and over; silence without it")
	f.StringVar(&o.media.Video, "play-video", "", "file of VP8 in IVF to be shown, over and over; a grey picture without it")
	f.StringVar(&o.media.Record, "record", "", "folder for what comes; it is made if need be")
	f.DurationVar(&o.lasts, "for", 0, "hang up so long after the call was answered")
	f.DurationVar(&o.stats, "stats", 0, "print what was counted every so often, not only at the end")
	f.StringVar(&o.profile, "profile", defaultProfile(), "folder of the profile")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server")
	f.BoolVar(&o.json, "json", false, "print JSON, one object in a line")
}

func (o *callOptions) check(args []string) error {
	modes := len(args)
	for _, on := range []bool{o.answer, o.decline, o.log, o.link != "", o.lists, o.makes != 0, o.ends != ""} {
		if on {
			modes++
		}
	}
	switch {
	case modes != 1:
		return usage("one of JID, --answer, --decline, --log, --link, --links, --new-link and --end-link is wanted")
	case o.makes != 0 && (o.makes < time.Second || o.makes > longestLink):
		return usage("--new-link is 1s to %s", longestLink)
	case o.timeout <= 0:
		return usage("--timeout is longer than nothing, not %s", o.timeout)
	case o.lasts < 0 || o.stats < 0 || o.count < 0:
		return usage("--for, --stats and --count are not below nothing")
	case (o.from != "" || o.count != 0) && !o.answer && !o.decline:
		return usage("--from and --count go with --answer or --decline")
	case o.limit < 1 || o.limit > 200:
		return usage("--limit is 1 to 200")
	case o.media.Video != "" && !o.video:
		return usage("--play-video goes with --video")
	}
	if _, _, ok := callLink(o.link); o.link != "" && !ok {
		return usage("--link: %q is not xmpp:ADDRESS?call;link=TOKEN", o.link)
	}
	if o.from != "" {
		from, err := jid.Parse(o.from)
		if err != nil {
			return usage("--from: %s", err)
		}
		o.from = from.Bare().String()
	}
	// what cannot be played is said before anybody is called
	s := seat.New(seat.Config{Audio: o.media.Audio, Video: o.media.Video}, nil)
	return errors.Join(s.Open(o.video), s.Close())
}

func (o *callOptions) run(w io.Writer, c *chatting, args []string) error {
	if o.log {
		return o.printLog(w, c)
	}
	if err := c.online(); err != nil {
		return err
	}
	if o.lists || o.makes != 0 || o.ends != "" {
		return o.tendLinks(w, c)
	}
	k := &calling{chatting: c, o: o, out: &lines{w: w}}
	status := c.Status()
	k.happened(&status, "")
	place := &port.PlaceCall{Video: o.video, Seat: seatName}
	if o.link != "" {
		place.Chat, place.Link, _ = callLink(o.link)
	} else if len(args) > 0 {
		place.Chat = args[0]
	}
	if place.Chat == "" {
		k.happened(nil, "waiting for calls\n")
		return k.follow()
	}
	k.from, k.mine = time.Now(), true
	answer, err := c.Call(c.limit, place)
	if err != nil {
		return waited(err)
	}
	k.call.ID = answer.(*port.Done).Call
	return k.follow()
}

// lines are printed one at a time: some are told by the goroutines of the media.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, format, args...)
}

func (l *lines) event(ev port.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = printEvent(l.w, ev) // who does not read any more is gone soon
}

// happened prints an event for programs, or words for people.
func (k *calling) happened(ev port.Event, words string) {
	switch {
	case !k.o.json:
		k.out.say("%s", words)
	case ev != nil:
		k.out.event(ev)
	}
}

// calling is mirsal call at work. All is its one goroutine's but what says otherwise.
type calling struct {
	*chatting
	o    *callOptions
	out  *lines
	mine bool      // we call, once, and that is it
	from time.Time // when this call was placed or accepted
	call port.Call // that is held, or ID "" for none
	seat *seat.Seat
	last seat.Stats // of the seat that was closed

	ended   int       // calls that are over
	leaving time.Time // an interrupt has come: how long the end is waited for
	told    time.Time // when what was counted was printed
}

// goodbye is how long it may take to hang up.
const goodbye = 5 * time.Second

// follow takes events until a call of ours, or as many as wanted, are over.
func (k *calling) follow() error {
	defer k.close()
	for {
		ctx, cancel := k.next()
		ev, err := k.Next(ctx)
		cancel()
		switch {
		case err == nil:
			err = k.take(ev)
		case errors.Is(err, context.DeadlineExceeded):
			err = k.due()
		default:
			err = k.interrupt()
		}
		if err == errOver {
			return k.over()
		}
		if err != nil {
			return err
		}
	}
}

// errOver is that there is nothing more to do.
var errOver = errors.New("over")

// next is until when an event is waited for: what has to be done then does due.
func (k *calling) next() (context.Context, context.CancelFunc) {
	ctx := k.ctx
	at := time.Now().Add(time.Hour)
	if !k.leaving.IsZero() {
		ctx, at = context.Background(), k.leaving
	} else {
		if end := k.end(); !end.IsZero() {
			at = end
		}
		if k.seat != nil && k.o.stats > 0 && k.told.Add(k.o.stats).Before(at) {
			at = k.told.Add(k.o.stats)
		}
	}
	return context.WithDeadline(ctx, at)
}

// end is when we hang up by ourselves; zero for never.
func (k *calling) end() time.Time {
	if k.o.lasts == 0 || k.call.State != "active" {
		return time.Time{}
	}
	return k.call.Answered.Add(k.o.lasts)
}

func (k *calling) due() error {
	if !k.leaving.IsZero() {
		return errOver
	}
	if k.seat != nil && k.o.stats > 0 && !time.Now().Before(k.told.Add(k.o.stats)) {
		k.count(k.seat.Stats())
	}
	if end := k.end(); !end.IsZero() && !time.Now().Before(end) {
		return k.hangUp()
	}
	return nil
}

// interrupt is Ctrl-C: hang up, and wait for that a little while.
func (k *calling) interrupt() error {
	if k.call.ID == "" {
		return errOver
	}
	return k.hangUp()
}

func (k *calling) hangUp() error {
	k.leaving = time.Now().Add(goodbye)
	k.Do(&port.HangUpCall{Call: k.call.ID})
	return nil
}

// over is the exit status of what has happened.
func (k *calling) over() error {
	if !k.mine {
		return nil
	}
	switch why := k.call.Why; {
	case why == "insecure":
		return coded(fmt.Errorf("the call was broken off: %s", whyWords(k.call)), exitKeys)
	case why == "failed":
		return port.Failf(port.Refused, "%s", whyWords(k.call))
	case k.call.Answered.IsZero():
		return coded(fmt.Errorf("%s", whyWords(k.call)), exitUnanswered)
	}
	return nil
}
