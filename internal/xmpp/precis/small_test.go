package precis

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// These tests run in a browser's Worker besides: e2e/wasm takes them there, where
// Username and Opaque are the small ones with the browser's normal form.

// slow tells that each question costs a call of JavaScript: there a part is asked, since
// only the normal form is another, and browser_js_test.go has all of that.
const slow = runtime.GOOS == "js"

// same holds both ways of a profile against x/text, and tells of one difference.
func same(s string) error {
	if err := agree("name", s, precis.UsernameCaseMapped, Username, username); err != nil {
		return err
	}
	return agree("password", s, precis.OpaqueString, Opaque, opaque)
}

func agree(what, s string, by *precis.Profile, ours func(string) (string, error), small func(string, func(string) string) (string, error)) error {
	want, wrong := by.String(s)
	if wrong != nil {
		want = ""
	}
	got, err := small(s, norm.NFC.String)
	if got != want || (err == nil) != (wrong == nil) {
		return fmt.Errorf("small %s of %+q: %+q, %v; want %+q, %v", what, s, got, err, want, wrong)
	}
	if got, err = ours(s); got != want || (err == nil) != (wrong == nil) {
		return fmt.Errorf("%s of %+q: %+q, %v; want %+q, %v", what, s, got, err, want, wrong)
	}
	return nil
}

// every calls f with each character there is.
func every(f func(c rune)) {
	for c := rune(0); c <= utf8.MaxRune; c++ {
		if utf8.ValidRune(c) {
			f(c)
		}
	}
}

func TestEveryCharacterIsTakenAsByTheProfiles(t *testing.T) {
	wrong := 0
	every(func(c rune) {
		if slow && kindOf(c) == kindOf(c-1) && c%64 != 0 {
			return
		}
		// those that the table knows, alone, and at the places for which there are rules
		around := []string{"%c"}
		if c < 0x1200 || kindOf(c) != kindOf(c-1) || c%64 == 0 && kindOf(c) != 0 {
			around = append(around, "a%c", "%ca", "\u0628%c", "%c\u0628", "%c\u200d", "\u0628\u200c%c",
				"\u0628\u200c%c\u0628", "%c\u200c\u0628", "\u0628%c\u200c\u0628", "\u0375%c", "%c\u05f3", "\u30fb%c", "%c\u0663", "l%cl")
		}
		for _, a := range around {
			if err := same(fmt.Sprintf(a, c)); err != nil && wrong < 20 {
				wrong++
				t.Error(err)
			}
		}
	})
}

// letters are what the rules are about, and what becomes something else.
var letters = []rune("aZl1-_. \u00a0\u00b7\u00df\u0130\u03a3\u03c2\u0375\u03b1\u05d0\u05f3\u0628\u0629\u0627\u0640\u064b\u0653\u0663\u06f3\u06cc\u200c\u200d" +
	"\u094d\u0915\u093c\u0d4d\u1100\u1161\u11a8\uac00\u30fb\u30a2\u3099\uff71\uff9e\uff21\uff20\u3000\u212b\u0301\u0308\u0327\u0345\u1e9e\U0001d400\U00011046" +
	"\ua872\u180a\U00010a3f\u1039\u2d7f\ufeff\ufffd\u0378\U0001f600\U0001e900\u20a9\u0085")

func TestManyStringsAreTakenAsByTheProfiles(t *testing.T) {
	some := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	many := 30_000
	if slow {
		many /= 4
	}
	for range many {
		s := make([]rune, 1+some.IntN(6))
		for i := range s {
			if s[i] = letters[some.IntN(len(letters))]; some.IntN(8) == 0 {
				s[i] = anyOf(some)
			}
		}
		if err := same(string(s)); err != nil {
			t.Fatal(err)
		}
		if _, err := Opaque(string(s)); err == nil {
			accepted++
		}
	}
	if accepted < many/10 {
		t.Errorf("%d of these strings are accepted: they try nothing", accepted)
	}
}

// anyOf is one of the characters of the table, wherever.
func anyOf(some *rand.Rand) rune {
	list := spans()
	i := some.IntN(len(list) - 1)
	c := list[i].first + some.Int32N(list[i+1].first-list[i].first)
	if !utf8.ValidRune(c) {
		return 'b'
	}
	return c
}
