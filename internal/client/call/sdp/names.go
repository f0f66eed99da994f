package sdp

import (
	"slices"
	"strconv"

	"mirsal/internal/xmpp/jingle"
)

// Names are the contents of one call and the mids by which SDP knows them. The
// zero value has none. A content's name is the other side's; a mid is always at
// most 16 letters, digits, dots, hyphens and underscores.
type Names struct{ list []pair }

type pair struct {
	mid     string
	creator jingle.Role
	content string
}

const mostNames = 4 * jingle.MostContents // of one call

// Content is the content with this mid. A mid that is new is that of a content
// that creator begins.
func (n *Names) Content(mid string, creator jingle.Role) (jingle.Role, string) {
	for _, p := range n.list {
		if p.mid == mid {
			return p.creator, p.content
		}
	}
	if len(n.list) < mostNames {
		n.list = append(n.list, pair{mid, creator, mid})
	}
	return creator, mid
}

// find is the mid of a content, "" if it is not known. Who answers may have named
// himself as its creator.
// COMPAT: https://github.com/tigase/siskin-im/issues/167
func (n *Names) find(creator jingle.Role, content string) (mid string) {
	for _, p := range n.list {
		if p.content == content && (p.creator == creator || mid == "") {
			mid = p.mid
			if p.creator == creator {
				return mid
			}
		}
	}
	return mid
}

// begin is the mid of a content that its creator begins, "" if there are too many.
func (n *Names) begin(creator jingle.Role, content string) string {
	for _, p := range n.list {
		if p.content == content && p.creator == creator {
			return p.mid
		}
	}
	if len(n.list) == mostNames {
		return ""
	}
	mid := content
	if !word(mid, mostMid, safe) || n.taken(mid) {
		mid = n.fresh()
	}
	n.list = append(n.list, pair{mid, creator, content})
	return mid
}

// fresh is a mid that nothing has.
func (n *Names) fresh() string {
	for i := 0; ; i++ {
		if mid := "c" + strconv.Itoa(i); !n.taken(mid) {
			return mid
		}
	}
}

// same says that a mid means the content of another one from now on.
func (n *Names) same(mid, as string) {
	for i := range n.list {
		if n.list[i].mid == mid {
			n.list[i].mid = as
		}
	}
}

func (n *Names) taken(mid string) bool {
	return slices.ContainsFunc(n.list, func(p pair) bool { return p.mid == mid })
}

func safe(c byte) bool { return alphanumeric(c) || c == '-' || c == '_' || c == '.' }
