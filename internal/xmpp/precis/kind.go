package precis

import (
	"encoding/binary"
	"sort"
	"sync"
)

// kind is what the table knows of a character: its class in two bits, its direction in
// four, and what the rules for places ask for.
type kind uint16

// class is where a character is allowed: each class has those above it.
type class uint8

const (
	refuse class = iota // nowhere, or not known
	free                // in passwords and resources: the FreeformClass
	valid               // in names too: the IdentifierClass
)

func (k kind) class() class { return class(k & 3) }

// direction is one bit of the directions that the rule tells apart.
// RFC 5893 §1.4
type direction uint16

const (
	dL direction = 1 << iota
	dRAL
	dAN
	dEN
	nsm
	dWeak // ES, CS, ET, ON, BN
	dNone // all else
)

func (k kind) direction() direction { return 1 << (k >> 2 & 7) }

// What the rules for places ask for.
const (
	before   kind = 1 << (iota + 5) // joins what comes after it
	after                           // joins what comes before it
	over                            // a mark, over which what comes after joins
	through                         // a mark, over which what comes before joins
	virama                          //
	greek                           //
	hebrew                          //
	japanese                        // Hiragana, Katakana, Han
)

// span is a run of characters of one kind, up to the next one's first.
type span struct {
	first rune
	kind  kind
}

// spans is the table as it is looked at.
var spans = sync.OnceValue(func() []span {
	var list []span
	next := rune(0)
	for packed := []byte(runs); len(packed) > 0; {
		length, n := binary.Uvarint(packed)
		list = append(list, span{next, kinds[packed[n]]})
		next += rune(length)
		packed = packed[n+1:]
	}
	return append(list, span{next, 0})
})

func kindOf(c rune) kind {
	list := spans()
	i := sort.Search(len(list), func(i int) bool { return list[i].first > c })
	if i == 0 {
		return 0
	}
	return list[i-1].kind
}
