//go:build !js

package sasl

import "github.com/xdg-go/stringprep"

// ambiguous tells whether SASLprep makes another password of it.
//
// SASLprep knows no character younger than Unicode 3.2 (no emoji); programs that
// stumble over one send it as it is.
func ambiguous(p string) bool {
	old, err := stringprep.SASLprep.Prepare(p)
	return err == nil && old != p
}
