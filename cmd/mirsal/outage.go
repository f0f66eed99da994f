package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/config"
	"mirsal/internal/control"
)

func newOutage(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "outage", Short: "Tell clients when the server is not there, and when it is back",
		Long: "Clients learn where to look when they cannot connect (XEP-0455): at outage.url, or at a file of this server's own.\n" +
			"The server has to run.",
		Example: "  mirsal outage plan --start \"2026-03-01 02:00\" --end +2h --message \"New disks\" --lang de=\"Neue Platten\"\n" +
			"  mirsal outage show --json >status.json\n  mirsal outage clear",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("plan, show or clear is missing")
		},
	}
	cmd.AddCommand(newOutagePlan(o), newOutageShow(o), &cobra.Command{
		Use: "clear", Short: "Tell that it is over", Example: "  mirsal outage clear", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runCommand(cmd, o, "clear-outage", nil, false) },
	})
	return cmd
}

func newOutagePlan(o *options) *cobra.Command {
	var start, end, message string
	var langs []string
	var unplanned bool
	cmd := &cobra.Command{
		Use: "plan", Short: "Tell of an outage, planned or not",
		Long: "Tell of an outage. Times are like 2026-03-01T02:00:00Z, or \"2026-03-01 02:00\" in this machine's time zone; +2h is\n" +
			"two hours from now, and behind --end two hours after the start. It is told of until its end, or for a week. There is one\n" +
			"outage at a time: another takes its place, and says so. Say at least one of --end, --message and --unplanned.",
		Example: "  mirsal outage plan --start +1h --end +2h --message \"New disks\"", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if end == "" && strings.TrimSpace(message) == "" && !unplanned {
				return usage("say until when (--end), what people are told (--message), or that it was not planned (--unplanned)")
			}
			begin, err := parseMoment(start, time.Now())
			if err != nil {
				return usage("--start: %v", err)
			}
			fields := map[string][]string{"beginning": {begin.UTC().Format(time.RFC3339)}, "message": {message}, "planned": {"1"}}
			if end != "" {
				over, err := parseMoment(end, begin)
				if err != nil {
					return usage("--end: %v", err)
				}
				fields["end"] = []string{over.UTC().Format(time.RFC3339)}
			}
			if unplanned {
				fields["planned"] = []string{"0"}
			}
			for _, l := range langs {
				tag, text, ok := strings.Cut(l, "=")
				if !ok {
					return usage("--lang: %q is not like de=TEXT", l)
				}
				fields["translations"] = append(fields["translations"], tag+": "+oneLine(text))
			}
			return runCommand(cmd, o, "plan-outage", fields, false)
		},
	}
	f := cmd.Flags()
	f.StringVar(&start, "start", "", "when it begins (default: now)")
	f.StringVar(&end, "end", "", "when it is expected to end")
	f.StringVar(&message, "message", "", "what people are told, in the language that most of them read")
	f.StringArrayVar(&langs, "lang", nil, "the same in another language, `tag=text`; may be repeated")
	f.BoolVar(&unplanned, "unplanned", false, "it was not planned")
	return cmd
}

// parseMoment reads a time; "" and +DURATION are from a moment on.
func parseMoment(s string, from time.Time) (time.Time, error) {
	if s == "" {
		return from, nil
	}
	if later, ok := strings.CutPrefix(s, "+"); ok {
		var d config.Duration
		err := d.UnmarshalText([]byte(later))
		return from.Add(d.Duration), err
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return from, fmt.Errorf("%q is no time like 2026-03-01T02:00:00Z, \"2026-03-01 02:00\" or +2h", s)
}

func newOutageShow(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: "Print what is told", Example: "  mirsal outage show --json >status.json", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !asJSON {
				return runCommand(cmd, o, "show-outage", nil, false)
			}
			return withCommands(cmd.Context(), o.data, func(c *control.Client) error {
				r, err := c.RunCommand(cmd.Context(), "show-outage", nil)
				if err == nil {
					_, err = fmt.Fprint(cmd.OutOrStdout(), r.Form.Value("json"))
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the file that clients read")
	return cmd
}
