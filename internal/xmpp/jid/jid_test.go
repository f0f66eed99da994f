package jid

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/secure/precis"
	"pgregory.net/rapid"
)

func TestPartsOfAnAddress(t *testing.T) {
	for _, c := range []struct{ in, local, domain, resource string }{
		{"juliet@example.com", "juliet", "example.com", ""},
		{"juliet@example.com/foo", "juliet", "example.com", "foo"},
		{"juliet@example.com/foo bar", "juliet", "example.com", "foo bar"},
		{"juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"},
		{"foo\\20bar@example.com", "foo\\20bar", "example.com", ""},
		{"fussball@example.com", "fussball", "example.com", ""},
		{"fu\u00DFball@example.com", "fu\u00DFball", "example.com", ""},
		{"\u03C0@example.com", "\u03C0", "example.com", ""},
		{"\u03A3@example.com/foo", "\u03C3", "example.com", "foo"},
		{"king@example.com/\u265A", "king", "example.com", "\u265A"},
		{"example.com", "", "example.com", ""},
		{"example.com/foobar", "", "example.com", "foobar"},
		{"a.example.com/b@example.net", "", "a.example.com", "b@example.net"},
		{"Alice@Example.COM./Phone", "alice", "example.com", "Phone"},
		{"a@b/c/d", "a", "b", "c/d"},
		{"a@127.0.0.1", "a", "127.0.0.1", ""},
		{"a@[::1]/x", "a", "[::1]", "x"},
		{"a@[0:0:0:0:0:0:0:1]", "a", "[::1]", ""},
		{"a@xn--bcher-kva.example", "a", "b\u00fccher.example", ""},
		{"a@B\u00dcCHER.example", "a", "b\u00fccher.example", ""},
		{"a@\u0643\u0648\u0645", "a", "\u0643\u0648\u0645", ""},
		{"\uff41@b", "a", "b", ""},
		{"a@b/\u00a0", "a", "b", " "},
		{"a%40b@c", "a%40b", "c", ""},
	} {
		j, err := Parse(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if j.Local() != c.local || j.Domain() != c.domain || j.Resource() != c.resource {
			t.Errorf("%q: %q %q %q", c.in, j.Local(), j.Domain(), j.Resource())
		}
		if k, err := New(j.Local(), j.Domain(), j.Resource()); err != nil || k != j {
			t.Errorf("%q: New of the parts: %v %v", c.in, k, err)
		}
	}
}

// The tricks of which an address must never be made.
func TestHostileAddressesAreRefused(t *testing.T) {
	long := strings.Repeat("a", 1024)
	for name, in := range map[string]string{
		"empty":                         "",
		"only @":                        "@",
		"only /":                        "/",
		"empty local":                   "@example.com",
		"empty domain":                  "a@",
		"empty domain with resource":    "a@/r",
		"empty resource":                "a@example.com/",
		"domain empty resource":         "example.com/",
		"local of 1024":                 long + "@b",
		"domain of 1024":                "a@" + long,
		"resource of 1024":              "a@b/" + long,
		"over 3071":                     strings.Repeat("a", 4000),
		"full-width @ in local":         "admin\uff20example.com@evil",
		"full-width @ alone":            "admin\uff20example.com",
		"full-width / in domain":        "a@example.com\uff0fx",
		"full-width dot":                "a@example\uff0ecom",
		"ideographic dot":               "a@example\u3002com",
		"small commercial at":           "a\ufe6bexample.com",
		"second @":                      "a@b@c",
		"NFKC look-alike ligature":      "\ufb01sh@example.com",
		"roman numeral":                 "henry\u2163@example.com",
		"symbol in local":               "\u265A@example.com",
		"right-to-left override":        "a\u202eb@example.com",
		"mixed direction local":         "a\u05d0@example.com",
		"mixed direction label":         "a@a\u05d0.com",
		"zero-width space":              "a\u200b@example.com",
		"zero-width joiner":             "a\u200d@example.com",
		"soft hyphen":                   "ad\u00admin@example.com",
		"two trailing dots":             "a@example.com..",
		"only a dot":                    "a@.",
		"empty label":                   "a@example..com",
		"leading dot":                   "a@.example.com",
		"hyphen first":                  "a@-example.com",
		"hyphen last":                   "a@example-.com",
		"underscore in domain":          "a@ex_ample.com",
		"percent in domain":             "a@ex%41mple.com",
		"space in domain":               "a@exam ple.com",
		"colon in domain":               "a@example.com:5222",
		"space in local":                "foo bar@example.com",
		"quote":                         "\"juliet\"@example.com",
		"ampersand":                     "a&b@example.com",
		"apostrophe":                    "a'b@example.com",
		"colon":                         "a:b@example.com",
		"less":                          "a<b@example.com",
		"greater":                       "a>b@example.com",
		"full-width less":               "a\uff1cb@example.com",
		"NUL":                           "a\x00@example.com",
		"newline in resource":           "a@b/c\nd",
		"DEL in resource":               "a@b/\x7f",
		"C1 control":                    "a@b/\u0085",
		"invalid UTF-8 local":           "a\xff@b",
		"invalid UTF-8 domain":          "a@b\xff",
		"invalid UTF-8 resource":        "a@b/\xc0\xaf",
		"surrogate":                     "a@b/\xed\xa0\x80",
		"non-character":                 "a@b/\ufffe",
		"unassigned":                    "a@b/\U000e0080",
		"unclosed literal":              "a@[::1",
		"literal with zone":             "a@[fe80::1%25eth0]",
		"IPv4 in brackets":              "a@[127.0.0.1]",
		"bare IPv6":                     "a@::1",
		"A-label of ASCII":              "a@xn--abc-.com",
		"bad A-label":                   "a@xn--\u00fc.com",
		"A-label of nothing":            "a@xn--.com",
		"A-label of upper case":         "a@xn--dca.com",
		"A-label of a full-width at":    "a@xn--ab-iw3n.com",
		"A-label overflow":              "a@xn--99999999999999.com",
		"invisible separator in domain": "a@exam\u2063ple.com",
	} {
		if j, err := Parse(in); err == nil {
			t.Errorf("%s: %q accepted as %q", name, in, j)
		} else if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v does not wrap ErrMalformed", name, err)
		}
	}
}

