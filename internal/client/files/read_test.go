package files

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"mirsal/internal/xmpp/xtok"
)

// parse reads XML as it stands in a message.
func parse(t testing.TB, xml string) xtok.Elem {
	t.Helper()
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return e
}

const (
	iv12 = "8c3d050e9386ec173861778f"
	key  = "68e9af38a97aaf82faa4063b4d0878a61261534410c8a84331eaac851759f587"
	here = "aesgcm://download.montague.tld/4a771ac1-f0b2-4a4a-9700-f2a26fa2bb67/tr%C3%A8s%20cool.jpg#"
)

func TestLinksAreRead(t *testing.T) {
	jpeg := base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff\xe0tiny"))
	for _, c := range []struct{ text, iv, thumb string }{
		{here + iv12 + key, iv12, ""},
		{here + strings.ToUpper(iv12+key), iv12, ""},
		{here + iv12 + "00112233" + key, iv12 + "00112233", ""}, // 16 bytes
		{here + iv12 + key + "\ndata:image/jpeg," + jpeg, iv12, "\xff\xd8\xff\xe0tiny"},
		{here + iv12 + key + "\ndata:image/jpeg;base64," + jpeg, iv12, "\xff\xd8\xff\xe0tiny"},
	} {
		l, ok := ReadLink(c.text, Policy{})
		if !ok || l.Source.URL != "https://download.montague.tld/4a771ac1-f0b2-4a4a-9700-f2a26fa2bb67/tr%C3%A8s%20cool.jpg" || l.Source.Cipher != AES256 ||
			hex.EncodeToString(l.Source.IV) != c.iv || hex.EncodeToString(l.Source.Key) != key || l.Name != "très cool.jpg" || string(l.Thumbnail) != c.thumb {
			t.Errorf("%q: %+v, %v", c.text, l, ok)
		}
		if again, ok := ReadLink(l.Text(), Policy{}); !ok || again.Text() != l.Text() {
			t.Errorf("written as %q", l.Text())
		}
	}
}

func TestOtherTextsAreNoLinks(t *testing.T) {
	good := here + iv12 + key
	for _, text := range []string{
		"", "aesgcm://", "hello " + good, good + " hello", " " + good, good + "\n", good + "\nhello", good + "\n\n", good + "\r\n",
		good + "\ndata:image/jpeg,", good + "\ndata:image/png,iVBO", good + "\ndata:image/jpeg,PHN2Zz4=", // <svg>
		good + "\ndata:image/jpeg,/9j/" + strings.Repeat("A", 100_000),
		good + "\n" + good, strings.Replace(good, "aesgcm", "https", 1), strings.Replace(good, "aesgcm", "AESGCM", 1),
		here + key, here + iv12 + key + "00", here + iv12[2:] + key, here + iv12 + "0011" + key, here + "zz" + iv12[2:] + key, here,
		"aesgcm:///path#" + iv12 + key, "aesgcm://user:pass@host/path#" + iv12 + key, "aesgcm://host /path#" + iv12 + key,
		"aesgcm://host/pa\u202eth#" + iv12 + key, "aesgcm://host/%zz#" + iv12 + key, "aesgcm://host:port/x#" + iv12 + key,
		"aesgcm://host/" + strings.Repeat("x", 5000) + "#" + iv12 + key, "aesgcm://host/x#y#" + iv12 + key,
	} {
		if l, ok := ReadLink(text, Policy{}); ok {
			t.Errorf("%.200q is read as %+v", text, l)
		}
	}
}

func TestLinksToLoopbackArePlainOnlyWhereThatIsAllowed(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1:80": "http", "localhost": "http", "[::1]:9": "http", "LOCALHOST": "http",
		"128.0.0.1": "https", "localhost.example": "https", "127.0.0.1.example": "https",
	} {
		text := "aesgcm://" + host + "/f#" + iv12 + key
		l, ok := ReadLink(text, Policy{PlainLoopback: true})
		if scheme, _, _ := strings.Cut(l.Source.URL, ":"); !ok || scheme != want || l.Text() != text {
			t.Errorf("%s: %s, %v", host, l.Source.URL, ok)
		}
		if l, ok := ReadLink(text, Policy{}); !ok || !strings.HasPrefix(l.Source.URL, "https:") {
			t.Errorf("%s: without the policy %s, %v", host, l.Source.URL, ok)
		}
	}
}

