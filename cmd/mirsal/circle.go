package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mirsal/internal/control"
	"mirsal/internal/xmpp/jid"
)

func newCircle(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "circle", Short: "Keep circles: groups of accounts that are contacts of each other",
		Long: "A circle is a family, a class or a department: who joins becomes a contact of every member, and sees\n" +
			"who is there, without asking anybody. Who leaves keeps his contacts. A circle is there while it has members.",
		Example: "  mirsal circle list\n  mirsal circle add \"Class 4b\" alice bob\n  mirsal circle members \"Class 4b\"\n  mirsal circle remove \"Class 4b\" bob",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("list, members, add or remove is missing")
		},
	}
	cmd.AddCommand(
		newCircleList(o), newCircleMembers(o),
		newCircleChange(o, "add", "Put accounts into a circle, which is made when it is not there", control.Accounts.Join),
		newCircleChange(o, "remove", "Take accounts out of a circle; they stay contacts of the members", control.Accounts.Leave),
	)
	return cmd
}

func newCircleList(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Print the circles and how many members they have", Example: "  mirsal circle list", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				all, err := a.Circles(cmd.Context())
				for _, c := range all {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%d\n", c.Name, c.Members)
				}
				return err
			})
		},
	}
}

func newCircleMembers(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "members CIRCLE", Short: "Print the members of a circle, one a line",
		Example: "  mirsal circle members \"Class 4b\"", Args: exactly(1, "CIRCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				names, err := a.Members(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if len(names) == 0 { // a circle is there while it has members
					return fmt.Errorf("there is no circle %s", args[0])
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(names, "\n"))
				return err
			})
		},
	}
}

// newCircleChange is a command that does one thing to accounts and a circle.
func newCircleChange(o *options, verb, short string, do func(a control.Accounts, ctx context.Context, circle, name string) error) *cobra.Command {
	return &cobra.Command{
		Use: verb + " CIRCLE NAME…", Short: short,
		Example: "  mirsal circle " + verb + " \"Class 4b\" alice bob",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage("CIRCLE or NAME is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				for _, name := range args[1:] {
					if err := do(a, cmd.Context(), args[0], name); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}