func TestTheLongestAddressIsAccepted(t *testing.T) {
	p := strings.Repeat("a", MaxPart)
	j, err := Parse(p + "@" + p + "/" + p)
	if err != nil || len(j.String()) != MaxLen || j.Resource() != p || j.Domain() != p {
		t.Fatal(err)
	}
	if _, err := Parse(p + "@" + p + "/" + p + "a"); err == nil {
		t.Fatal("one byte more accepted")
	}
}

func TestViewsOfAnAddress(t *testing.T) {
	j := MustParse("a@b/c")
	d := MustParse("b")
	switch {
	case j.Bare() != MustParse("a@b"), j.DomainOnly() != d, j.Bare().Bare() != j.Bare():
		t.Error("views differ from what Parse gives")
	case !j.IsFull(), j.IsBare(), j.IsDomain(), j.IsZero():
		t.Error("full address misjudged")
	case d.IsFull(), !d.IsBare(), !d.IsDomain(), MustParse("b/c").IsDomain():
		t.Error("domain misjudged")
	case !(JID{}).IsZero(), (JID{}).IsBare(), (JID{}).IsDomain(), (JID{}).Bare() != (JID{}), (JID{}).DomainOnly() != (JID{}):
		t.Error("zero misjudged")
	}
	r, err := j.WithResource("\u00e9 x")
	if err != nil || r != MustParse("a@b/\u00e9 x") {
		t.Error(r, err)
	}
	if r, err = j.WithResource(""); err != nil || r != j.Bare() {
		t.Error(r, err)
	}
	if _, err = j.WithResource("\x00"); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err = (JID{}).WithResource("x"); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestThePlainPathAgreesWithTheProfiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[ -~]{1,12}`).Draw(t, "s")
		if plainLocal(s) {
			if got, err := precis.UsernameCaseMapped.String(s); err != nil || got != s {
				t.Fatalf("local %q: %q %v", s, got, err)
			}
		}
		if got, err := precis.OpaqueString.String(s); err != nil || got != s {
			t.Fatalf("resource %q: %q %v", s, got, err)
		}
		if plainDomain(s) {
			if got, err := enforceLabels(s); err != nil || got != s {
				t.Fatalf("domain %q: %q %v", s, got, err)
			}
		}
	})
}

// checkNormal holds the promise of the package comment for any input.
func checkNormal(t interface{ Fatalf(string, ...any) }, s string) {
	j, err := Parse(s)
	if err != nil {
		if !errors.Is(err, ErrMalformed) || j != (JID{}) {
			t.Fatalf("%q: %v %v", s, j, err)
		}
		return
	}
	if again, err := Parse(j.String()); err != nil || again != j {
		t.Fatalf("%q -> %q -> %q %v", s, j, again, err)
	}
	if k, err := New(j.Local(), j.Domain(), j.Resource()); err != nil || k != j {
		t.Fatalf("%q: New of parts %q %v", s, k, err)
	}
	if strings.ContainsAny(j.Local(), forbidden) || strings.ContainsAny(j.Domain(), "@/") {
		t.Fatalf("%q: separator in %q", s, j)
	}
	if len(j.Local()) > MaxPart || len(j.Domain()) > MaxPart || len(j.Resource()) > MaxPart || j.Domain() == "" {
		t.Fatalf("%q: bad lengths", s)
	}
}

func TestParsingWhatWasPrintedChangesNothing(t *testing.T) {
	part := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9.\-]{1,8}`), rapid.StringN(1, 6, -1))
	rapid.Check(t, func(t *rapid.T) {
		checkNormal(t, part.Draw(t, "local")+"@"+part.Draw(t, "domain")+"/"+part.Draw(t, "resource"))
	})
}

