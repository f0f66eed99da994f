package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"syscall/js"

	"mirsal/internal/client/files"
)

// fetcher is files.Doer by the browser: XMLHttpRequest to put, which alone tells how
// much has gone, and fetch to get. It keeps and sends no cookies.
type fetcher struct {
	policy files.Policy
	host   host
}

// near has a request go to the site itself, if that has the file.
func (f *fetcher) near(address *string) error {
	at, err := await(f.host.Call("near", *address))
	if err != nil {
		return errors.New("the file service has no address")
	}
	*address = at.String()
	return nil
}

// ReadsAhead is of files.AheadReader: a browser takes a body that is whole.
func (f *fetcher) ReadsAhead() {}

// Put is of files.Doer. The body is put together in the browser's store of blobs,
// which goes to the disk when it is large.
func (f *fetcher) Put(ctx context.Context, q files.PutRequest) (*files.Answer, error) {
	body, err := gathered(q.Body)
	if err != nil {
		return nil, err
	}
	if int64(body.Get("size").Float()) != q.Size {
		return nil, errors.New("the body is not as long as was said")
	}
	if err := f.near(&q.URL); err != nil {
		return nil, err
	}
	x := js.Global().Get("XMLHttpRequest").New()
	x.Call("open", "PUT", q.URL)
	x.Call("setRequestHeader", "Content-Type", q.Type)
	for _, h := range q.Headers {
		x.Call("setRequestHeader", h.Name, h.Value)
	}
	return send(ctx, x, body, q)
}

// put reads what a request was answered by. The browser follows redirects by itself: what
// went there was encrypted, and is not what was asked for.
func put(x js.Value, url string) *files.Answer {
	a := &files.Answer{Status: x.Get("status").Int(), Size: -1, Body: nobody{}}
	a.RetryAfter = text(x.Call("getResponseHeader", "Retry-After"))
	if x.Get("responseURL").String() != js.Global().Get("URL").New(url).Get("href").String() {
		a.Status = 307
	}
	return a
}

// gathered makes a Blob of all that a reader has.
func gathered(r io.Reader) (js.Value, error) {
	blobs := js.Global().Get("Array").New()
	piece := make([]byte, gather)
	for {
		n, err := io.ReadFull(r, piece)
		if n > 0 {
			blobs.Call("push", js.Global().Get("Blob").New([]any{array(piece[:n])}))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return js.Global().Get("Blob").New(blobs), nil
		}
		if err != nil {
			return js.Null(), err
		}
	}
}

// send sends a request and waits for the end of its answer.
func send(ctx context.Context, x, body js.Value, q files.PutRequest) (*files.Answer, error) {
	over := make(chan error, 1)
	ended := func(err error) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case over <- err:
			default:
			}
			return nil
		})
	}
	load, failed := ended(nil), ended(errors.New("the file service cannot be reached"))
	progress := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if q.Sent != nil {
			q.Sent(int64(args[0].Get("loaded").Float()))
		}
		return nil
	})
	for name, f := range map[string]js.Func{"onload": load, "onerror": failed, "onabort": failed, "ontimeout": failed} {
		x.Set(name, f)
	}
	x.Get("upload").Set("onprogress", progress)
	defer release(x, load, failed, progress)
	x.Call("send", body)
	select {
	case err := <-over:
		if err != nil {
			return nil, err
		}
		return put(x, q.URL), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release ends a request, if it has not ended, and what listened to it.
func release(x js.Value, funcs ...js.Func) {
	for _, name := range []string{"onload", "onerror", "onabort", "ontimeout"} {
		x.Set(name, js.Null())
	}
	x.Get("upload").Set("onprogress", js.Null())
	x.Call("abort")
	for _, f := range funcs {
		f.Release()
	}
}

// Get is of files.Doer. If-Range is left out: with it the browser would have to ask the
// server for leave.
func (f *fetcher) Get(ctx context.Context, q files.GetRequest) (*files.Answer, error) {
	if err := f.near(&q.URL); err != nil {
		return nil, err
	}
	abort := js.Global().Get("AbortController").New()
	headers := map[string]any{}
	if q.From > 0 {
		headers["Range"] = "bytes=" + strconv.FormatInt(q.From, 10) + "-"
	}
	stop := context.AfterFunc(ctx, func() { abort.Call("abort") })
	r, err := await(js.Global().Call("fetch", q.URL, map[string]any{"headers": headers, "credentials": "omit",
		"cache": "no-store", "referrerPolicy": "no-referrer", "signal": abort.Get("signal")}))
	if err != nil {
		stop()
		return nil, errors.Join(ctx.Err(), errors.New("the file service cannot be reached"))
	}
	if err := f.policy.Allows(r.Get("url").String()); err != nil { // it followed redirects by itself
		stop()
		abort.Call("abort")
		return nil, err
	}
	return answer(r, abort, stop), nil
}

func answer(r, abort js.Value, stop func() bool) *files.Answer {
	h := func(name string) string { return text(r.Get("headers").Call("get", name)) }
	size, err := strconv.ParseInt(h("Content-Length"), 10, 64)
	if err != nil {
		size = -1
	}
	a := &files.Answer{Status: r.Get("status").Int(), Size: size, ETag: h("ETag"), ContentRange: h("Content-Range"),
		RetryAfter: h("Retry-After"), Body: nobody{}}
	if body := r.Get("body"); body.Truthy() {
		a.Body = &stream{reader: body.Call("getReader"), abort: abort, stop: stop}
	}
	return a
}

// stream reads the body of an answer.
type stream struct {
	reader, abort js.Value
	stop          func() bool
	rest          []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		r, err := await(s.reader.Call("read"))
		if err != nil {
			return 0, io.ErrUnexpectedEOF // what it says may quote the address, which is a secret
		}
		if r.Get("done").Bool() {
			return 0, io.EOF
		}
		s.rest = slice(r.Get("value"))
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) Close() error {
	s.stop()
	s.abort.Call("abort")
	return nil
}

// nobody is the body of an answer that has none.
type nobody struct{}

func (nobody) Read([]byte) (int, error) { return 0, io.EOF }
func (nobody) Close() error             { return nil }

// text is a text or "" for null.
func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}
