package main

import (
	"context"

	"github.com/spf13/cobra"

	"mirsal/internal/control"
)

// newStanding is a command that does one thing to accounts, whether the server runs
// or not.
func newStanding(o *options, verb, short string, do func(a control.Accounts, ctx context.Context, name string) error) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME…", Short: short, Example: "  mirsal account " + verb + " alice bob", Args: atLeastOne("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				err := withAccount(cmd.Context(), o.data, name, false, func(a control.Accounts, own string) error {
					return do(a, cmd.Context(), own)
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func atLeastOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%s is missing", what)
		}
		return nil
	}
}

// newStandings are the commands about how accounts stand.
func newStandings(o *options) []*cobra.Command {
	return []*cobra.Command{
		newStanding(o, "disable", "Let nobody sign in to accounts, and end their sessions; they keep everything", control.Accounts.Disable),
		newStanding(o, "enable", "Let people sign in again to accounts that were disabled", control.Accounts.Enable),
		newStanding(o, "promote", "Make accounts administrators'", func(a control.Accounts, ctx context.Context, name string) error {
			return a.SetAdmin(ctx, name, true)
		}),
		newStanding(o, "demote", "Make accounts administrators' no longer", func(a control.Accounts, ctx context.Context, name string) error {
			return a.SetAdmin(ctx, name, false)
		}),
		newShow(o), newSessions(o), newKick(o),
	}
}

func newShow(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NAME[@DOMAIN]", Short: "Tell of an account: since when, devices, sessions", Example: "  mirsal account show alice", Args: exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "user-stats", map[string][]string{"accountjid": args}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func newSessions(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "sessions [NAME…]", Short: "List sessions: all, or those of accounts",
		Long: "List sessions, of accounts or all, the first 1000 by address. A session is active, or idle when its client says that\n" +
			"nobody looks at it, or asleep when it has lost its connection and may come back.",
		Example: "  mirsal account sessions\n  mirsal account sessions alice --json", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "sessions", map[string][]string{"accountjids": args, "max_items": {"none"}}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}

func newKick(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "kick NAME…", Short: "End the sessions of accounts, or single ones: NAME@DOMAIN/RESOURCE",
		Long:    "End sessions. Who was signed in can sign in again at once: see account disable, and account passwd.",
		Example: "  mirsal account kick alice\n  mirsal account kick alice@example.org/phone", Args: atLeastOne("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "end-user-session", map[string][]string{"accountjids": args}, false)
		},
	}
}
