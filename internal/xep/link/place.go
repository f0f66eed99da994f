package link

import (
	"net/netip"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/xtok"
)

// placeOf says in attributes where a new device connects from, as far as the server can tell:
// its network, and whether the old device is in the same one. There is no map of networks here. An address
// that is not of the open internet says nothing: it may be that of a proxy before all.
func placeOf(from core.Stream, old *core.Session) string {
	p, ok := from.(core.Placed)
	if !ok {
		return ""
	}
	network, ok := networkOf(p.Peer())
	if !ok {
		return ""
	}
	b := xtok.AppendAttr(nil, "network", network.String())
	if same, ok := networkOf(old.Peer()); ok && same == network {
		b = xtok.AppendAttr(b, "same", "true")
	}
	return string(b)
}

// networkOf is what one household or office usually has of the internet, or shares with neighbours.
func networkOf(a netip.Addr) (netip.Prefix, bool) {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return netip.Prefix{}, false
	}
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}
