package auth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// lookalike is a character and what it looks like.
type lookalike struct {
	is    rune
	looks string
}

// besides are look-alikes that the table does not have: above all the letters of the
// Arabic script, of which one keyboard has this and another that. The hamza and
// the vowel signs are marks, and marks of this script are dropped.
var besides = map[rune]rune{
	'ӏ': 'l',                     // which the table takes for an i
	'ي': 'ى', 'ی': 'ى', 'ې': 'ى', // yeh
	'ک': 'ك', 'ڪ': 'ك', // kaf
	'ة': 'ه', 'ہ': 'ه', 'ھ': 'ه', 'ە': 'ه', // heh
	'ٱ': 'ا', // alef
	'ȷ': 'j',
}

// skeletons are what a name is compared by: two names look alike when they have one
// in common. A digit 1 stands for l in the first and for i in the second, so that
// ali and all, which both look like al1, do not look like each other.
func skeletons(name string) []string {
	first := skeleton(name, "l")
	if second := skeleton(name, "i"); second != first {
		return []string{first, second}
	}
	return []string{first}
}

// Skeletons are what a name that people show each other, such as a nick, is
// compared by: two look alike when they have one in common. Case does not count.
// There is at least one, "" for a name without letters and digits.
func Skeletons(name string) []string { return skeletons(strings.ToLower(name)) }

// skeleton is the same for names that people take for each other: characters that
// look alike are one, and dots, hyphens and underscores do not count. one is what
// the digit 1 looks like. Accents count, where they make another letter: andre is
// not andré.
// Unicode TR39 §4
func skeleton(name, one string) string {
	var b strings.Builder
	var base rune // what the last letter looks like
	for _, composed := range norm.NFC.String(name) {
		for _, r := range norm.NFD.String(string(composed)) {
			switch {
			case latinMark(r):
				if (r != composed || composes(base, r)) && !missed[r] {
					b.WriteString(looks(r))
				}
			case unicode.Is(unicode.Mn, r) && unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Cyrillic, unicode.Inherited):
			case !unicode.In(r, unicode.L, unicode.M, unicode.N):
			case unicode.Is(unicode.Nd, r):
				b.WriteByte('0' + digit(r))
			default:
				base = appendLooks(&b, r)
			}
		}
	}
	return ascii.Replace(strings.ReplaceAll(b.String(), "1", one))
}

// appendLooks appends what a letter looks like and returns the last letter of that.
func appendLooks(b *strings.Builder, r rune) (base rune) {
	for _, like := range looks(r) {
		if latinMark(like) {
			b.WriteString(looks(like)) // as a mark of the name itself
			continue
		}
		base = like
		b.WriteRune(like)
	}
	return base
}

// latinMark tells the accents, which can make another letter, from the signs of
// Arabic and Hebrew, which one may leave out.
func latinMark(r rune) bool { return 0x300 <= r && r <= 0x36f }

// composes tells whether a letter with a mark behind it is one letter. Where it is not, the
// mark is no language's, or hard to see: the second dot of an i, a bar through an l.
func composes(base, mark rune) bool {
	s := norm.NFC.String(string([]rune{base, mark}))
	return utf8.RuneCountInString(s) == 1
}

// missed are the marks below a letter that one does not see under a link's line.
var missed = map[rune]bool{0x323: true, 0x324: true, 0x325: true, 0x32d: true, 0x32e: true, 0x330: true, 0x331: true}

// ascii are the look-alikes among ASCII: in most typefaces these are hard to tell apart.
var ascii = strings.NewReplacer("0", "o", "rn", "m", "vv", "w")

func looks(r rune) string {
	if to, ok := besides[r]; ok {
		r = to
	}
	i, found := slices.BinarySearchFunc(lookalikes[:], r, func(l lookalike, r rune) int { return cmp.Compare(l.is, r) })
	if found {
		return lookalikes[i].looks
	}
	return string(r)
}

// digit is the value of a decimal digit: in Unicode they stand in tens, zero first.
func digit(r rune) byte {
	for _, block := range unicode.Nd.R16 {
		if rune(block.Lo) <= r && r <= rune(block.Hi) {
			return byte((r - rune(block.Lo)) % 10)
		}
	}
	for _, block := range unicode.Nd.R32 {
		if rune(block.Lo) <= r && r <= rune(block.Hi) {
			return byte((r - rune(block.Lo)) % 10)
		}
	}
	return 0
}

// looksIndex is the names of a server by what they look like. Auth.mu guards it.
type looksIndex map[string]map[string]struct{}

