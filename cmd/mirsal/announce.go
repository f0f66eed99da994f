package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mirsal/internal/control"
)

func newAnnounce(o *options) *cobra.Command {
	var all bool
	var subject string
	cmd := &cobra.Command{
		Use: "announce TEXT", Short: "Tell everybody something in the server's name",
		Long: "Send a message from the server to those who are online, or with --all to every account: who is away then gets\n" +
			"it later. A TEXT of - is read from standard input. The server has to run; it goes on with it after a restart.",
		Example: "  mirsal announce \"The server restarts in five minutes.\"\n  mirsal announce --all --subject Rules - <rules.txt",
		Args:    exactly(1, "TEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf(args[0])
			if err != nil {
				return err
			}
			fields := map[string][]string{"announcement": {text}, "subject": {subject}, "all": {"0"}}
			if all {
				fields["all"] = []string{"1"}
			}
			return runCommand(cmd, o, "announce", fields, false)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "tell every account, also those who are away")
	cmd.Flags().StringVar(&subject, "subject", "", "a subject")
	return cmd
}

// maxStdin is how much of a text is read.
const maxStdin = 64 << 10

// textOf is an argument, or standard input for -. It is never empty.
func textOf(arg string) (string, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin))
		if err != nil {
			return "", err
		}
		arg = strings.TrimSpace(string(b))
	}
	if strings.TrimSpace(arg) == "" {
		return "", usage("the text is empty")
	}
	return arg, nil
}

// newStandingText is the command about a text that stands: it is set, shown and
// cleared.
func newStandingText(o *options, name, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Example: "  mirsal " + name + " set \"Mind the gap\"\n  mirsal " + name + " show\n  mirsal " + name + " clear",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("set, show or clear is missing")
		},
	}
	form := map[string]string{"motd": "edit-motd", "welcome": "set-welcome"}[name] // shows what stands
	cmd.AddCommand(
		&cobra.Command{
			Use: "set TEXT", Short: "Set it; - reads it from standard input", Example: "  mirsal " + name + " set \"Mind the gap\"", Args: exactly(1, "TEXT"),
			RunE: func(cmd *cobra.Command, args []string) error {
				text, err := textOf(args[0])
				if err != nil {
					return err
				}
				return runCommand(cmd, o, "set-"+name, map[string][]string{name: {text}}, false)
			},
		},
		&cobra.Command{
			Use: "show", Short: "Print it", Example: "  mirsal " + name + " show", Args: exactly(0, ""),
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withCommands(cmd.Context(), o.data, func(c *control.Client) error {
					r, err := c.CommandForm(cmd.Context(), form)
					if err == nil && r.Form.Field(name) != nil && len(r.Form.Field(name).Values) > 0 {
						_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(r.Form.Field(name).Values, "\n"))
					}
					return err
				})
			},
		},
		&cobra.Command{
			Use: "clear", Short: "Take it away", Example: "  mirsal " + name + " clear", Args: exactly(0, ""),
			RunE: func(cmd *cobra.Command, _ []string) error { return runCommand(cmd, o, "delete-"+name, nil, false) },
		},
	)
	return cmd
}

func newMOTD(o *options) *cobra.Command {
	return newStandingText(o, "motd", "Set and clear the message of the day",
		"A message of the day is told to each account once: at once to those who are online, to others when they come, until\nit is cleared. The server has to run.")
}

func newWelcome(o *options) *cobra.Command {
	return newStandingText(o, "welcome", "Set and clear the welcome for newcomers",
		"A welcome is told to accounts that were made after it was first set, when they first come online. The server has to run.")
}
