//go:build !js

package precis

import "golang.org/x/text/secure/precis"

// Username applies UsernameCaseMapped once to valid UTF-8. Nothing stays nothing.
// RFC 8265 §3.3
func Username(s string) (string, error) {
	return refused(precis.UsernameCaseMapped.String(s))
}

// Opaque applies OpaqueString once to valid UTF-8. Nothing is refused.
// RFC 8265 §4.2
func Opaque(s string) (string, error) {
	return refused(precis.OpaqueString.String(s))
}

func refused(s string, err error) (string, error) {
	if err != nil {
		return "", ErrRefused
	}
	return s, nil
}
