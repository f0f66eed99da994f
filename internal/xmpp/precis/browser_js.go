package precis

import "syscall/js"

// Username applies UsernameCaseMapped once to valid UTF-8. Nothing stays nothing.
// RFC 8265 §3.3
func Username(s string) (string, error) { return username(s, composed) }

// Opaque applies OpaqueString once to valid UTF-8. Nothing is refused.
// RFC 8265 §4.2
func Opaque(s string) (string, error) { return opaque(s, composed) }

// composed is the normal form C by the browser. What it says of characters that are in
// the table is the same in every Unicode: normal forms are stable.
// UAX #15 §3
func composed(s string) string {
	return js.Global().Get("String").Get("prototype").Get("normalize").Call("call", s, "NFC").String()
}
