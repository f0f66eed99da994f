package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mirsal/internal/client"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
	"mirsal/internal/xmpp/sasl"
)

// Exit statuses of mirsal chat, for those who call it from programs.
const (
	exitRefused     exitStatus = 1 // it was not done, and the text says why
	exitUsage       exitStatus = 2 // the command line is wrong
	exitNoAccount   exitStatus = 3 // not signed in, wrong password, or signed out from elsewhere
	exitUnreachable exitStatus = 4 // no connection within the time allowed
	exitKeys        exitStatus = 5 // not sent, because of keys: see mirsal chat devices
	exitInUse       exitStatus = 6 // the profile is open in another program
)

// chatOptions are the flags of every chat command.
type chatOptions struct {
	profile string
	timeout time.Duration
	json    bool
	calls   bool // there is who can take them
}

func newChat() *cobra.Command {
	o, screen := &chatOptions{}, &screenOptions{}
	cmd := &cobra.Command{
		Use: "chat", Short: "Chat, encrypted: in the terminal, or from programs",
		Long: "Without a subcommand this opens the screen; press ? there for help. The subcommands are for bots and operators.\n\n" +
			"A profile is one account on one device: a folder with its keys, its history and its sign-in, for its owner's eyes\n" +
			"only. Messages are encrypted by default and never go in the clear because encrypting failed.\n\n" +
			"Exit status: 0 done · 1 refused, the text says why · 2 wrong command line · 3 not signed in · 4 no connection ·\n" +
			"5 not sent because of keys (mirsal chat devices) · 6 the profile is open in another program.\n" +
			"history, list, search, contact list and devices print what this device knows when there is no connection: they say so on\n" +
			"standard error, and end with 0.",
		Example: "  mirsal chat login alice@example.org\n  mirsal chat\n  mirsal chat send bob@example.org 'hello'\n  mirsal chat listen --json",
		Args:    cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if o.timeout <= 0 {
				return usage("--timeout is longer than nothing, not %s", o.timeout)
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return openScreen(o, screen) },
	}
	screen.flags(cmd)
	cmd.PersistentFlags().StringVar(&o.profile, "profile", defaultProfile(), "folder of the profile")
	cmd.PersistentFlags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server")
	cmd.PersistentFlags().BoolVar(&o.json, "json", false, "print JSON, one object in a line (docs/protocol/engine.md)")
	cmd.AddCommand(newChatLogin(o), newChatLogout(o), newChatSend(o), newChatListen(o), newChatHistory(o), newChatSearch(o), newChatList(o),
		newChatContact(o), newChatRoom(o), newChatDevices(o), newChatTrust(o), newChatVerify(o), newChatFetch(o), newChatEncryption(o), newChatLink(o), newChatPort(o))
	return cmd
}

func defaultProfile() string {
	if dir, err := os.UserConfigDir(); err == nil {
		return filepath.Join(dir, "mirsal", "default")
	}
	return "mirsal-profile"
}

// chatting is an open profile with its engine at work.
type chatting struct {
	*caller.Caller
	profile *profile.Profile
	ctx     context.Context // ends by a signal
	limit   context.Context // ends by the timeout too
	stop    func() error
	json    bool // print events, not words
}

// tell prints what happens: the event for programs, and otherwise words.
func (c *chatting) tell(w io.Writer, ev port.Event, words string, args ...any) {
	if !c.json {
		fmt.Fprintf(w, words, args...)
	} else if ev != nil {
		printEvent(w, ev)
	}
}

// openChat opens the profile and starts its engine.
func (o *chatOptions) openChat() (*chatting, error) {
	p, err := profile.Open(o.profile)
	if err != nil {
		return nil, chatError(err)
	}
	c := caller.New()
	e, err := p.Engine(deviceLabel(), c.Heard, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		p.Close()
		return nil, err
	}
	e.NoCalls = !o.calls
	c.Use(e)
	return o.start(p, e, c), nil
}

func (o *chatOptions) start(p *profile.Profile, e *client.Engine, c *caller.Caller) *chatting {
	ctx, unsignal := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	limit, cancel := context.WithTimeout(ctx, o.timeout)
	run, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(run) }()
	return &chatting{Caller: c, profile: p, ctx: ctx, limit: limit, json: o.json, stop: func() error {
		end()
		err := <-ended
		cancel()
		unsignal()
		return errors.Join(err, p.Close())
	}}
}

// with opens the profile, runs f, and closes it in good order. A folder that is not there is
// a mistyped one.
func (o *chatOptions) with(f func(c *chatting) error) error {
	if _, err := os.Stat(o.profile); errors.Is(err, os.ErrNotExist) {
		return coded(fmt.Errorf("there is no profile in %s; mirsal chat login JID makes one", o.profile), exitNoAccount)
	}
	return o.withNew(f)
}

