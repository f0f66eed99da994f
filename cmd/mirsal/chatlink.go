package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
)

// linkTime is how long linking may take, people included.
const linkTime = 30 * time.Minute

func newChatLink(o *chatOptions) *cobra.Command {
	var join, refuse, label, ca string
	cmd := &cobra.Command{
		Use: "link", Short: "Add a device: show a code here, and take it there with --join",
		Long: "On a device that is signed in this shows a code, as a QR and as text, for five minutes and one device. On the new device,\n" +
			"with an empty profile, --join takes it (- reads it from standard input) and shows six digits. Type them here: whoever has\n" +
			"seen the code can ask, and only the digits tell whether it is your device. After that the new device can read and write\n" +
			"all your messages; it gets the history, and what was decided about keys. Your other devices are told. Where the\n" +
			"server has a new device wait, any other device refuses it with --refuse and the link that chat listen --json tells.",
		Example: "  mirsal chat link\n  mirsal chat link --join 'mirsal:link?a=…' --profile ./new --label tablet\n  mirsal chat link --refuse 8c1f20",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if refuse != "" {
				return o.with(func(c *chatting) error { return c.refuseLink(refuse) })
			}
			if !cmd.Flags().Changed("join") {
				return o.with(func(c *chatting) error { return c.showLink(cmd) })
			}
			if ca != "" {
				if err := profile.Trust(o.profile, ca); err != nil {
					return err
				}
			}
			return o.withNew(func(c *chatting) error { return c.joinLink(cmd, join, label) })
		},
	}
	cmd.Flags().StringVar(&join, "join", "", "the code that the other device shows; - reads it from standard input")
	cmd.Flags().StringVar(&refuse, "refuse", "", "the link of a device that another one has let in and that waits (keyAlert)")
	cmd.Flags().StringVar(&label, "label", deviceLabel(), "with --join: what your other devices will call this one")
	cmd.Flags().StringVar(&ca, "ca", "", "with --join: file of certificates to trust beside the system's, in PEM")
	return cmd
}

// refuseLink keeps out what another device has let in.
func (c *chatting) refuseLink(link string) error {
	if err := c.synced(); err != nil {
		return err
	}
	_, err := c.Call(c.limit, &port.LinkConfirm{Link: link})
	return waited(err)
}

// showLink is the old device.
func (c *chatting) showLink(cmd *cobra.Command) error {
	if err := c.synced(); err != nil {
		return err
	}
	answer, err := c.Call(c.limit, &port.LinkShow{})
	if err != nil {
		return waited(err)
	}
	out, code := cmd.OutOrStdout(), answer.(*port.Code)
	if !c.json {
		qrterminal.GenerateHalfBlock(code.Text, qrterminal.L, out)
	}
	c.tell(out, code, "%s\n\nScan this with the new device, or give it the text: mirsal chat link --join 'CODE'\nIt is good until %s, for one device. Show it to nobody else.\n",
		code.Text, code.Until.Local().Format("15:04"))
	ctx, cancel := context.WithTimeout(c.ctx, linkTime)
	defer cancel()
	for {
		ev, err := c.Next(ctx)
		if err != nil {
			return err
		}
		switch ev := ev.(type) {
		case *port.LinkAsked:
			return c.decideLink(ctx, cmd, ev)
		case *port.LinkState:
			if ev.Failure != nil {
				return ev.Failure
			}
		}
	}
}

// decideLink asks the person, and hands over what there is.
func (c *chatting) decideLink(ctx context.Context, cmd *cobra.Command, a *port.LinkAsked) error {
	out, prompts, told := cmd.OutOrStdout(), cmd.OutOrStdout(), *a
	if c.json {
		prompts, told.Check = cmd.ErrOrStderr(), "" // who types the digits has them from the new device
	}
	c.tell(out, &told, "")
	fmt.Fprint(prompts, linkQuestion(a))
	yes, err := c.asksDigits(ctx, cmd.InOrStdin(), prompts, a.Check)
	if err != nil {
		fmt.Fprintln(prompts)
		return err
	}
	wait := c.background(ctx, &port.LinkConfirm{Accept: yes})
	if err := c.follow(ctx, out, wait); err != nil {
		return err
	}
	if !yes {
		c.tell(out, nil, "It was refused, and has nothing.\n")
		return nil
	}
	c.tell(out, nil, "The device %q was let in. mirsal chat devices lists it.\n", plain(a.Label))
	return nil
}

