package main

import "github.com/spf13/cobra"

func newUploads(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "uploads [NAME…]", Short: "List accounts by what their files take",
		Long: "List the accounts that have files, those with the most bytes first: how many files, how many bytes, and how much of\n" +
			"the quota that is; the first 1000. What is in the files, and their names, the server does not know. The server has to run.",
		Example: "  mirsal uploads\n  mirsal uploads alice --json", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCommand(cmd, o, "list-uploads", map[string][]string{"accountjids": args}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}
