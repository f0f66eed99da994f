// Command mirsal is the server and everything one does to it from a shell. Each
// subcommand has its file. Trouble is one line on standard error and exit status
// 1, or 2 when the command line itself is wrong.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mirsal/internal/config"
)

func main() { os.Exit(run(os.Args[1:])) }

// usageError is a mistake in the command line.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run runs one command line and returns the exit status.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	var u usageError
	wrong := errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command")
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	if wrong {
		fmt.Fprintf(os.Stderr, "mirsal: %s (see %s --help)\n", text, cmd.CommandPath())
		return 2
	}
	fmt.Fprintf(os.Stderr, "mirsal: %s\n", text)
	return 1
}

// options are the flags of every command.
type options struct{ data string }

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use: "mirsal", Short: "A self-hosted messenger that speaks XMPP",
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return cmd.Help()
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&o.data, "data", config.Default().Data, "data directory")
	root.AddCommand(newServe(o), newAccount(o), newInvite(o), newCircle(o), newPush(o), newAnnounce(o), newMOTD(o), newWelcome(o), newOutage(o), newReport(o), newUploads(o), newCallRules(), newCommand(o), newDoctor(o), newConformance(), newConfig(), newWebHash(), newVersion(), newChat(), newCall())
	return root
}

// exactly wants n arguments and says which.
func exactly(n int, what string) cobra.PositionalArgs { return between(n, n, what) }

// between is exactly, with some that may be left out.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > most:
			return usage("unexpected argument %q", args[most])
		case len(args) < least:
			return usage("%s is missing", what)
		}
		return nil
	}
}
