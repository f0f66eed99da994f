package conn

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall/js"
)

// webSocketTrust: the browser decides whom to trust.
type webSocketTrust struct{}

// Dial connects by the browser's WebSocket. The browser lets nobody bind to its
// channel, and none be in clear but from a page that is.
func (d *WebSocket) Dial(ctx context.Context) (Transport, error) {
	if !strings.HasPrefix(d.URL, "wss://") && !ownMachine(d.URL) {
		return nil, &Refusal{Reason: Insecure, Words: "the WebSocket's address must begin with wss://"}
	}
	f, err := newJSFrames(d.URL)
	if err != nil {
		return nil, &Refusal{Reason: Unreachable, Words: "the server cannot be reached", Err: err}
	}
	select {
	case <-f.opened:
	case <-f.closed:
		return nil, &Refusal{Reason: Unreachable, Words: "the server cannot be reached"}
	case <-ctx.Done():
		f.close()
		return nil, ctx.Err()
	}
	if f.ws.Get("protocol").String() != "xmpp" { // RFC 7395 §3.1
		f.close()
		return nil, &Refusal{Reason: Misbehaved, Words: "at this address is no messaging server"}
	}
	return &framed{frames: f, security: Security{Private: true}, limits: bounds(false)}, nil
}

// ownMachine tells an address without encryption that no network is between.
func ownMachine(url string) bool {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	host, _, _ = strings.Cut(host, ":")
	return strings.HasPrefix(url, "ws://") && (host == "localhost" || host == "127.0.0.1")
}

// mostWaiting is how many bytes of frames may wait for the reader: a browser cannot be
// told to stop reading.
const mostWaiting = 32 << 20

// jsFrames is a WebSocket of the browser's.
type jsFrames struct {
	ws      js.Value
	opened  chan struct{}
	closed  chan struct{}
	once    sync.Once
	release func()

	mu      sync.Mutex // guards what follows, for a few instructions
	waiting [][]byte
	bytes   int
	wake    chan struct{} // holds one when waiting is not empty
}

func newJSFrames(url string) (f *jsFrames, err error) {
	defer func() {
		if p := recover(); p != nil { // an exception of JavaScript's
			err = errors.New("conn: the browser refuses the WebSocket")
		}
	}()
	f = &jsFrames{opened: make(chan struct{}), closed: make(chan struct{}), wake: make(chan struct{}, 1)}
	f.ws = js.Global().Get("WebSocket").New(url, js.ValueOf([]any{"xmpp"}))
	f.listen()
	return f, nil
}

// listen sets the browser's calls to us. None may wait: the browser's one thread
// makes them.
func (f *jsFrames) listen() {
	open := js.FuncOf(func(js.Value, []js.Value) any { close(f.opened); return nil })
	over := js.FuncOf(func(js.Value, []js.Value) any { f.over(); return nil })
	message := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if data := args[0].Get("data"); data.Type() == js.TypeString {
			f.came([]byte(data.String()))
		} else {
			f.came(nil) // RFC 7395 §3.2: text only; read refuses it
		}
		return nil
	})
	f.ws.Set("onopen", open)
	f.ws.Set("onerror", over)
	f.ws.Set("onclose", over)
	f.ws.Set("onmessage", message)
	f.release = func() {
		for _, name := range []string{"onopen", "onerror", "onclose", "onmessage"} {
			f.ws.Set(name, js.Null())
		}
		open.Release()
		over.Release()
		message.Release()
	}
}

func (f *jsFrames) came(b []byte) {
	f.mu.Lock()
	f.waiting = append(f.waiting, b)
	f.bytes += len(b)
	full := f.bytes > mostWaiting
	f.mu.Unlock()
	if full {
		f.over()
		return
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *jsFrames) over() { f.once.Do(func() { close(f.closed) }) }

// read gives what came before the end, then the end.
func (f *jsFrames) read() ([]byte, error) {
	for {
		if b, ok := f.take(); ok {
			return b, nil
		}
		select {
		case <-f.wake:
		case <-f.closed:
			if b, ok := f.take(); ok {
				return b, nil
			}
			return nil, io.EOF
		}
	}
}

func (f *jsFrames) take() (b []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		return nil, false
	}
	b, f.waiting = f.waiting[0], f.waiting[1:]
	f.bytes -= len(b)
	return b, true
}

func (f *jsFrames) write(b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("conn: the WebSocket does not take it")
		}
	}()
	select {
	case <-f.closed:
		return io.ErrClosedPipe
	default:
	}
	f.ws.Call("send", string(b))
	return nil
}

func (f *jsFrames) close() error {
	f.over()
	f.mu.Lock()
	release := f.release
	f.release = nil
	f.mu.Unlock()
	if release != nil {
		f.ws.Call("close")
		release()
	}
	return nil
}
