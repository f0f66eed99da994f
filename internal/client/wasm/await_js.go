package main

import (
	"errors"
	"syscall/js"
)

// await waits for a promise. Never call it in a function that JavaScript called.
func await(promise js.Value) (js.Value, error) {
	type end struct {
		value js.Value
		err   error
	}
	came := make(chan end, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any { came <- end{args[0], nil}; return nil })
	bad := js.FuncOf(func(_ js.Value, args []js.Value) any { came <- end{js.Null(), errorOf(args[0])}; return nil })
	defer ok.Release()
	defer bad.Release()
	promise.Call("then", ok, bad)
	e := <-came
	return e.value, e.err
}

// errorOf is what was thrown, as an error.
func errorOf(v js.Value) error {
	if v.Type() != js.TypeObject {
		return errors.New(v.String())
	}
	return errors.New(v.Get("name").String() + ": " + v.Get("message").String())
}

// array is bytes for JavaScript; slice is its bytes for Go.
func array(b []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}

func slice(a js.Value) []byte {
	b := make([]byte, a.Length())
	js.CopyBytesToGo(b, a)
	return b
}
