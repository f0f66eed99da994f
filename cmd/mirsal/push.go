package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/control"
)

func newPush(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "push", Short: "Show and test how devices are woken",
		Long: "Phones and browsers that are away are woken by way of push services. Show whether that works for the\n" +
			"devices of an account, and send them a test. The server has to run.",
		Example: "  mirsal push list alice\n  mirsal push test alice",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("list or test is missing")
		},
	}
	cmd.AddCommand(newPushList(o), newPushTest(o))
	return cmd
}

// withPush runs f on the server of a data directory.
func withPush(ctx context.Context, dir, account string, f func(c *control.Client, name string) error) error {
	name, _, err := parseOwn(account)
	if err != nil {
		return err
	}
	c, err := control.Dial(ctx, dir)
	if errors.Is(err, control.ErrNobody) {
		return fmt.Errorf("no server runs on %s: start it, or name its data directory with --data", dir)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c, name)
}

func newPushList(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "list NAME[@DOMAIN]", Short: "Print the registrations of an account, one a line",
		Long: "Print the registrations of an account, the latest first: ID, state, push service, device, last success,\n" +
			"last failure and its reason, divided by tabs. States are ok, never-used, failing, paused and ended.",
		Example: "  mirsal push list alice", Args: exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withPush(cmd.Context(), o.data, args[0], func(c *control.Client, name string) error {
				all, err := c.Registrations(cmd.Context(), name)
				for _, r := range all {
					printRegistration(cmd.OutOrStdout(), r)
				}
				return err
			})
		},
	}
}

func printRegistration(w io.Writer, r control.Registration) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.Service, orNone(r.Device), when(r.Success), when(r.Failure), orNone(r.Reason))
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newPushTest(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "test NAME[@DOMAIN] [ID]", Short: "Send a notification to the devices of an account, or to one of them",
		Long: "Send a notification that says it is a test by each registration of an account, or by one, and print what\n" +
			"became of it: sent means that the push service has it. The exit status is 1 unless all were sent.",
		Example: "  mirsal push test alice\n  mirsal push test alice 4QXR2LZ7KM3TDW5A",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return exactly(1, "NAME")(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withPush(cmd.Context(), o.data, args[0], func(c *control.Client, name string) error {
				ids := args[1:]
				if len(ids) == 0 {
					all, err := c.Registrations(cmd.Context(), name)
					if err != nil {
						return err
					}
					for _, r := range all {
						ids = append(ids, r.ID)
					}
				}
				return testEach(cmd.Context(), cmd.OutOrStdout(), c, name, ids)
			})
		},
	}
}

// testEach tests registrations one after the other.
func testEach(ctx context.Context, w io.Writer, p control.Push, name string, ids []string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%s has no device that asked to be woken", name)
	}
	failed := 0
	for _, id := range ids {
		outcome := "sent"
		if err := p.TestPush(ctx, name, id); err != nil {
			failed++
			outcome = err.Error()
		}
		fmt.Fprintf(w, "%s\t%s\n", id, outcome)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d were not sent", failed, len(ids))
	}
	return nil
}
