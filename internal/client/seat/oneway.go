//go:build !js

package seat

import "strings"

// oneWay makes of a description of theirs one that the library takes: it has one way for all media, and takes what is not in
// a bundle for nothing. Who knows no bundles (Dino) has a way for each medium: then the first of their media is alone, and the others
// are rejected. added tells that the bundle is ours: they must not hear of it.
// RFC 9143 §7.3
func oneWay(sdp string) (out string, added bool) {
	if strings.Contains(sdp, "\na=group:BUNDLE") {
		return sdp, false
	}
	head, rest, ok := strings.Cut(sdp, "\nm=")
	if !ok {
		return sdp, false
	}
	first := ""
	all := strings.Split(rest, "\nm=")
	for i, section := range all {
		media, more, _ := strings.Cut(section, " ")
		port, more, _ := strings.Cut(more, " ")
		mid := midOf(section)
		switch {
		case port == "0" || mid == "":
		case first == "":
			first = mid
		default:
			all[i] = media + " 0 " + more
		}
	}
	if first == "" {
		return sdp, false
	}
	return head + "\na=group:BUNDLE " + first + "\r\nm=" + strings.Join(all, "\nm="), true
}

// midOf is the name of a section.
func midOf(section string) string {
	_, mid, _ := strings.Cut(section, "\na=mid:")
	mid, _, _ = strings.Cut(mid, "\n")
	return strings.TrimSuffix(mid, "\r")
}

// withoutBundle leaves out of a description that there is one.
func withoutBundle(sdp string) string {
	head, rest, ok := strings.Cut(sdp, "a=group:BUNDLE")
	if !ok {
		return sdp
	}
	_, rest, _ = strings.Cut(rest, "\n")
	return head + rest
}
