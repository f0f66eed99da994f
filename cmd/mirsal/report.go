package main

import "github.com/spf13/cobra"

func newReport(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "report", Short: "List, show and close what people reported as spam or abuse",
		Long: "What people report while they block somebody (XEP-0377) waits here. Closing a report takes it out of the list; it\n" +
			"is forgotten 90 days after it was last reported. The server has to run.",
		Example: "  mirsal report list\n  mirsal report show 3f2a9c01d4e7\n  mirsal report close 3f2a9c01d4e7",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("list, show or close is missing")
		},
	}
	cmd.AddCommand(newReportList(o), newReportShow(o), &cobra.Command{
		Use: "close ID…", Short: "Close reports", Example: "  mirsal report close 3f2a9c01d4e7", Args: atLeastOne("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "close-reports", map[string][]string{"id": args}, false)
		},
	})
	return cmd
}

func newReportList(o *options) *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the reports that are open, the latest first", Example: "  mirsal report list --all --json", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			fields := map[string][]string{"all": {"0"}}
			if all {
				fields["all"] = []string{"1"}
			}
			return runCommand(cmd, o, "list-reports", fields, asJSON)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that are closed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}

func newReportShow(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Print all of one report", Example: "  mirsal report show 3f2a", Args: exactly(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "show-report", map[string][]string{"id": args}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
