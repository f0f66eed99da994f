package main

import "github.com/spf13/cobra"

// openScreen opens the profile and shows it in the terminal.
func openScreen(cmd *cobra.Command, o *chatOptions) error {
	return usage("a subcommand is missing")
}
