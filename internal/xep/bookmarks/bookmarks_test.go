package bookmarks

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mirsal/internal/xmpp/xtok"
)

// node is a node's items in their order.
type node struct {
	ids      []string
	payloads map[string]string
}

func (n *node) items() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, id := range n.ids {
			if !yield(id, []byte(n.payloads[id])) {
				return
			}
		}
	}
}

// write is what a client of the old form does; it returns the ids that changed.
func (n *node) write(t interface{ Fatal(...any) }, storage string) (own []byte, changed []string) {
	e, err := xtok.Parse([]byte(storage), xtok.Limits{})
	if err != nil {
		t.Fatal(storage, err)
	}
	own, changes, err := Take(e, n.items())
	if err != nil {
		t.Fatal(err)
	}
	for id, p := range maps.Collect(changes) {
		changed = append(changed, id)
		n.ids = slices.DeleteFunc(n.ids, func(o string) bool { return o == id })
		delete(n.payloads, id)
		if p != nil {
			if _, err := xtok.Parse(p, xtok.Limits{}); err != nil {
				t.Fatal(string(p), err)
			}
			n.ids = append(n.ids, id)
			n.payloads[id] = string(p)
		}
	}
	return own, changed
}

func of(pairs ...string) *node {
	n := &node{payloads: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		n.ids = append(n.ids, pairs[i])
		n.payloads[pairs[i]] = pairs[i+1]
	}
	return n
}

func drawText(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"", "x", "Rolf & Söhne", "<&>'\"", " a\tb\n", "😀"}).Draw(t, label)
}

// drawRoom makes the inside of a bookmark in either form.
func drawAttrs(t *rapid.T) string {
	b := ""
	if rapid.Bool().Draw(t, "named") {
		b += " name='" + string(xtok.Escape(nil, drawText(t, "name"))) + "'"
	}
	if rapid.Bool().Draw(t, "join") {
		b += " autojoin='" + rapid.SampledFrom([]string{"true", "1", "false", "0", "maybe"}).Draw(t, "autojoin") + "'"
	}
	return b
}

func drawFields(t *rapid.T) string {
	b := ""
	for _, f := range []string{"nick", "password"} {
		if rapid.Bool().Draw(t, f+"?") {
			b += "<" + f + ">" + string(xtok.Escape(nil, drawText(t, f))) + "</" + f + ">"
		}
	}
	return b
}

func drawExtensions(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"<a xmlns='urn:a'/>", `<b xmlns="urn:b" x="1"><c>t</c></b>`, "<p:d xmlns:p='urn:d' p:q='1'/>", "<minimize xmlns='" + Old + "'>true</minimize>",
		"<nick xmlns='" + Old + "'>evil</nick>", "<extensions xmlns='" + Node + "'/>",
	}), 0, 3).Draw(t, "extensions"), "")
}

func drawNode(t *rapid.T) *node {
	n := of()
	for i := range rapid.IntRange(0, 4).Draw(t, "rooms") {
		id := rapid.SampledFrom([]string{"r%d@c.example", "R%d@C.example", "r%d@c.example/x", "no room @@ %d"}).Draw(t, "id")
		id = fmt.Sprintf(id, i)
		p := "<conference xmlns='" + Node + "'" + drawAttrs(t) + ">" + drawFields(t)
		if x := drawExtensions(t); x != "" {
			p += "<extensions>" + x + "</extensions>"
		}
		p += "</conference>"
		if rapid.IntRange(0, 9).Draw(t, "alien") == 0 {
			p = "<other xmlns='urn:o'/>"
		}
		n.ids, n.payloads[id] = append(n.ids, id), p
	}
	return n
}

func TestWritingBackWhatWasShownChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNode(t)
		own := []byte("<storage xmlns='" + Old + "'><url xmlns='" + Old + "' name='n' url='http://x.example/'/></storage>")
		shown := Show(own, n.items())
		again, changed := n.write(t, string(shown))
		if len(changed) > 0 || string(again) == "" {
			t.Fatalf("%q changed by %s", changed, shown)
		}
		if twice := Show(again, n.items()); string(twice) != string(shown) {
			t.Fatalf("%s\nis shown as\n%s", shown, twice)
		}
	})
}

