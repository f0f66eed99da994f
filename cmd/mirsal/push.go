package main

import "github.com/spf13/cobra"

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

func newPushList(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list NAME[@DOMAIN]", Short: "Print the registrations of an account, one a line",
		Long: "Print the registrations of an account, the latest first: id, state, the device's name, push service, last success,\n" +
			"last failure and its reason, the device's id. States are ok, never-used, failing, paused and ended.",
		Example: "  mirsal push list alice", Args: exactly(1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "list-push", map[string][]string{"accountjid": args}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}

func newPushTest(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test NAME[@DOMAIN] [ID…]", Short: "Send a notification to the devices of an account, or to some of them",
		Long: "Send a notification that says it is a test by each registration of an account, or by some, and print what\n" +
			"became of it: sent means that the push service has it. The exit status is 1 unless all were sent.",
		Example: "  mirsal push test alice\n  mirsal push test alice 4QXR2LZ7KM3TDW5A", Args: atLeastOne("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "test-push", map[string][]string{"accountjid": args[:1], "id": args[1:]}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
