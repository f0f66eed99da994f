package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mirsal/internal/config"
	"mirsal/internal/doctor"
)

func newDoctor(o *options) *cobra.Command {
	var asJSON bool
	var choose func(*cobra.Command) (string, []string)
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look at everything that the server needs, and say what to do",
		Long: "Look at the configuration, data, certificate, DNS, ports and machine, whether the server runs or not.\n" +
			"Nothing is changed. Give it the flags that serve is given. Exit status 1 when there is a problem.",
		Example: "  mirsal doctor\n" +
			"  mirsal doctor --config mirsal.toml --data /var/lib/mirsal\n" +
			"  mirsal doctor --json",
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, sets := choose(cmd)
			r := doctor.Examine(cmd.Context(), doctor.Options{
				File: file, Folder: checkDir,
				Load: func() (config.Config, error) { return config.Load(file, sets) },
			})
			return report(cmd, &r, asJSON)
		},
	}
	choose = configFlags(cmd, o)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print for programs (docs/ops/doctor.md)")
	return cmd
}

// report prints what was found. Problems make it an error, which is one line more.
func report(cmd *cobra.Command, r *doctor.Report, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := r.WriteJSON(out); err != nil {
			return err
		}
	} else if err := r.WriteText(out, out == os.Stdout && term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == ""); err != nil {
		return err
	}
	if r.Problems > 0 {
		return fmt.Errorf("the doctor found problems: %s", r.Summary())
	}
	return nil
}
