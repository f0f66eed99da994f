package xtok

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// goTree is what encoding/xml reads in a document, dumped like ours.
func goTree(in []byte) (string, error) {
	var b strings.Builder
	var text []byte
	d := xml.NewDecoder(bytes.NewReader(in))
	for depth := 0; ; {
		tok, err := d.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		if c, ok := tok.(xml.CharData); ok {
			if depth > 0 {
				text = append(text, c...)
			}
			continue
		}
		if len(text) > 0 {
			b.WriteString(item('T', string(text)))
		}
		text = nil
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			b.WriteString(item('S', tok.Name.Space) + item('N', tok.Name.Local) + goAttrs(tok.Attr))
		case xml.EndElement:
			depth--
			b.WriteString(item('E', ""))
		}
	}
}

func goAttrs(attrs []xml.Attr) string {
	var list []string
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		list = append(list, item('A', a.Name.Space)+item('B', a.Name.Local)+item('V', a.Value))
	}
	sort.Strings(list)
	return strings.Join(list, "")
}

// compareWithGo compares trees without what encoding/xml leaves out: it does
// not turn the white space of attribute values into spaces, so there only the
// documents that have none but spaces are compared.
func compareWithGo(t interface{ Fatalf(string, ...any) }, in []byte, e Elem) {
	got, err := goTree(in)
	if err != nil {
		t.Fatalf("%q is refused by encoding/xml: %v", in, err)
	}
	for _, a := range e.d.attrs {
		if bytes.ContainsAny(in[a.value:a.value+a.size], "\t\r\n") {
			return
		}
	}
	if want := tree(e); got != want {
		t.Fatalf("%q\nencoding/xml %s\nours         %s", in, got, want)
	}
}

// expat is a child process that reads documents with expat.
type expat struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// It answers each document with its tree, dumped like ours, or with nothing.
const expatProgram = `
import sys, struct
from xml.parsers import expat
def item(k, s):
    b = s.encode('utf-8')
    return b'%s%d:%s' % (k, len(b), b)
def name(n, a, b):
    ns, _, local = n.rpartition('\x01')
    return item(a, ns) + item(b, local)
def dump(doc):
    out = []
    p = expat.ParserCreate('utf-8', '\x01')
    p.buffer_text = True
    def start(n, attrs):
        out.append(name(n, b'S', b'N'))
        out.extend(sorted(name(k, b'A', b'B') + item(b'V', v) for k, v in attrs.items()))
    p.StartElementHandler = start
    p.EndElementHandler = lambda n: out.append(item(b'E', ''))
    p.CharacterDataHandler = lambda s: out.append(item(b'T', s))
    p.buffer_size = 1 << 20
    try:
        p.Parse(doc, True)
    except expat.ExpatError:
        return b''
    return b''.join(out)
i, o = sys.stdin.buffer, sys.stdout.buffer
while True:
    head = i.read(4)
    if len(head) < 4: break
    r = dump(i.read(struct.unpack('>I', head)[0]))
    o.write(struct.pack('>I', len(r)) + r)
    o.flush()
`

func startExpat(t *testing.T) *expat {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is missing; it drives expat")
		}
		t.Skip("needs python3, which drives expat")
	}
	c := exec.Command(python, "-c", expatProgram)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		c.Wait()
	})
	return &expat{in: in, out: bufio.NewReader(out)}
}

