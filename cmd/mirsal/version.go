package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mirsal/internal/server"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  mirsal version", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "mirsal", server.Version)
			return err
		},
	}
}
