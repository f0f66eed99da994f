// The engine of the browser: internal/client as a program for js/wasm that runs in
// a Worker. It knows what a browser has (IndexedDB, WebSocket, fetch, the origin's
// private files) and hands it to the engine as what the engine asks for; its port is
// JSON text, one command or event each.
//
// It is not the Worker's own script: engine.js beside it starts it, holds the lock by
// which there is one engine for an origin, and speaks with the pages; attach.js is
// their end of it. docs/protocol/engine.md says what goes between them.
//
// Invariants: nothing here waits in a function that JavaScript calls; what the program
// keeps is in the one database and the one folder of its profile.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"mirsal/internal/client"
	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/indexeddb"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// host is what engine.js has put at globalThis.mirsalHost before it started us:
//
//	profile, label   texts
//	tell(json)       an event
//	ready(run)       the engine takes commands now: run.do(json), run.stop()
//	                 run.address is the account of the profile, "" for none
//	disk             files, see disk.js
//	near(address)    where the site itself has a file, see near.js
//	ended(why)       the engine has ended; why is "" when it was told to
type host struct{ js.Value }

func main() {
	h := host{js.Global().Get("mirsalHost")}
	h.Call("ended", why(h.run()))
}

// why says in one word, for programs, and more for people, what ended the engine.
func why(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, keep.ErrInUse):
		return "in-use: " + err.Error()
	case errors.Is(err, indexeddb.ErrLost):
		return "lost: " + err.Error()
	case errors.Is(err, indexeddb.ErrGone):
		return "gone: " + err.Error()
	case errors.Is(err, errStorage):
		return "storage: " + err.Error()
	}
	return "failed: " + err.Error()
}

// mostHeld is how many bytes of a table are held in memory: some ten thousand
// messages.
const mostHeld = 8 << 20

// errStorage is for a browser that keeps nothing.
var errStorage = errors.New("nothing can be kept in this browser")

// run is the engine's whole life.
func (h host) run() error {
	database, err := indexeddb.Open("mirsal " + h.Get("profile").String())
	if err != nil {
		return errors.Join(errStorage, err)
	}
	store := indexeddb.NewMirror(database, mostHeld)
	defer store.Close()
	address, err := owner(store)
	if err != nil {
		return err
	}
	e, err := client.New(client.Config{Store: store, Dialer: dialer, Events: h.tell, Files: newFolder(h),
		Software: "mirsal web", Label: h.Get("label").String(), Rand: rand.Reader, Now: time.Now,
		Log: console{}})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	h.ready(e, address, stop)
	return e.Run(ctx)
}

// owner is whose profile the store is, "" for nobody's yet.
func owner(s keep.Store) (string, error) {
	raw, err := s.Get("client.profile", "account")
	if err != nil || raw == nil {
		return "", err
	}
	var p struct {
		Address string `json:"address"`
	}
	return p.Address, json.Unmarshal(raw, &p)
}

func (h host) tell(ev port.Event) {
	text, err := port.EncodeEvent(ev)
	if err != nil { // events are structs of strings and numbers
		panic(err)
	}
	h.Call("tell", string(text))
}

// ready lets commands in. Do does not wait, and so may be called by JavaScript.
func (h host) ready(e *client.Engine, address string, stop func()) {
	h.Call("ready", map[string]any{
		"address": address,
		"do":      js.FuncOf(func(_ js.Value, args []js.Value) any { h.do(e, args[0].String()); return nil }),
		"stop":    js.FuncOf(func(js.Value, []js.Value) any { stop(); return nil }),
	})
}

// do hands on a command, and refuses what is none.
func (h host) do(e *client.Engine, text string) {
	c, err := port.DecodeCommand([]byte(text))
	if err == nil {
		e.Do(c)
		return
	}
	var asked port.Ref
	_ = json.Unmarshal([]byte(text), &asked)
	if asked.Ref != 0 {
		h.tell(&port.Done{Ref: asked, Failure: port.Failf(port.BadCommand, "this is no command")})
	}
}

// console is client.Logger on the browser's console.
type console struct{}

func (console) Error(words string, args ...any) {
	js.Global().Get("console").Call("error", words, fmt.Sprint(args...))
}

// dialer makes the way to a server: the WebSocket that SignIn names, else the one of the
// site that the Worker is from. A host and a port, as in a link that a program shows,
// is no way for a browser.
func dialer(_ jid.JID, server string) (conn.Dialer, error) {
	if !strings.Contains(server, "://") {
		here := js.Global().Get("location")
		server = strings.Replace(here.Get("protocol").String(), "http", "ws", 1) + "//" + here.Get("host").String() + "/ws"
	}
	if !strings.HasPrefix(server, "wss://") && !strings.HasPrefix(server, "ws://") {
		return nil, errors.New("the server's address must begin with wss://")
	}
	return &conn.WebSocket{URL: server}, nil
}
