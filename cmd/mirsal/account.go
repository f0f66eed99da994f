package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mirsal/internal/auth"
	"mirsal/internal/control"
	"mirsal/internal/xmpp/jid"
)

func newAccount(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "account", Short: "Add, list, disable and remove accounts, set passwords, end sessions",
		Long:    "Work on the accounts, whether the server runs or not. A name without @ is one of the server's own domain.",
		Example: "  mirsal account add alice@example.org\n  mirsal account list",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("add, disable, enable, promote, demote, import, kick, list, passwd, remove, sessions or show is missing")
		},
	}
	cmd.AddCommand(newAdd(o), newImport(o), newList(o), newPasswd(o), newRemove(o))
	cmd.AddCommand(newStandings(o)...)
	return cmd
}

// parseAccount reads name@domain.
func parseAccount(s string) (jid.JID, error) {
	if !strings.Contains(s, "@") {
		return jid.JID{}, usage("%q has no domain: write name@domain", s)
	}
	j, err := jid.Parse(s)
	if err != nil {
		return jid.JID{}, usage("%q is not a name that an account can have: %v", s, err)
	}
	if !j.IsBare() {
		return jid.JID{}, usage("%q has a resource: write name@domain", s)
	}
	return j, nil
}

// parseOwn reads name@domain, or a bare name: then the domain is zero.
func parseOwn(s string) (name string, domain jid.JID, err error) {
	if strings.Contains(s, "@") {
		j, err := parseAccount(s)
		return j.String(), j.DomainOnly(), err
	}
	if name, err = auth.ParseName(s, domain); err != nil {
		return "", domain, usage("%v", err)
	}
	return name, domain, nil
}

// withAccount is withAccounts for a command about one account. A bare name is one of
// the data's own domain, so it makes no data.
func withAccount(ctx context.Context, dir, arg string, create bool, f func(a control.Accounts, name string) error) error {
	name, domain, err := parseOwn(arg)
	if err != nil {
		return err
	}
	return withAccounts(ctx, dir, domain, create && !domain.IsZero(), func(a control.Accounts) error {
		if own, ok := a.(*auth.Auth); ok && own.Domain().IsZero() {
			return usage("%q has no domain, nor has the data yet: write name@domain", arg)
		}
		return f(a, name)
	})
}

// remark says what is wrong with a password that was set all the same: the operator
// may.
func remark(w io.Writer, name, password string) {
	local, _, _ := strings.Cut(name, "@")
	if err := auth.CheckPassword(local, password); err != nil {
		fmt.Fprintf(w, "mirsal: it is set, but %v\n", err)
	}
}

func newAdd(o *options) *cobra.Command {
	var fromStdin, force bool
	cmd := &cobra.Command{
		Use: "add NAME[@DOMAIN]", Short: "Make an account",
		Example: "  mirsal account add alice@example.org\n  mirsal account add bob --password-stdin <secret",
		Args:    exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPassword(args[0], fromStdin)
			if err != nil {
				return err
			}
			return withAccount(cmd.Context(), o.data, args[0], true, func(a control.Accounts, name string) error {
				add := a.Add
				if force {
					add = a.AddAnyway
				}
				own, err := add(cmd.Context(), name, p)
				if err == nil {
					remark(cmd.ErrOrStderr(), own, p)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "take a name although it looks like one that is taken")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func newImport(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Make accounts of a list, all or none",
		Long: "Make accounts of a file with lines name<TAB>password (- for standard input), all or none.\n\n" +
			"Another server's keys do in place of a password, so that nobody needs a new one: name<TAB>KEYS, or\n" +
			"name<TAB>KEYS<TAB>KEYS for both hashes, with KEYS written\n" +
			"  scram-sha-1:ITERATIONS:SALT:STORED KEY:SERVER KEY   or the same with scram-sha-256\n" +
			"where the salt is in base64 and the keys in base64 or hexadecimal. ejabberd keeps all three in base64;\n" +
			"Prosody keeps the keys in hexadecimal and the salt as text, which has to be put into base64.",
		Example: "  mirsal account import accounts.tsv",
		Args:    exactly(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f := os.Stdin
			if args[0] != "-" {
				var err error
				if f, err = os.Open(args[0]); err != nil {
					return err
				}
				defer f.Close()
			}
			return withAccounts(cmd.Context(), o.data, jid.JID{}, true, func(a control.Accounts) error {
				var seen passwords
				n, err := a.Import(cmd.Context(), io.TeeReader(f, &seen))
				if err != nil {
					return err
				}
				seen.remark(cmd.ErrOrStderr())
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d accounts\n", n)
				return err
			})
		},
	}
}

func newList(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Print the names of all accounts, one a line",
		Example: "  mirsal account list", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), o.data, jid.JID{}, false, func(a control.Accounts) error {
				names, err := a.List(cmd.Context())
				if err != nil || len(names) == 0 {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.Join(names, "\n"))
				return err
			})
		},
	}
}

func newPasswd(o *options) *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "passwd NAME[@DOMAIN]", Short: "Set an account's password",
		Example: "  mirsal account passwd alice@example.org", Args: exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPassword(args[0], fromStdin)
			if err != nil {
				return err
			}
			return withAccount(cmd.Context(), o.data, args[0], false, func(a control.Accounts, name string) error {
				err := a.Passwd(cmd.Context(), name, p)
				if err == nil {
					remark(cmd.ErrOrStderr(), name, p)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func newRemove(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME[@DOMAIN]", Short: "Remove an account and everything that was kept for it",
		Example: "  mirsal account remove alice@example.org", Args: exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccount(cmd.Context(), o.data, args[0], false, func(a control.Accounts, name string) error {
				return a.Remove(cmd.Context(), name)
			})
		},
	}
}
