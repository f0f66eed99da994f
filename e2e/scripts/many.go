package scripts

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// sayMany are the steps for the same stanza many times. In its XML {count} stands
// for 1, 2, 3 and so on.
func sayMany(say deviceSayer) {
	say(`sends (\d+) times`, func(w *world, _ context.Context, d *device, args []string, xml string) error {
		return w.many(args[0], func() error {
			filled, err := w.names.fill(xml, true)
			if err != nil {
				return err
			}
			return d.conn.Send(strings.TrimSpace(filled))
		})
	})
	say(`receives (\d+) times`, func(w *world, ctx context.Context, d *device, args []string, xml string) error {
		return w.many(args[0], func() error {
			patterns, err := w.patterns(xml)
			if err != nil {
				return err
			}
			_, err = d.expect(ctx, w.names, patterns, w.script.Ignored)
			return err
		})
	})
}

func (w *world) many(times string, do func() error) error {
	n, err := strconv.Atoi(times)
	defer delete(w.names, "count")
	for i := 1; i <= n && err == nil; i++ {
		w.names["count"] = strconv.Itoa(i)
		if err = do(); err != nil {
			err = fmt.Errorf("number %d: %w", i, err)
		}
	}
	return err
}