// withNew is with for those who sign in: the folder is made if need be.
func (o *chatOptions) withNew(f func(c *chatting) error) error {
	c, err := o.openChat()
	if err != nil {
		return err
	}
	err = f(c)
	return chatError(errors.Join(err, c.stop()))
}

// chatError turns what went wrong into the exit status that says so, behind its text.
func chatError(err error) error {
	var f *port.Failure
	switch {
	case errors.Is(err, keep.ErrInUse):
		return coded(err, exitInUse)
	case errors.As(err, &f):
	case errors.Is(err, context.Canceled): // only a signal does that
		f = interrupted()
	default:
		return err
	}
	switch f.Code {
	case port.BadCommand:
		return coded(f, exitUsage)
	case port.NotSignedIn, port.WrongPassword, port.Revoked:
		return coded(f, exitNoAccount)
	case port.Unreachable, port.Untrusted:
		return coded(f, exitUnreachable)
	case port.NotEncrypted, port.KeyUndecided:
		return coded(f, exitKeys)
	}
	return coded(f, exitRefused)
}

// coded says what went wrong, and returns the exit status.
func coded(err error, status exitStatus) error {
	fmt.Fprintf(os.Stderr, "mirsal: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return status
}

// deviceLabel is what this device is called, for people.
func deviceLabel() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "mirsal chat"
	}
	return "mirsal chat on " + host
}

// printEvent prints an event as one line.
func printEvent(w io.Writer, ev port.Event) error {
	raw, err := port.EncodeEvent(ev)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", raw)
	}
	return err
}

func newChatLogin(o *chatOptions) *cobra.Command {
	var server, ca, label string
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "login JID", Short: "Sign in; the profile is that account's from then on",
		Long: "Signs in and keeps a token, so that the password need not be kept (but where the server has no tokens). Without\n" +
			"--server the domain's records are looked up. --server takes HOST:PORT (TLS is negotiated; on port 5223 it begins\n" +
			"with the first byte) or a wss:// address. --ca names a file of certificates to trust for this profile: a server on\n" +
			"your own machine keeps its own at DATA/tls/ca.pem.",
		Example: "  mirsal chat login alice@localhost --server 127.0.0.1:5222 --ca mirsal-data/tls/ca.pem\n  echo secret | mirsal chat login alice@example.org --password-stdin --profile ./alice",
		Args:    exactly(1, "JID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ca != "" {
				if err := profile.Trust(o.profile, ca); err != nil {
					return err
				}
			}
			secret, err := knownPassword(fromStdin)
			if err != nil {
				return err
			}
			if secret == "" {
				return usage("the password is empty")
			}
			return o.withNew(func(c *chatting) error {
				if _, err := c.Call(c.limit, &port.SignIn{Address: args[0], Password: secret, Server: server, Label: label}); err != nil {
					return advised(waited(err))
				}
				if err := c.synced(); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is signed in.\n", c.Status().Address)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&server, "server", "", "HOST:PORT or wss://… in place of what the domain's records say")
	cmd.Flags().StringVar(&ca, "ca", "", "file of certificates to trust beside the system's, in PEM")
	cmd.Flags().StringVar(&label, "label", "", "what your other devices call this one; this machine's name without it")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input, its first line")
	return cmd
}

// waited says that time ran out, or a signal came, in the port's words.
func waited(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted()
	case errors.Is(err, context.DeadlineExceeded):
		return port.Failf(port.Unreachable, "no connection within the time allowed")
	}
	return err
}

// advised says what to do about a certificate that nobody vouches for.
func advised(err error) error {
	var f *port.Failure
	if errors.As(err, &f) && f.Code == port.Untrusted {
		return port.Failf(f.Code, "%s (a server of your own signs for itself: --ca DATA/tls/ca.pem)", f.Text)
	}
	return err
}

// knownPassword reads a password that exists already: typed once.
func knownPassword(fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, sasl.MaxPassword+3)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", usage("standard input is no terminal: use --password-stdin")
	}
	return ask("Password: ")
}

func newChatLogout(o *chatOptions) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Take this device off the account; the history stays in the profile's folder",
		Long: "Takes this device off the account. What was said stays in the profile's folder, where history, list and search still\n" +
			"read it; whoever wants it gone removes the folder.",
		Example: "  mirsal chat logout", Args: exactly(0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return o.with(func(c *chatting) error {
				if err := c.online(); err != nil {
					return err
				}
				_, err := c.Call(c.limit, &port.SignOut{Forget: true})
				return err
			})
		},
	}
}
