//go:build !js

package precis

import (
	"testing"
	"unicode/utf8"
)

func FuzzBothAgree(f *testing.F) {
	f.Add("\u0628\u200c\u0628")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		if err := same(s); err != nil {
			t.Error(err)
		}
	})
}
