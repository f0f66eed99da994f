// Package ecaps2 makes the hashes by which an entity says what it can do, XEP-0390
// version 0.3.2, Entity Capabilities 2.0: from what it would answer to a question
// by disco#info (XEP-0030). It asks nobody and keeps nothing.
//
// The string that is hashed names its parts by octets that XML cannot carry, so
// that two answers with one string are the same answer.
package ecaps2

import (
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// Namespaces of XEP-0390 and of the elements it uses.
const (
	NS       = "urn:xmpp:caps"
	NSHashes = "urn:xmpp:hashes:2"
	nsDisco  = "http://jabber.org/protocol/disco#info"
	nsForm   = "jabber:x:data"
)

// The separators.
// XEP-0390#algorithm-input
const (
	endPart  = '\x1c'
	endForm  = '\x1d'
	endEntry = '\x1e'
	endText  = '\x1f'
)

// ErrIllFormed is what Input returns for an answer that cannot be hashed.
var ErrIllFormed = errors.New("the answer holds what has no place in a hash")

// Input is the string to hash for a disco#info <query/>. Identities have the
// language in force where they stand.
// XEP-0390#algorithm-input
func Input(query xtok.Elem) ([]byte, error) {
	var features, identities, forms []string
	for e := range query.Children() {
		switch {
		case e.Is(nsDisco, "feature"):
			features = append(features, e.Attr("var")+string(endText))
		case e.Is(nsDisco, "identity"):
			identities = append(identities, identity(e))
		case e.Is(nsForm, "x"):
			f, ok := form(e)
			if !ok {
				return nil, ErrIllFormed
			}
			forms = append(forms, f)
		default: // nothing else may hide behind the hash
			return nil, ErrIllFormed
		}
	}
	return []byte(join(features, endPart) + join(identities, endPart) + join(forms, endPart)), nil
}

func identity(e xtok.Elem) string {
	s := ""
	for _, v := range []string{e.Attr("category"), e.Attr("type"), e.Lang(), e.Attr("name")} {
		s += v + string(endText)
	}
	return s + string(endEntry)
}

// form is an extension form as it is hashed; ok is false when it has rows, or no
// hidden FORM_TYPE (XEP-0068).
func form(x xtok.Elem) (_ string, ok bool) {
	var fields []string
	for f := range x.Children() {
		switch {
		case f.Is(nsForm, "reported"), f.Is(nsForm, "item"):
			return "", false
		case !f.Is(nsForm, "field"):
			continue
		}
		var values []string
		for v := range f.Children() {
			if v.Is(nsForm, "value") {
				values = append(values, v.Text()+string(endText))
			}
		}
		if f.AttrIs("var", "FORM_TYPE") {
			if ok || !f.AttrIs("type", "hidden") || len(values) != 1 {
				return "", false
			}
			ok = true
		}
		fields = append(fields, f.Attr("var")+string(endText)+join(values, endEntry))
	}
	return join(fields, endForm), ok
}

// join puts strings together in order and ends them.
func join(all []string, end byte) string {
	slices.Sort(all)
	return strings.Join(all, "") + string(end)
}

// Algorithms are the hash functions that are known, by their names in XEP-0300,
// the ones we name ourselves first.
func Algorithms() []string { return []string{"sha-256", "sha3-256", "sha-512", "sha3-512"} }

// Own are the hash functions of our own sets.
func Own() []string { return Algorithms()[:2] }

// Hash is the hash of an input in Base64, "" when the function is not known.
func Hash(algorithm string, input []byte) string {
	var sum []byte
	switch algorithm {
	case "sha-256":
		s := sha256.Sum256(input)
		sum = s[:]
	case "sha3-256":
		s := sha3.Sum256(input)
		sum = s[:]
	case "sha-512":
		s := sha512.Sum512(input)
		sum = s[:]
	case "sha3-512":
		s := sha3.Sum512(input)
		sum = s[:]
	default:
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// Node is the node that is asked about a hash.
// XEP-0390#algorithm-hashnodes
func Node(algorithm, hash string) string { return NS + "#" + algorithm + "." + hash }
