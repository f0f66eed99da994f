package indexeddb

import (
	"crypto/rand"
	"fmt"
	"syscall/js"

	"mirsal/internal/client/keep"
)

// A value is sealed by AES-256-GCM under a key of the browser's own that no script can
// read: the nonce, then what is sealed, as an ArrayBuffer. What goes with it is form and the
// row's key, so that a value opens in its own row only. Nonces are random: with 96 bits
// a key may seal 2^32 values, hundreds of millions of messages.
// NIST SP 800-38D §8.2.2, §8.3
const (
	form      = "mirsal row 1\x00"
	nonceSize = 12
)

// row is one that is written or was read.
type row struct {
	key   string
	value []byte
}

// sealer seals and opens many values at a time: the browser does it on threads of its own, and
// what costs is asking.
type sealer struct {
	key, subtle js.Value
	list, bytes js.Value // constructors
}

func newSealer(key js.Value) *sealer {
	g := js.Global()
	return &sealer{key, g.Get("crypto").Get("subtle"), g.Get("Array"), g.Get("Uint8Array")}
}

// freshKey makes a key that no script can read.
func freshKey() (js.Value, error) {
	how := map[string]any{"name": "AES-GCM", "length": 256}
	return await(js.Global().Get("crypto").Get("subtle").Call("generateKey", how, false, []any{"encrypt", "decrypt"}))
}

// isKey tells a key from what is left where the browser cannot give it back.
func isKey(v js.Value) bool {
	return v.Type() == js.TypeObject && v.InstanceOf(js.Global().Get("CryptoKey")) && !v.Get("extractable").Bool()
}

func (s *sealer) how(nonce js.Value, key string) map[string]any {
	return map[string]any{"name": "AES-GCM", "iv": nonce, "additionalData": array(form + key)}
}

// seal is the values of rows as they are kept, an ArrayBuffer each.
func (s *sealer) seal(rows []row) ([]js.Value, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	random := make([]byte, nonceSize*len(rows))
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	nonces, work := array(random), s.list.New()
	for i, r := range rows {
		nonce := nonces.Call("subarray", i*nonceSize, (i+1)*nonceSize)
		work.Call("push", s.subtle.Call("encrypt", s.how(nonce, r.key), s.key, array(r.value)))
	}
	sealed, err := await(js.Global().Get("Promise").Call("all", work))
	if err != nil {
		return nil, fmt.Errorf("the browser does not encrypt: %w", err)
	}
	out := make([]js.Value, len(rows))
	for i := range out {
		out[i] = s.joined(nonces.Call("subarray", i*nonceSize, (i+1)*nonceSize), sealed.Index(i))
	}
	return out, nil
}

// joined is a nonce and what was sealed by it.
func (s *sealer) joined(nonce, sealed js.Value) js.Value {
	all := s.bytes.New(nonceSize + sealed.Get("byteLength").Int())
	all.Call("set", nonce)
	all.Call("set", s.bytes.New(sealed), nonceSize)
	return all.Get("buffer")
}

// open is the values of rows, by their keys. One that was not sealed here, or stood in
// another row, is keep.ErrDamaged.
func (s *sealer) open(keys []string, kept []js.Value) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	work := s.list.New()
	for i, v := range kept {
		if !isSealed(v) {
			return nil, fmt.Errorf("a value is not sealed: %w", keep.ErrDamaged)
		}
		how := s.how(s.bytes.New(v, 0, nonceSize), keys[i])
		work.Call("push", s.subtle.Call("decrypt", how, s.key, s.bytes.New(v, nonceSize)))
	}
	opened, err := await(js.Global().Get("Promise").Call("all", work))
	if err != nil {
		return nil, fmt.Errorf("a value was not sealed for its place: %w", keep.ErrDamaged)
	}
	out := make([][]byte, len(keys))
	for i := range out {
		out[i] = slice(s.bytes.New(opened.Index(i)))
	}
	return out, nil
}

// isSealed tells a sealed value from what an older program has kept, a Uint8Array.
func isSealed(v js.Value) bool {
	return v.Type() == js.TypeObject && v.InstanceOf(js.Global().Get("ArrayBuffer")) && v.Get("byteLength").Int() >= nonceSize
}

// await waits for a promise.
func await(promise js.Value) (value js.Value, err error) {
	done := make(chan struct{})
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any { value = args[0]; close(done); return nil })
	bad := js.FuncOf(func(_ js.Value, args []js.Value) any { err = errorOf(args[0]); close(done); return nil })
	defer ok.Release()
	defer bad.Release()
	promise.Call("then", ok, bad)
	<-done
	return value, err
}