// asksDigits waits for a person, or for what makes the question idle: another device with the
// same code, a lost connection, an interrupt.
func (c *chatting) asksDigits(ctx context.Context, in io.Reader, out io.Writer, check string) (bool, error) {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	typed := make(chan bool, 1)
	go func() {
		typed <- typesDigits(in, out, check)
		stop()
	}()
	for {
		ev, err := c.Next(watch)
		if s, ok := ev.(*port.LinkState); ok && s.Failure != nil {
			return false, s.Failure
		}
		if err == nil {
			continue
		}
		select {
		case yes := <-typed:
			return yes, nil
		default:
			return false, err
		}
	}
}

// linkQuestion says what a yes means, and by what it is to be decided.
func linkQuestion(a *port.LinkAsked) string {
	return fmt.Sprintf("\nA new device calling itself %q (%s) wants to READ AND WRITE ALL YOUR MESSAGES, from now on and those that were.\n"+
		"It says so itself; the name proves nothing. It must be in your hands.\n%s"+
		"If somebody has asked you for the code or for digits, press Enter alone: that refuses it.\n"+
		"To let it in, type the six digits that it shows: ", plain(a.Label), plain(a.Software), whereLinked(a))
}

// whereLinked is a line about where the server sees a new device, if it says so by a network and
// nothing else.
func whereLinked(a *port.LinkAsked) string {
	network, err := netip.ParsePrefix(a.Network)
	switch {
	case err != nil:
		return ""
	case a.Same:
		return fmt.Sprintf("The server sees it in the network that this device is in, too (%s).\n", network)
	}
	return fmt.Sprintf("The server sees it in the network %s, and this device in another one.\n", network)
}

// mostTypos is how often digits may be typed.
const mostTypos = 3

// typesDigits takes nothing for a yes but the digits that the new device shows: they are not
// shown here, so that who types them has compared them.
func typesDigits(in io.Reader, out io.Writer, check string) bool {
	lines := bufio.NewReader(io.LimitReader(in, 1<<10))
	for left := mostTypos - 1; ; left-- {
		line, err := lines.ReadString('\n')
		typed := strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		switch {
		case typed == "":
			return false
		case typed == strings.ReplaceAll(check, " ", ""):
			return true
		case left == 0 || err != nil:
			return false
		}
		fmt.Fprint(out, "Those are not its digits. Once more, or Enter to refuse it: ")
	}
}

// background begins a call whose events are watched meanwhile.
func (c *chatting) background(ctx context.Context, cmd port.Command) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, cmd)
		done <- err
	}()
	return done
}

// follow tells how far linking has come, until its call is answered.
func (c *chatting) follow(ctx context.Context, out io.Writer, wait <-chan error) error {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() {
		err := <-wait
		stop()
		result <- err
	}()
	told := -1
	for {
		ev, err := c.Next(watch)
		if err != nil {
			return <-result
		}
		s, ok := ev.(*port.LinkState)
		switch {
		case !ok:
		case c.json:
			printEvent(out, s)
		case s.State == "joined" && s.Check != "":
			fmt.Fprintf(out, "Type these digits on the device that has shown the code:\n\n    %s\n\n", s.Check)
		case s.State == "held":
			fmt.Fprintf(out, "It is let in, and the server has it wait until %s. Until then any device of the account can refuse it.\n", s.Until.Local().Format("2006-01-02 15:04"))
		case (s.State == "sending" || s.State == "receiving") && s.Total > 0 && s.Done*10/s.Total > told:
			told = s.Done * 10 / s.Total
			fmt.Fprintf(out, "%d of %d messages\n", s.Done, s.Total)
		}
	}
}

// joinLink is the new device.
func (c *chatting) joinLink(cmd *cobra.Command, text, label string) error {
	if text == "-" {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 1<<12)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		text = line
	}
	code, err := link.ParseCode(text)
	if err != nil {
		return usage("%s", err)
	}
	out := cmd.OutOrStdout()
	c.tell(out, nil, "This device asks to become one of %s's.\n", code.Address)
	ctx, cancel := context.WithTimeout(c.ctx, linkTime)
	defer cancel()
	c.limit = ctx // people decide how long it takes
	if err := c.follow(ctx, out, c.background(ctx, &port.LinkJoin{Code: text, Label: label})); err != nil {
		return err
	}
	if err := c.until(func(s port.Status) bool { return s.Synced }); err != nil {
		return err
	}
	c.tell(out, nil, "%s is signed in here.\n", code.Address)
	return nil
}
