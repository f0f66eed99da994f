package main

import (
	"io"

	"github.com/spf13/cobra"

	"mirsal/internal/config"
)

func newConfig() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print every configuration key with its default and what it means",
		Example: "  mirsal config >mirsal.toml\n  mirsal serve --config mirsal.toml",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), config.Manual())
			return err
		},
	}
}
