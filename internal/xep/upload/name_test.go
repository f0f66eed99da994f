package upload

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestFileNamesAreCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"cat.jpg": "cat.jpg", "très cool.jpg": "très cool.jpg", "مرسال.txt": "مرسال.txt", "a b  c": "a b  c",
		"../../etc/passwd": "passwd", `..\..\boot.ini`: "boot.ini", "/": "file", "..": "file", ".": "file", "a/": "file", "   ": "file", "...": "file",
		".htaccess": "htaccess", "x.exe. .": "x.exe", "%2e%2e": "%2e%2e", "%2e%2e%2fx": "%2e%2e%2fx",
		"a\x00b": "ab", "a\r\nSet-Cookie: x": "aSet-Cookie: x", "photo\u202egpj.exe": "photogpj.exe", "a\u2066b\u2069": "ab", "zero\u200bwidth": "zerowidth",
		"می\u200cخواهم": "می\u200cخواهم", "a\u00a0b": "a b", "\ufeffbom": "bom",
		strings.Repeat("x", 300) + ".tar.gz": strings.Repeat("x", 197) + ".gz",
		strings.Repeat("ü", 150) + ".jpg":    strings.Repeat("ü", 98) + ".jpg",
		"a." + strings.Repeat("e", 300):      "a." + strings.Repeat("e", 198),
	} {
		if got, ok := cleanName(in); !ok || got != want {
			t.Errorf("%q becomes %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "\xff", strings.Repeat("x", 1025)} {
		if got, ok := cleanName(in); ok {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}

// goodName says why a name is none that may stand in a link.
func goodName(name string) string {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return "empty, too long or no text"
	case strings.ContainsAny(name, "/\\\x00\r\n") || name == "." || name == "..":
		return "a path"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) }):
		return "not what it looks like"
	}
	return ""
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"cat.jpg", "../x", "a\u202eb", "%00", "\xff", strings.Repeat("é", 600), "x." + strings.Repeat("y", 500), " . / . "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, ok := cleanName(s)
		if !ok {
			return
		}
		if why := goodName(name); why != "" {
			t.Fatalf("%q becomes %q: %s", s, name, why)
		}
		if again, ok := cleanName(name); !ok || again != name {
			t.Fatalf("%q becomes %q, and then %q", s, name, again)
		}
		path := "/upload/x/" + escapeName(name)
		u, err := url.Parse("https://example.org" + path)
		if err != nil || u.Path != "/upload/x/"+name || u.EscapedPath() != path || strings.Contains(path, "..") && !strings.Contains(name, "..") {
			t.Fatalf("%q: %v", path, err)
		}
	})
}

func TestTokensAreLongAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := newToken()
		if len(s) < 26 || seen[s] || escapeName(s) != s {
			t.Fatal(s)
		}
		seen[s] = true
	}
}
