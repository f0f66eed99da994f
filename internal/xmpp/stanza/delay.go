package stanza

import (
	"strings"
	"time"

	"mirsal/internal/xmpp/xtok"
)

// NSDelay is the namespace of <delay/>.
const NSDelay = "urn:xmpp:delay"

// AppendTime appends a time to the millisecond, in UTC.
// XEP-0082 §3.2
func AppendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// ParseTime reads a time; it fails for anything but a date and time with a zone
// and a year of four digits.
// XEP-0082 §3.2
func ParseTime(s string) (time.Time, error) {
	if len(s) > 40 || len(s) < 20 || s[4] != '-' || strings.ContainsAny(s, ", ") {
		return time.Time{}, Errorf(BadRequest, "malformed date and time")
	}
	t, err := time.Parse(time.RFC3339, s) // takes any fraction of a second
	if err != nil {
		return time.Time{}, Errorf(BadRequest, "malformed date and time")
	}
	return t, nil
}

// AppendDelay appends a <delay/>; from says who delayed, "" for nobody named.
// XEP-0203#protocol
func AppendDelay(b []byte, from string, t time.Time) []byte {
	b = append(b, "<delay xmlns='"+NSDelay+"'"...)
	if from != "" {
		b = append(b, " from='"...)
		b = append(xtok.Escape(b, from), '\'')
	}
	b = append(b, " stamp='"...)
	b = AppendTime(b, t)
	return append(b, "'/>"...)
}
