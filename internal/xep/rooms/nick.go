package rooms

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// maxNick is how long a nick may be, in bytes.
const maxNick = 128

// checkNick refuses nicks that people cannot tell apart from others or from
// nothing. Its profile (RFC 7622 §3.4) has been enforced already.
func checkNick(nick string) error {
	if len(nick) > maxNick {
		return stanza.Errorf(stanza.NotAcceptable, "this nick is too long")
	}
	if strings.TrimSpace(nick) != nick || strings.Contains(nick, "  ") {
		return stanza.Errorf(stanza.NotAcceptable, "a nick neither begins nor ends with a blank, and has no two in a row")
	}
	seen := false
	for _, c := range nick {
		// controls, zero-width characters, marks of direction
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || strings.ContainsRune(blanks, c) {
			return stanza.Errorf(stanza.NotAcceptable, "this nick has invisible characters")
		}
		seen = seen || unicode.In(c, unicode.L, unicode.N, unicode.S, unicode.P)
	}
	if !seen {
		return stanza.Errorf(stanza.NotAcceptable, "this nick has nothing to be seen")
	}
	return nil
}

// blanks are letters and signs that look like nothing: of Hangul and of Braille.
const blanks = "\u115f\u1160\u3164\uffa0\u2800"

// looks are what a nick is compared by: case, blanks and characters that look
// alike make no difference, and a capital i may be an l. A nick of symbols alone looks like itself.
func looks(nick string) []string {
	nick = norm.NFKC.String(nick)
	like := append(auth.Skeletons(nick), auth.Skeletons(strings.ReplaceAll(nick, "I", "l"))...)
	if like[0] == "" {
		return []string{"=" + nick}
	}
	slices.Sort(like)
	return slices.Compact(like)
}

// nickFor refuses a nick that someone else has, has registered, or that could be
// taken for either; under mu.
// XEP-0045#enter-conflict
func (r *room) nickFor(who jid.JID, nick string) error {
	if err := checkNick(nick); err != nil {
		return err
	}
	if o := r.nicks[nick]; o != nil && o.real != who {
		return stanza.Errorf(stanza.Conflict, "somebody here has this nick")
	}
	for _, l := range looks(nick) {
		if all := r.looks[l]; len(all) > 0 && all[0].real != who {
			return stanza.Errorf(stanza.Conflict, "somebody here has a nick that looks like this one")
		}
		if owner, ok := r.reserved[l]; ok && owner != who {
			return stanza.Errorf(stanza.Conflict, "this nick, or one that looks like it, is registered")
		}
	}
	return nil
}

// reserve keeps the index of registered nicks; under mu.
func (r *room) reserve(who jid.JID, was, is string) {
	if was != "" {
		for _, l := range looks(was) {
			if r.reserved[l] == who {
				delete(r.reserved, l)
			}
		}
	}
	if is != "" {
		for _, l := range looks(is) {
			r.reserved[l] = who
		}
	}
}
