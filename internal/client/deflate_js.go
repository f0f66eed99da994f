package client

import "syscall/js"

// The browser packs and unpacks by itself: compress/flate would be a fiftieth of the
// program. Neither may be called by a function that JavaScript called.

// deflate packs a block (RFC 1951).
func deflate(raw []byte) ([]byte, error) { return through("CompressionStream", raw, -1) }

// inflate is a block as it was, of bounded size.
func inflate(data []byte) ([]byte, error) { return through("DecompressionStream", data, mostBlock) }

// through sends bytes through a stream and collects what comes out, which is most
// bytes at most, or (-1) any number.
func through(stream string, b []byte, most int) (out []byte, err error) {
	defer func() {
		if recover() != nil { // an exception of JavaScript's
			err = errBlock
		}
	}()
	in := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(in, b)
	whole := js.Global().Get("Blob").New([]any{in}).Call("stream")
	reader := whole.Call("pipeThrough", js.Global().Get(stream).New("deflate-raw")).Call("getReader")
	for {
		piece, err := next(reader)
		if err != nil || piece.IsUndefined() {
			return out, err
		}
		n := piece.Length()
		if most >= 0 && len(out)+n > most {
			reader.Call("cancel")
			return nil, errBlock
		}
		out = append(out, make([]byte, n)...)
		js.CopyBytesToGo(out[len(out)-n:], piece)
	}
}

// next waits for the next piece, undefined at the end.
func next(reader js.Value) (js.Value, error) {
	came := make(chan js.Value, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any { came <- args[0].Get("value"); return nil })
	bad := js.FuncOf(func(js.Value, []js.Value) any { came <- js.Null(); return nil })
	defer ok.Release()
	defer bad.Release()
	reader.Call("read").Call("then", ok, bad)
	piece := <-came
	if piece.IsNull() {
		return piece, errBlock
	}
	return piece, nil
}