const shared = `<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline' id='f1'>
<file xmlns='urn:xmpp:file:metadata:0'><media-type>Image/JPEG; x=y</media-type><name>../sum` + "\u202e" + `mit.jpg</name><size>3032449</size><width>4096</width><height>2160</height>
<length>63000</length><date>2015-07-26T21:46:00Z</date><desc>Photo</desc>
<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU=</hash>
<hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>
<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>dG9vIHNob3J0</hash></file>
<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://clear.example/f'/>
<encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-cbc-pkcs7:0'><key>SuRJ2agVm/pQbJQlPq/B23Xt1YOOJCcEGJA5HrcYOGQ=</key><iv>T8RDMBaiqn6Ci4Nw</iv>
<sources xmlns='urn:xmpp:sfs:0'><url-data xmlns='http://jabber.org/protocol/url-data' target='https://cbc.example/f'/></sources></encrypted>
<encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-gcm-nopadding:0'><key>SuRJ2agVm/pQbJQlPq/B23Xt1YOOJCcEGJA5HrcYOGQ=</key><iv> T8RDMBaiqn6Ci4Nw </iv>
<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>BgKI2gp2kNCRsARNvhFmw5kFf9BBo2pTbV2D8XHTMWI=</hash>
<sources xmlns='urn:xmpp:sfs:0'><url-data xmlns='http://jabber.org/protocol/url-data' target='http://plain.example/f'/>
<url-data xmlns='http://jabber.org/protocol/url-data' target='https://download.montague.lit/encrypted.jpg'/>
<encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-128-gcm-nopadding:0'/></sources></encrypted>
<jinglepub xmlns='urn:xmpp:jinglepub:1' from='romeo@montague.lit/resource' id='9'/></sources></file-sharing>`

func TestSharedFilesAreRead(t *testing.T) {
	s, ok := ReadShare(parse(t, shared))
	if !ok || s.ID != "f1" || !s.Inline || s.Name != "summit.jpg" || s.Type != "image/jpeg" || s.Size != 3032449 || s.Width != 4096 || s.Height != 2160 ||
		s.Length.Seconds() != 63 || s.Desc != "Photo" || s.Date.Year() != 2015 || len(s.Sums) != 1 || len(s.Sums[0].Value) != 32 {
		t.Errorf("%+v, %v", s, ok)
	}
	if len(s.Sources) != 3 {
		t.Fatalf("%d sources", len(s.Sources))
	}
	best, err := s.Best(Policy{})
	if err != nil || best.URL != "https://download.montague.lit/encrypted.jpg" || best.Cipher != AES256 || len(best.Key) != 32 || len(best.IV) != 12 {
		t.Errorf("the best is %v, %v", best, err)
	}
}

func TestASharedFileThatCannotBeFetchedSaysWhy(t *testing.T) {
	const head = `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/>`
	for sources, want := range map[string]Kind{
		"": Gone,
		"<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='http://plain.example/f'/></sources>": Insecure,
		"<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='ftp://plain.example/f'/></sources>":  Unreadable,
	} {
		s, ok := ReadShare(parse(t, head+sources+"</file-sharing>"))
		if _, err := s.Best(Policy{}); !ok || kindOf(err) != want {
			t.Errorf("%s: %v", sources, err)
		}
		if s.Name != "file" || s.Type != Octets || s.Size != -1 || s.Inline || s.Width != 0 || s.Length != 0 {
			t.Errorf("%+v", s)
		}
	}
	if _, ok := ReadShare(parse(t, "<file-sharing xmlns='urn:xmpp:sfs:0'/>")); ok {
		t.Error("a share of no file was read")
	}
}

func TestSourcesThatComeLaterAreRead(t *testing.T) {
	id, s, ok := ReadSources(parse(t, "<sources xmlns='urn:xmpp:sfs:0' id='f1'><url-data xmlns='http://jabber.org/protocol/url-data' target='https://x.example/f'/></sources>"))
	if !ok || id != "f1" || len(s) != 1 || s[0].URL != "https://x.example/f" {
		t.Error(id, s, ok)
	}
}

