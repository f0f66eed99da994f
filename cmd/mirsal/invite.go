package main

import (
	"fmt"
	"io"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"mirsal/internal/auth"
	"mirsal/internal/control"
	"mirsal/internal/xmpp/jid"
)

func newInvite(o *options) *cobra.Command {
	var admin bool
	cmd := &cobra.Command{
		Use: "invite", Short: "Print an invitation for one new account, as a link and a QR code",
		Long:    "Print an invitation for one new account: open the link with an XMPP client, or scan the code.",
		Example: "  mirsal invite\n  mirsal invite --admin",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				inv, err := a.Invite(cmd.Context(), admin, 0)
				if err != nil {
					return err
				}
				return printInvitation(cmd.OutOrStdout(), inv)
			})
		},
	}
	cmd.Flags().BoolVar(&admin, "admin", false, "the account becomes an administrator's")
	return cmd
}

// printInvitation puts the link on a line of its own, the first.
func printInvitation(w io.Writer, inv auth.Invitation) error {
	kind := "one account"
	if inv.Admin {
		kind = "one administrator's account"
	}
	if _, err := fmt.Fprintf(w, "%s\nGood for %s, until %s.\n", inv.URI, kind, inv.Expires.Local().Format(time.DateTime)); err != nil {
		return err
	}
	qrterminal.GenerateHalfBlock(inv.URI, qrterminal.L, w)
	return nil
}
