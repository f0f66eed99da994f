//go:build js

// Command inbrowser signs in by the browser's WebSocket, for a test that runs it in
// Node: URL, account and password are its arguments. It says "up" with the kind of its
// token, then "resumed" after it has closed the WebSocket itself, and "left".
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/jid"
)

// kept is a dialer that keeps what it has dialled, to be cut.
type kept struct {
	conn.WebSocket
	last conn.Transport
}

func (k *kept) Dial(ctx context.Context) (t conn.Transport, err error) {
	t, err = k.WebSocket.Dial(ctx)
	k.last = t
	return t, err
}

func main() {
	d := &kept{WebSocket: conn.WebSocket{URL: os.Args[1]}}
	c := conn.New(conn.Config{
		Address: jid.MustParse(os.Args[2]), Password: os.Args[3], Device: "a browser", Dial: d,
		Backoff: conn.Backoff{Least: time.Millisecond, Most: time.Millisecond},
	}, nil)
	go func() {
		for e := range c.Events() {
			switch e := e.(type) {
			case *conn.Up:
				if e.Resumed {
					fmt.Println("resumed")
					c.Leave(context.Background())
					continue
				}
				fmt.Println("up", e.Token.Mechanism)
				d.last.Close()
			case *conn.Down:
				fmt.Fprintln(os.Stderr, e.Err)
			}
		}
	}()
	if err := c.Run(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("left")
}
