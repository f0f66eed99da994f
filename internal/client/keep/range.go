package keep

import "strings"

// Range bounds a scan. The zero Range is everything, in the order of the keys'
// bytes.
type Range struct {
	Prefix  string // keys that begin so
	After   string // keys above this one, which is left out; "" for no bound
	Before  string // keys below this one, which is left out; "" for no bound
	Limit   int    // entries at most; 0 for no limit
	Reverse bool   // from the last key to the first; the bounds stay as they are
}

// Has tells whether a key is within the bounds.
func (r Range) Has(key string) bool {
	return strings.HasPrefix(key, r.Prefix) &&
		(r.After == "" || key > r.After) &&
		(r.Before == "" || key < r.Before)
}

// Bounds says the range as from <= key < to, for stores that seek: "" is the
// beginning as from and no bound as to.
func (r Range) Bounds() (from, to string) {
	from, to = r.Prefix, pastPrefix(r.Prefix)
	if r.After != "" {
		from = max(from, r.After+"\x00")
	}
	if r.Before != "" && (to == "" || r.Before < to) {
		to = r.Before
	}
	return from, to
}

// pastPrefix is the lowest key above all that begin with a prefix; "" when
// there is none.
func pastPrefix(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
