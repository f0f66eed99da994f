package spec

import (
	"slices"
	"strings"
	"testing"
)

func TestTheCheckerSeesWhatIsWrong(t *testing.T) {
	const good = "XEP-0199 2.0.1 done internal/xep/ping XMPP Ping\n"
	for text, want := range map[string]string{
		good: "",
		"RFC-6120 - partial internal/c2s XMPP: Core [clients]\n" + good: "",
		good + "XEP-0198 1.6.3 done internal/c2s Stream Management\n":   "sorted",
		good + good: "each once",
		"XEP-199 2.0.1 done internal/xep/ping XMPP Ping\n":         "not XEP-NNNN",
		"XEP-0199 two done internal/xep/ping XMPP Ping\n":          "version",
		"XEP-0199 - done internal/xep/ping XMPP Ping\n":            "version",
		"RFC-6120 1.0 done internal/c2s XMPP: Core\n":              "version",
		"XEP-0199 2.0.1 finished internal/xep/ping XMPP Ping\n":    "status",
		"XEP-0060 1.30.0 partial internal/xep/pubsub Publishing\n": "which part",
	} {
		rows, err := parseIndex(text)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(problems(rows), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: problems %q, want one about %q", text, got, want)
		}
	}
	if _, err := parseIndex("XEP-0199 2.0.1 done\n"); err == nil {
		t.Error("a row without a package was accepted")
	}
}

func TestCitationsAreReadInEveryForm(t *testing.T) {
	for comment, want := range map[string][]string{
		"// XEP-0198 §5":                          {"XEP-0198 §5"},
		"// RFC 6121 §8.5.2.":                     {"RFC-6121 §8.5.2"},
		"// XEP-0198#acking":                      {"XEP-0198 #acking"},
		"// Package ping answers XEP-0199, 2.0.1": {"XEP-0199 "},
		"// see RFC 6120 and XEP-0030 §3.1":       {"RFC-6120 ", "XEP-0030 §3.1"},
		"// nothing of the kind, only XEPs":       nil,
	} {
		var got []string
		for _, c := range citationsIn("x.go:1", comment) {
			got = append(got, c.number+" "+c.part)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
}