func FuzzParse(f *testing.F) {
	f.Add("juliet@example.com/foo")
	f.Fuzz(func(t *testing.T, s string) { checkNormal(t, s) })
}

func TestPunycodeOfTheRFC(t *testing.T) {
	// RFC 3492 §7.1
	for u, p := range map[string]string{
		"\u0644\u064A\u0647\u0645\u0627\u0628\u062A\u0643\u0644\u0645\u0648\u0634\u0639\u0631\u0628\u064A\u061F": "egbpdaj6bu4bxfgehfvwxn",
		"\u4ED6\u4EEC\u4E3A\u4EC0\u4E48\u4E0D\u8BF4\u4E2D\u6587":                                                 "ihqwcrb4cv8a8dqg056pqjye",
		"b\u00fccher":                            "bcher-kva",
		"3\u5e74b\u7d44\u91d1\u516b\u5148\u751f": "3b-ww4c5e180e575a65lsy2b",
	} {
		if got, ok := punycodeEncode(u); !ok || got != p {
			t.Errorf("encode %q: %q", u, got)
		}
		if got, ok := punycodeDecode(p); !ok || got != u {
			t.Errorf("decode %q: %q", p, got)
		}
	}
}

func TestPlainAddressesAllocateNothing(t *testing.T) {
	s := "alice@example.com/phone.4f2a"
	var sum int
	n := testing.AllocsPerRun(100, func() {
		j, _ := Parse(s)
		sum += len(j.Local()) + len(j.Domain()) + len(j.Resource()) + len(j.Bare().String()) + len(j.DomainOnly().String())
	})
	if n != 0 || sum == 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkParsePlain(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("alice@example.com/phone.4f2a"); err != nil {
			b.Fatal(err)
		}
	}
}
