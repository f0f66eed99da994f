package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mirsal/internal/control"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
)

func newCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "command", Short: "List and run the commands that administrators have in their clients",
		Long: "What administrators can do from their clients (XEP-0050 and XEP-0133) can be done here, by the same table.\n" +
			"A command is named by what stands behind the # of its node. The server has to run.",
		Example: "  mirsal command list\n  mirsal command show add-user\n  mirsal command run shutdown delay=300 announcement=\"Back at ten\"",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("list, show or run is missing")
		},
	}
	cmd.AddCommand(newCommandList(o), newCommandShow(o), newCommandRun(o))
	return cmd
}

// withCommands runs f on the server of a data directory.
func withCommands(ctx context.Context, dir string, f func(c *control.Client) error) error {
	c, err := control.Dial(ctx, dir)
	if errors.Is(err, control.ErrNobody) {
		return fmt.Errorf("no server runs on %s: start it, or name its data directory with --data", dir)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

func newCommandList(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "Print the commands, one a line", Example: "  mirsal command list", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withCommands(cmd.Context(), o.data, func(c *control.Client) error {
				all, err := c.Commands(cmd.Context())
				if err == nil && asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, x := range all {
					_, short, _ := strings.Cut(x.Node, "#")
					fmt.Fprintf(w, "%s\t%s\n", short, x.Name)
				}
				return errors.Join(err, w.Flush())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON, with their whole nodes")
	return cmd
}

func newCommandShow(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "show COMMAND", Short: "Print what a command asks first", Example: "  mirsal command show announce", Args: exactly(1, "COMMAND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withCommands(cmd.Context(), o.data, func(c *control.Client) error {
				r, err := c.CommandForm(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, f := range r.Form.Fields {
					need := ""
					if f.Required {
						need = "needed"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Var, f.Kind, need, f.Label)
				}
				return w.Flush()
			})
		},
	}
}

func newCommandRun(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "run COMMAND [FIELD=VALUE…]", Short: "Run a command with the values of its fields",
		Long: "Run a command with the values of its fields; a field that is given several times has several values.\n" +
			"Others see the arguments of a running program: passwords are better set by mirsal account.",
		Example: "  mirsal command run get-online-users-num\n  mirsal command run get-registered-users-list max_items=50 after=bob",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("COMMAND is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			fields := map[string][]string{}
			for _, a := range args[1:] {
				name, value, ok := strings.Cut(a, "=")
				if !ok {
					return usage("%q is not FIELD=VALUE", a)
				}
				fields[name] = append(fields[name], value)
			}
			return runCommand(cmd, o, args[0], fields, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found out as JSON")
	return cmd
}

// runCommand runs a command of the server and prints what it answers.
func runCommand(cmd *cobra.Command, o *options, node string, fields map[string][]string, asJSON bool) error {
	return withCommands(cmd.Context(), o.data, func(c *control.Client) error {
		r, err := c.RunCommand(cmd.Context(), node, fields)
		if err != nil {
			return err
		}
		return printResult(cmd.OutOrStdout(), cmd.ErrOrStderr(), &r, asJSON)
	})
}

// printResult prints a result for people, or for programs: then remarks go to errs. What
// was not done is an error, behind all else.
func printResult(w, errs io.Writer, r *command.Result, asJSON bool) error {
	if asJSON {
		if err := printJSON(w, resultJSON(r)); err != nil {
			return err
		}
	} else if err := printForm(w, r); err != nil {
		return err
	}
	var failed []error
	for _, n := range r.Notes {
		switch {
		case n.Kind == command.Error:
			failed = append(failed, errors.New(n.Text))
		case asJSON:
			fmt.Fprintln(errs, "mirsal:", n.Text)
		default:
			fmt.Fprintln(w, n.Text)
		}
	}
	return errors.Join(failed...)
}

func printForm(w io.Writer, r *command.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if rows := r.Rows(); rows != nil {
		printTable(t, rows)
		return t.Flush()
	}
	for _, f := range r.Form.Fields {
		if f.Kind == form.Hidden {
			continue
		}
		name := f.Label
		if name == "" {
			name = f.Var
		}
		if f.Kind == form.Boolean {
			f.Values = []string{map[string]string{"1": "yes"}[first(f.Values)]}
			if f.Values[0] == "" {
				f.Values[0] = "no"
			}
		}
		for i, v := range f.Values {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(t, "%s\t%s\n", name, oneLine(v))
		}
	}
	return t.Flush()
}

func printTable(w io.Writer, t *command.Table) {
	if len(t.Rows) == 0 {
		return
	}
	var head []string
	for _, c := range t.Columns {
		head = append(head, strings.ToUpper(c.Label))
	}
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = oneLine(v)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
}

// oneLine keeps what others wrote from looking like our own lines, and from
// commanding the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// resultJSON is an array of objects for whatever is a list, else one object, with an
// array where a field may have several values.
func resultJSON(r *command.Result) any {
	if rows := r.Rows(); rows != nil {
		list := []map[string]string{}
		for _, row := range rows.Rows {
			one := map[string]string{}
			for i, v := range row {
				one[rows.Columns[i].Var] = v
			}
			list = append(list, one)
		}
		return list
	}
	one := map[string]any{}
	for _, f := range r.Form.Fields {
		switch f.Kind {
		case form.Hidden:
		case form.JIDMulti, form.TextMulti, form.ListMulti:
			one[f.Var] = append([]string{}, f.Values...)
		case form.Boolean:
			one[f.Var] = first(f.Values) == "1"
		default:
			one[f.Var] = first(f.Values)
		}
	}
	return one
}
