package stanza

import (
	"strings"
	"testing"

	"mirsal/internal/xmpp/xtok"
)

func TestAnErrorNamesTheAddressThatWasAskedForAlsoWhereItIsNone(t *testing.T) {
	long := strings.Repeat("x", 3072)
	for to, want := range map[string]string{
		"den@example.org/\u2764\ufe0f":      " from='den@example.org/\u2764\ufe0f'",
		"a&lt;b&apos;@example.org":          " from='a&lt;b&apos;@example.org'",
		"den@example.org/" + long:           " from='den@example.org'",
		"d\u0085en" + long + "@example.org": "",
	} {
		for _, kind := range []string{"message", "presence", "iq type='get' id='1'"} {
			name, _, _ := strings.Cut(kind, " ")
			e, err := xtok.Parse([]byte("<"+kind+" xmlns='jabber:client' to='"+to+"'><x xmlns='urn:x'/></"+name+">"), xtok.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			h, err := ReadHead(e)
			if AsError(err).Condition != JIDMalformed || !h.To.IsZero() {
				t.Fatal(h.To, err)
			}
			got := string(ErrorReply(h, err).Raw)
			if open, _, _ := strings.Cut(got, ">"); want == "" && strings.Contains(open, "from=") || !strings.Contains(open, want) {
				t.Errorf("to %.40s: %.200s", to, got)
			}
			if _, _, err := Parse([]byte(got)); want != " from='den@example.org'" && want != "" && AsError(err).Condition != JIDMalformed {
				t.Errorf("%.200s: %v", got, err)
			}
		}
	}
}