func TestWhatAnOldClientWritesIsWhatOldClientsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNode(t)
		xml := "<storage xmlns='" + Old + "'>"
		want := 0
		for i := range rapid.IntRange(0, 4).Draw(t, "listed") {
			xml += fmt.Sprintf("<conference jid='r%d@c.example'%s>%s</conference>", i, drawAttrs(t), drawFields(t))
			want++
		}
		own, _ := n.write(t, xml+"</storage>")
		rooms := 0
		for _, i := range read(n.items()) {
			e, _ := xtok.Parse([]byte(xml+"</storage>"), xtok.Limits{})
			_, wanted, _ := list(e)
			if w, ok := wanted[i.who]; !ok || w.name != i.room.name || w.nick != i.room.nick || w.password != i.room.password || w.autojoin != i.room.autojoin {
				t.Fatalf("%s is %+v, not %+v", i.who, i.room, w)
			}
			rooms++
		}
		if rooms < want {
			t.Fatalf("%d rooms of %d", rooms, want)
		}
		shown := Show(own, n.items())
		if _, changed := n.write(t, string(shown)); len(changed) > 0 {
			t.Fatalf("%q changed again", changed)
		}
	})
}

const extended = "<conference xmlns='" + Node + "' name='A'><nick>n</nick><extensions><state xmlns='urn:s' minimized='true'/></extensions></conference>"

func TestAnOldClientsEditKeepsExtensions(t *testing.T) {
	n := of("a@c.example", extended)
	n.write(t, "<storage xmlns='"+Old+"'><conference jid='a@c.example' name='B' autojoin='1'/></storage>")
	want := "<conference xmlns='" + Node + "' name='B' autojoin='true'><extensions><state xmlns='urn:s' minimized='true'/></extensions></conference>"
	if n.payloads["a@c.example"] != want {
		t.Error(n.payloads["a@c.example"])
	}
}

func TestExtensionsWrittenInAnotherWayAreTheSame(t *testing.T) {
	n := of("a@c.example", extended)
	_, changed := n.write(t, "<storage xmlns='"+Old+"'><conference jid='a@c.example' name='A' autojoin='0'><nick>n</nick>"+
		`<s:state minimized="true" xmlns:s="urn:s"></s:state></conference></storage>`)
	if len(changed) > 0 {
		t.Error(n.payloads)
	}
}

func TestOneRoomLeftOutIsRemovedAndNothingElse(t *testing.T) {
	n := of("a@c.example", extended, "b@c.example", extended, "no room @@", "<x xmlns='urn:x'/>")
	_, changed := n.write(t, "<storage xmlns='"+Old+"'><conference jid='B@C.example' name='A'><nick>n</nick></conference></storage>")
	if !slices.Equal(changed, []string{"a@c.example"}) || !slices.Equal(n.ids, []string{"b@c.example", "no room @@"}) {
		t.Errorf("%q changed, %q left", changed, n.ids)
	}
}

func TestWhatIsNoRoomIsKeptForOldClients(t *testing.T) {
	rest := "<url xmlns='" + Old + "' name='n' url='http://x.example/'/><conference xmlns='" + Old + "' jid='@@'/><y xmlns='urn:y'/>"
	own, changed := of().write(t, "<storage xmlns='"+Old+"'>"+rest+"</storage>")
	if want := "<storage xmlns='" + Old + "'>" + rest + "</storage>"; string(own) != want || len(changed) > 0 || string(Show(own, of().items())) != want {
		t.Errorf("%s %q", own, changed)
	}
}

func TestAnythingElseIsRefused(t *testing.T) {
	e, _ := xtok.Parse([]byte("<storage xmlns='urn:x'/>"), xtok.Limits{})
	if _, _, err := Take(e, of().items()); err == nil {
		t.Error("taken")
	}
}

// Whatever a client writes, all that is kept is well-formed and reads back the same.
func FuzzTakenListsReadBackTheSame(f *testing.F) {
	f.Add("<storage xmlns='storage:bookmarks'><conference jid='a@c' name='x' autojoin='1'><nick>n</nick><p:e xmlns:p='urn:p' p:a='1'/></conference><url/></storage>")
	f.Add("<s:storage xmlns:s='storage:bookmarks' xmlns='urn:d'><s:conference jid='a@c'><x/><s:nick/></s:conference></s:storage>")
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := xtok.Parse([]byte(xml), xtok.Limits{})
		if err != nil || !e.Is(Old, "storage") {
			return
		}
		n := of("a@c", extended)
		own, _ := n.write(t, xml)
		shown := Show(own, n.items())
		if _, err := xtok.Parse(shown, xtok.Limits{}); err != nil {
			t.Fatalf("%s: %v", shown, err)
		}
		again, changed := n.write(t, string(shown))
		if len(changed) > 0 || string(Show(again, n.items())) != string(shown) {
			t.Errorf("%s changes %q", shown, changed)
		}
	})
}
