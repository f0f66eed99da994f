package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mirsal/internal/client/profile"
	"mirsal/internal/client/terminal"
)

// howToSignIn stands below the form that signs in.
const howToSignIn = "The same by command: mirsal chat login JID. For a server of one's own that signs its own certificates, start once with --ca DATA/tls/ca.pem."

// screenOptions are the flags of mirsal chat without a subcommand.
type screenOptions struct {
	bidi string
	bell bool
	ca   string
}

func (s *screenOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.bidi, "bidi", "auto", "who puts right-to-left text in order: on (mirsal), off (the terminal), auto (by what the terminal says it is)")
	cmd.Flags().StringVar(&s.ca, "ca", "", "file of certificates to trust beside the system's, in PEM; remembered in the profile")
	cmd.Flags().BoolVar(&s.bell, "bell", false, "ring the terminal's bell at new messages")
}

// openScreen opens the profile and shows it in the terminal.
func openScreen(o *chatOptions, s *screenOptions) error {
	if !slices.Contains([]string{"auto", "on", "off"}, s.bidi) {
		return usage("--bidi is auto, on or off, not %q", s.bidi)
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return usage("the screen needs a terminal; programs use the subcommands")
	}
	if s.ca != "" {
		if err := profile.Trust(o.profile, s.ca); err != nil {
			return err
		}
	}
	p, err := profile.Open(o.profile)
	if err != nil {
		return chatError(err)
	}
	screen := terminal.New(terminal.Options{Bidi: s.bidi, Bell: s.bell, Keep: filepath.Join(o.profile, "screen.json"), Env: os.Environ(), Label: deviceLabel(), Help: howToSignIn})
	e, err := p.Engine(deviceLabel(), screen.Heard, nil) // a log would be written over the screen
	if err != nil {
		return errors.Join(err, p.Close())
	}
	e.NoCalls = true
	screen.Use(e)
	c := o.start(p, e, nil)
	err = screen.Run(c.ctx)
	return chatError(errors.Join(err, c.stop()))
}
