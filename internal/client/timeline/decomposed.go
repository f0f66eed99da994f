//go:build !js

package timeline

import "golang.org/x/text/unicode/norm"

// decomposed is the normal form KD: letters and their marks apart.
func decomposed(s string) string { return norm.NFKD.String(s) }
