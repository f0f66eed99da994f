package timeline

import "syscall/js"

// decomposed is the normal form KD by the browser, which has the tables for it already.
func decomposed(s string) string {
	return js.Global().Get("String").Get("prototype").Get("normalize").Call("call", s, "NFKD").String()
}
