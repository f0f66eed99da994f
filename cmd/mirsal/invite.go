package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/control"
	"mirsal/internal/xmpp/jid"
)

func newInvite(o *options) *cobra.Command {
	var offer auth.Offer
	var expires config.Duration
	var asJSON, qr bool
	cmd := &cobra.Command{
		Use: "invite", Short: "Invite people: print a link for them, and a QR code",
		Long: "Print an invitation for one new account, or for several: a link to a web page that tells what to do, the\n" +
			"same for XMPP clients, and a QR code of the link. Who has the link can use it: send it like a password.",
		Example: "  mirsal invite\n  mirsal invite --admin\n  mirsal invite --uses 30 --expires 2d --circle \"Class 4b\"\n" +
			"  mirsal invite --for alice\n  mirsal invite list\n  mirsal invite revoke 3f2a9c01d4e7",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unexpected argument %q", args[0])
			}
			// what is not asked for is 0 to those who make it
			if offer.Uses < 1 {
				return usage("--uses %d: an invitation is for 1 to %d people", offer.Uses, auth.MostUses)
			}
			if cmd.Flags().Changed("expires") && expires.Duration == 0 {
				return usage("--expires: an invitation is good for 1s to %dd", auth.MaxInvitation/(24*time.Hour))
			}
			offer.Life, offer.Contact = expires.Duration, offer.From != ""
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				inv, err := a.Invite(cmd.Context(), offer)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), shown(inv))
				}
				return printInvitation(cmd.OutOrStdout(), inv, qr)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&offer.Admin, "admin", false, "the account becomes an administrator's")
	f.IntVar(&offer.Uses, "uses", 1, fmt.Sprintf("how many people can use it, at most %d", auth.MostUses))
	f.Var(durationFlag{&expires}, "expires", "how long it is good, such as 36h or 7d, at most 30d (default: as configured)")
	f.StringVar(&offer.Circle, "circle", "", "the circle that they join: its members become contacts of each other")
	f.StringVar(&offer.From, "for", "", "the account in whose name they are invited, and whose contact they become")
	f.BoolVar(&asJSON, "json", false, "print it as JSON")
	f.BoolVar(&qr, "qr", false, "print the QR code also when this is no terminal")
	cmd.AddCommand(newInviteList(o), newInviteRevoke(o))
	return cmd
}

// durationFlag reads what the configuration would.
type durationFlag struct{ d *config.Duration }

func (f durationFlag) String() string     { return "" }
func (f durationFlag) Type() string       { return "time" }
func (f durationFlag) Set(s string) error { return f.d.UnmarshalText([]byte(s)) }

// printInvitation puts each link on a line of its own, first that of the web page
// where the server has one.
func printInvitation(w io.Writer, inv auth.Invitation, qr bool) error {
	code := inv.URI
	if inv.Link != "" {
		code = inv.Link
		if _, err := fmt.Fprintln(w, inv.Link); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "%s\nGood for %s, until %s. To take it back: mirsal invite revoke %s\n",
		inv.URI, goodFor(inv), inv.Expires.Local().Format(time.DateTime), inv.ID); err != nil {
		return err
	}
	if f, ok := w.(*os.File); qr || ok && term.IsTerminal(int(f.Fd())) {
		qrterminal.GenerateHalfBlock(code, qrterminal.L, w)
	}
	return nil
}

func goodFor(inv auth.Invitation) string {
	what := "one account"
	switch {
	case inv.Admin:
		what = "one administrator's account"
	case inv.Room != "":
		what = "the group " + inv.Room
	case inv.NoAccount:
		what = "one contact"
	case inv.Uses > 1:
		what = fmt.Sprintf("%d accounts", inv.Uses)
	}
	if inv.From != "" {
		what += " in the name of " + inv.From
	}
	if inv.Circle != "" {
		what += " in the circle " + inv.Circle
	}
	return what
}

// shownInvitation is what programs read of an invitation (docs/ops/invitations.md).
type shownInvitation struct {
	auth.Invitation
	Life int64 `json:"life"` // seconds; it stands for the Offer's, which counts nanoseconds
}

func shown(inv auth.Invitation) shownInvitation {
	return shownInvitation{inv, int64(inv.Life / time.Second)}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func newInviteList(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "Print the invitations that are not out of date, and who used them",
		Example: "  mirsal invite list\n  mirsal invite list --json", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				all, err := a.Invitations(cmd.Context(), "")
				if err != nil {
					return err
				}
				if asJSON {
					list := make([]shownInvitation, len(all))
					for i, inv := range all {
						list[i] = shown(inv)
					}
					return printJSON(cmd.OutOrStdout(), list)
				}
				for _, inv := range all {
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), invitationLine(inv)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}

func invitationLine(inv auth.Invitation) string {
	line := fmt.Sprintf("%s  until %s  %d of %d left  %s", inv.ID, inv.Expires.Local().Format(time.DateTime), inv.Left(), inv.Uses, goodFor(inv))
	var names []string
	for _, u := range inv.Used {
		names = append(names, u.Name)
	}
	if len(names) > 0 {
		line += "; used by " + strings.Join(names, ", ")
	}
	return line
}

func newInviteRevoke(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Take an invitation back; accounts made with it stay",
		Example: "  mirsal invite revoke 3f2a9c01d4e7", Args: exactly(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				return a.Withdraw(cmd.Context(), args[0])
			})
		},
	}
}