// tree is "" for a document that expat refuses.
func (x *expat) tree(t interface{ Fatalf(string, ...any) }, doc []byte) string {
	msg := binary.BigEndian.AppendUint32(nil, uint32(len(doc)))
	if _, err := x.in.Write(append(msg, doc...)); err != nil {
		t.Fatalf("expat: %v", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(x.out, head[:]); err != nil {
		t.Fatalf("expat: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(x.out, body); err != nil {
		t.Fatalf("expat: %v", err)
	}
	return string(body)
}

// compare requires of what we accept that expat and encoding/xml read the same.
func (x *expat) compare(t interface{ Fatalf(string, ...any) }, doc []byte) (accepted bool) {
	e, err := Parse(doc, Limits{})
	if err != nil {
		return false
	}
	if got, want := x.tree(t, doc), tree(e); got != want {
		t.Fatalf("%q\nexpat %s\nours  %s", doc, got, want)
	}
	compareWithGo(t, doc, e)
	return true
}

func TestWhatIsAcceptedOthersReadAsTheSameTree(t *testing.T) {
	x := startExpat(t)
	accepted, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for _, doc := range rapid.SliceOfN(document(), 20, 20).Draw(t, "documents") {
			all++
			if x.compare(t, []byte(doc)) {
				accepted++
			}
		}
	})
	if accepted < all/20 || accepted > all*19/20 {
		t.Errorf("%d of %d documents accepted: the generator tests one side only", accepted, all)
	}
}

// What we refuse though expat accepts is only what XMPP restricts, and a byte
// order mark (RFC 6120 §11.6).
func TestOnlyWhatXMPPRestrictsIsRefusedBeyondExpat(t *testing.T) {
	x := startExpat(t)
	rapid.Check(t, func(t *rapid.T) {
		for _, doc := range rapid.SliceOfN(document(), 20, 20).Draw(t, "documents") {
			_, err := Parse([]byte(doc), Limits{})
			if err == nil || strings.HasPrefix(doc, "\ufeff") || x.tree(t, []byte(doc)) == "" {
				continue
			}
			if c := err.(*Error).Condition; c != restrictedXML {
				t.Fatalf("%q: expat accepts, we say %v", doc, err)
			}
		}
	})
}

func TestNamesAreThoseThatExpatAndGoAccept(t *testing.T) {
	x := startExpat(t)
	differ := 0
	check := func(doc string) {
		_, err := Parse([]byte(doc), Limits{})
		_, goErr := goTree([]byte(doc))
		if ours := err == nil; ours != (goErr == nil) || ours != (x.tree(t, []byte(doc)) != "") {
			differ++
			t.Errorf("%q: %v; encoding/xml: %v", doc, err, goErr)
		}
	}
	// The ends of every range, and a sample of what lies between.
	var runes []rune
	for _, table := range [][]uint16{nameStarts[:], nameFollows[:]} {
		for _, r := range table {
			runes = append(runes, rune(r)-1, rune(r), rune(r)+1)
		}
	}
	for r := rune(1); r < 0x12000; r += 61 {
		runes = append(runes, r)
	}
	for _, r := range runes {
		if strings.ContainsRune("\t\n\r />:", r) || 0xd800 <= r && r < 0xe000 || differ > 20 {
			continue
		}
		check("<" + string(r) + "/>")
		check("<a" + string(r) + "/>")
	}
}

// Words of the wire that no generator draws.
func TestRealStanzasAreReadAsOthersReadThem(t *testing.T) {
	x := startExpat(t)
	for _, doc := range []string{
		string(omemo),
		"<iq type='result' id='1'><query xmlns='jabber:iq:roster' ver='7'><item jid='a@b' name='&quot;O&apos;Neil&quot; &amp; co'><group>x</group></item></query></iq>",
		"<message xml:lang='en'><body>a\r\nb\rc&#13;d ]] &gt;</body><body xml:lang='de'>\u00e4</body></message>",
		"<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://x' ver='q='/></presence>",
		"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
		"<a xmlns:xml='" + NSXML + "' xml:space='preserve' xml:lang=''/>",
		"<a xmlns='u' xmlns:p='u' x='1' p:x='2'><p:b/><b xmlns=''><c/></b></a>",
		"<a b='\t\n\r\r\n x &#9;&#10;&#13;'/>",
	} {
		if !x.compare(t, []byte(doc)) {
			t.Errorf("%q refused", doc)
		}
	}
}
