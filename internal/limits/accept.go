package limits

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// Accept hands the connections of a listener to f until it is closed or ctx ends.
func Accept(ctx context.Context, l net.Listener, log *slog.Logger, f func(net.Conn)) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			f(c)
			continue
		}
		// out of open files, most likely: let others finish first
		log.Warn("cannot accept connections", "address", l.Addr(), "err", err)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}