func (x looksIndex) add(name string) {
	for _, s := range skeletons(name) {
		if x[s] == nil {
			x[s] = map[string]struct{}{}
		}
		x[s][name] = struct{}{}
	}
}

func (x looksIndex) remove(name string) {
	for _, s := range skeletons(name) {
		delete(x[s], name)
		if len(x[s]) == 0 {
			delete(x, s)
		}
	}
}

// like is a name, other than this one, that looks like it; "" for none.
func (x looksIndex) like(name string) string {
	for _, s := range skeletons(name) {
		for other := range x[s] {
			if other != name {
				return other
			}
		}
	}
	return ""
}

// newName refuses what nobody should take as a new name unless the operator
// says so: ErrLookAlike.
func (a *Auth) newName(name string) error {
	a.mu.RLock()
	like := a.looks.like(name)
	a.mu.RUnlock()
	if like != "" {
		return fmt.Errorf("%w (%s)", ErrLookAlike, like)
	}
	return nil
}

// strangersName refuses what people may not choose by themselves: besides
// look-alikes, names that sound like the server's own people, and mixtures of scripts.
// It does not say whom a name looks like: ErrLookAlike, ErrReserved, ErrMixed.
func (a *Auth) strangersName(name string) error {
	switch {
	case reserved(name):
		return ErrReserved
	case mixed(name):
		return ErrMixed
	case a.newName(name) != nil:
		return ErrLookAlike
	}
	return nil
}

// official are the names that people write to for help, or believe.
var official = map[string]bool{
	"abuse": true, "admin": true, "administrator": true, "administration": true, "billing": true, "contact": true,
	"help": true, "helpdesk": true, "hostmaster": true, "info": true, "invite": true, "mirsal": true, "moderator": true,
	"noc": true, "noreply": true, "operator": true, "owner": true, "postmaster": true, "root": true, "security": true,
	"server": true, "service": true, "staff": true, "support": true, "sysadmin": true, "system": true, "team": true,
	"webmaster": true, "xmpp": true, "админ": true, "администратор": true, "поддержка": true,
	"المدير": true, "مدير": true, "الدعم": true, "دعم": true, "مشرف": true, "المشرف": true, "مرسال": true,
}

// strokes are letters with a stroke through them, which no mark is behind.
var strokes = strings.NewReplacer("i", "l", "ł", "l", "đ", "d", "ø", "o", "ħ", "h", "ŧ", "t", "ɨ", "l", "ƀ", "b", "ɇ", "e", "ɍ", "r", "ɏ", "y")

// loose is what official names are compared by: no accent counts, and i is l.
func loose(s string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return strokes.Replace(skeleton(bare, "l"))
}

// reserved compares more loosely, since nobody is called so.
func reserved(name string) bool {
	s := loose(strings.TrimRightFunc(name, unicode.IsDigit))
	whole := loose(name)
	for o := range official {
		if l := loose(o); s == l || whole == l {
			return true
		}
	}
	return false
}

// mixed tells whether a name mixes scripts, or digits of two kinds, as no language does.
// Unicode TR39 §5.2 (highly restrictive) and §5.3
func mixed(name string) bool {
	scripts, zeros := map[string]bool{}, map[rune]bool{}
	for _, r := range name {
		if unicode.Is(unicode.Nd, r) {
			zeros[r-rune(digit(r))] = true
		}
		if s := scriptOf(r); s != "" {
			scripts[s] = true
		}
	}
	return len(zeros) > 1 || len(scripts) > 1 && !together(scripts)
}

// scriptOf is "" for characters that all scripts share.
func scriptOf(r rune) string {
	if r < 0x80 && !unicode.IsLetter(r) || unicode.In(r, unicode.Common, unicode.Inherited) {
		return ""
	}
	for _, often := range []string{"Latin", "Arabic", "Cyrillic", "Greek", "Han"} {
		if unicode.Is(unicode.Scripts[often], r) {
			return often
		}
	}
	for s, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return s
		}
	}
	return "?"
}

// together tells whether the scripts are of one language and Latin.
func together(scripts map[string]bool) bool {
	for _, allowed := range [][]string{
		{"Latin", "Han", "Hiragana", "Katakana"}, {"Latin", "Han", "Bopomofo"}, {"Latin", "Han", "Hangul"},
	} {
		n := 0
		for _, s := range allowed {
			if scripts[s] {
				n++
			}
		}
		if n == len(scripts) {
			return true
		}
	}
	return false
}