func TestNumbersOfSharedFilesAreBounded(t *testing.T) {
	xml := "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><size>-5</size><width>99999999999</width><height>-1</height><length>9223372036854775807</length></file><sources>" +
		strings.Repeat("<url-data xmlns='http://jabber.org/protocol/url-data' target='https://x.example/f'/>", 50) + "</sources></file-sharing>"
	s, ok := ReadShare(parse(t, xml))
	if !ok || s.Size != -1 || s.Width != 0 || s.Height != 0 || s.Length != 0 || len(s.Sources) != maxSources {
		t.Errorf("%+v, %v", s, ok)
	}
}

func TestNamesAreMadeSafe(t *testing.T) {
	long := strings.Repeat("م", 200)
	for in, want := range map[string]string{
		"photo.jpg": "photo.jpg", "": "file", ".": "file", "..": "file", "../../etc/passwd": "passwd", `C:\Windows\evil.exe`: "evil.exe",
		"/": "file", "a/": "file", ".bashrc": "bashrc", "a\x00b": "ab", "a\nb\rc\x1b[2Jd": "abc[2Jd", "gpj.\u202eexe": "gpj.exe",
		"\u2066a\u2069\u200f\u061c\ufeff": "a", "صورة من صنعاء.jpg": "صورة من صنعاء.jpg", "نمی\u200cخواهم.txt": "نمی\u200cخواهم.txt",
		"CON": "_CON", "con.txt": "_con.txt", "Aux.tar.gz": "_Aux.tar.gz", "nul .txt": "_nul .txt", "com1": "_com1", "LPT¹.x": "_LPT¹.x", "COM10": "COM10", "console.log": "console.log",
		"a:b*c?d\"e<f>g|h": "a_b_c_d_e_f_g_h", "trailing. . .": "trailing", "-rf": "_-rf", "~root": "_~root", "\u3164\u2800": "file",
		"\xff\xfe.jpg": "_.jpg", "a\u00a0b\u3000c": "a b c", long + ".jpeg": strings.Repeat("م", 87) + ".jpeg", "🏳️‍🌈.png": "🏳️‍🌈.png",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTypesAreMadeSafe(t *testing.T) {
	for in, want := range map[string]string{
		"image/png": "image/png", "IMAGE/PNG ; a=b": "image/png", "": Octets, "png": Octets, "a/b/c": Octets, "text/html\r\nX: y": Octets,
		"image/": Octets, "/png": Octets, "image/" + strings.Repeat("x", 200): Octets, "image/svg+xml": "image/svg+xml", "صورة/png": Octets,
	} {
		if got := CleanType(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSlotsAreRead(t *testing.T) {
	s, err := ReadSlot(parse(t, `<slot xmlns='urn:xmpp:http:upload:0'><put url='https://up.example/put?a=b'>
<header name='Authorization'> Basic A=
= </header><header name='eXpires'>x</header><header name='Coo&#10;kie'>a=b</header><header name='Host'>evil</header><header name='Cookie'>c=d</header>
<header name='X-Forwarded-For'>1</header><header name='Content-Length'>0</header><header name='Transfer-Encoding'>chunked</header><header name='Cookie'>`+strings.Repeat("x", 9000)+`</header>
</put><get url='https://up.example/get'/></slot>`), Policy{})
	want := []Header{{"Authorization", "Basic A=="}, {"Expires", "x"}, {"Cookie", "a=b"}, {"Cookie", "c=d"}}
	if err != nil || s.Put != "https://up.example/put?a=b" || s.Get != "https://up.example/get" || len(s.Headers) != len(want) {
		t.Fatalf("%+v, %v", s, err)
	}
	for i := range want {
		if s.Headers[i] != want[i] {
			t.Errorf("%+v, want %+v", s.Headers[i], want[i])
		}
	}
}

func TestSlotsThatAreNoneAreRefused(t *testing.T) {
	for _, xml := range []string{
		"<slot xmlns='urn:xmpp:http:upload:0'/>", "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://up.example/put'/></slot>",
		"<slot xmlns='other'><put xmlns='urn:xmpp:http:upload:0' url='https://a/b'/><get xmlns='urn:xmpp:http:upload:0' url='https://a/b'/></slot>",
	} {
		if s, err := ReadSlot(parse(t, xml), Policy{}); err == nil {
			t.Errorf("%s: %+v", xml, s)
		}
	}
	for _, bad := range []string{"http://up.example/x", "http://localhost/x", "https://", "https:/x", "https://u:p@up.example/", "https://up.example/#f", "https://up.example/ä", "https://up.example/ x", "javascript:alert(1)", "file:///x", "x"} {
		for _, xml := range []string{"<put url='" + bad + "'/><get url='https://a.example/b'/>", "<put url='https://a.example/b'/><get url='" + bad + "'/>"} {
			if s, err := ReadSlot(parse(t, "<slot xmlns='urn:xmpp:http:upload:0'>"+xml+"</slot>"), Policy{}); err == nil {
				t.Errorf("%s: %+v", xml, s)
			}
		}
	}
}

func TestTheRequestForASlotIsWritten(t *testing.T) {
	e := parse(t, string(Request{Name: "a'<&.jpg", Type: Octets, Size: 5}.Append(nil)))
	if !e.Is(NSUpload, "request") || e.Attr("filename") != "a'<&.jpg" || e.Attr("size") != "5" || e.Attr("content-type") != Octets {
		t.Error(e)
	}
}

func TestTheServiceIsKnownByItsAnswer(t *testing.T) {
	const head = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/>"
	limit := func(of, n string) string {
		return "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>" + of + "</value></field><field var='max-file-size'><value>" + n + "</value></field></x>"
	}
	for xml, want := range map[string]int64{
		head + "</query>": 0,
		head + limit(NSUpload, "5242880") + "</query>":             5242880,
		head + limit(NSUpload, "much") + "</query>":                0,
		head + limit("urn:example", "7") + "</query>":              0,
		head + limit("x", "1") + limit(NSUpload, "2") + "</query>": 2,
	} {
		if got, ok := ReadService(parse(t, xml)); !ok || got != want {
			t.Errorf("%s: %d, %v, want %d", xml, got, ok, want)
		}
	}
	if _, ok := ReadService(parse(t, "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='other'/></query>")); ok {
		t.Error("no service was taken for one")
	}
}

func TestBytesAreWrittenAsPeopleDo(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 5 << 20: "5.2 MB", 1 << 62: "4.6 EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add(here + iv12 + key)
	f.Add(here + iv12 + "00112233" + key + "\ndata:image/jpeg,/9j/4AAQ")
	f.Fuzz(func(t *testing.T, text string) {
		l, ok := ReadLink(text, Policy{})
		if !ok {
			return
		}
		if err := l.Source.usable(Policy{}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		again, ok := ReadLink(l.Text(), Policy{})
		if !ok || again.Source.URL != l.Source.URL || !bytes.Equal(again.Source.Key, l.Source.Key) || !bytes.Equal(again.Source.IV, l.Source.IV) || !bytes.Equal(again.Thumbnail, l.Thumbnail) {
			t.Errorf("%q is written as %q", text, l.Text())
		}
		checkName(t, l.Name)
	})
}

func checkName(t *testing.T, s string) {
	t.Helper()
	bad := func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`/\:`, r)
	}
	if s == "" || s[0] == '.' || s[0] == '-' || len(s) > maxName+1 || strings.ContainsFunc(s, bad) || !utf8.ValidString(s) || device(s) {
		t.Errorf("the name %q", s)
	}
}

func FuzzName(f *testing.F) {
	f.Add("../con.txt\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		clean := CleanName(s)
		checkName(t, clean)
		if again := CleanName(clean); again != clean && !strings.HasPrefix(clean, "_") {
			t.Errorf("%q becomes %q and then %q", s, clean, again)
		}
	})
}

func FuzzShare(f *testing.F) {
	f.Add(shared)
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := xtok.Parse([]byte(xml), xtok.Limits{Size: 1 << 16, Depth: 32, Attrs: 64, Name: 256, Prefixes: 64, Nodes: 2000})
		if err != nil {
			return
		}
		_, _ = ReadSlot(e, Policy{})
		_, _ = ReadService(e)
		s, ok := ReadShare(e)
		if !ok {
			return
		}
		checkName(t, s.Name)
		if s.Size < -1 || s.Width < 0 || s.Height < 0 || s.Length < 0 || len(s.Sources) > maxSources || len(s.Sums) > maxSums || len(s.Desc) > maxDesc {
			t.Errorf("%+v", s)
		}
		if best, err := s.Best(Policy{}); err == nil && best.usable(Policy{}) != nil {
			t.Errorf("the best is %v", best)
		}
	})
}
