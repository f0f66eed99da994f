package terminal

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

var update = flag.Bool("update", false, "write the views as they are now to testdata")

// golden compares a view with testdata/NAME.txt.
func golden(t *testing.T, name string, m *model) {
	t.Helper()
	got := plainView(m)
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("%s is not as before (go test -update writes it anew):\n%s", file, got)
	}
	wide(t, m)
}

// wide checks that a view fills the terminal exactly.
func wide(t *testing.T, m *model) {
	t.Helper()
	lines, at := m.screen()
	if len(lines) != m.h {
		t.Errorf("%d lines in a terminal of %d", len(lines), m.h)
	}
	for _, l := range lines {
		if m.pen.width(l) != m.w {
			t.Errorf("a line is %d wide in a terminal of %d: %q", m.pen.width(l), m.w, l)
		}
	}
	if at != nil && (at.X < 0 || at.X >= m.w || at.Y < 0 || at.Y >= m.h) {
		t.Errorf("the cursor is at %v", at)
	}
}

// everything is a conversation in which there is one of each.
func everything() []port.Message {
	day := 26 * time.Hour
	reply := said("m3", "Yes. Where?", time.Hour)
	reply.Reply = &port.Quote{ID: "m2", Sender: me, Text: "Shall we meet tomorrow?"}
	reply.Reactions = []port.Reaction{{Emoji: "👍", Who: []string{me, "bob@example.org"}, Mine: true}}
	edited := wrote("m4", "At the station, at six.", 50*time.Minute, port.Read)
	edited.Edited = true
	gone := said("m5", "", 49*time.Minute)
	gone.Retracted = true
	file := said("m6", "", 40*time.Minute)
	file.File = &port.File{Name: "map.pdf", Size: 1_234_567, State: "loading"}
	failed := wrote("m7", "Thank you!", 30*time.Minute, port.Failed)
	failed.Failure = "a new key of bob@example.org must be compared first"
	notice := said("m8", "", 29*time.Minute)
	notice.Notice, notice.Params = "new-device", []string{"bob@example.org"}
	plain := said("m9", "from an old program", 20*time.Minute)
	plain.Lock = port.Lock{State: port.Open, Why: "was-encrypted"}
	broken := said("m10", "", 10*time.Minute)
	broken.Unreadable = "not-for-us"
	return []port.Message{said("m1", "Hello Alice", day), wrote("m2", "Shall we meet tomorrow?", time.Hour+time.Minute, port.Delivered), reply, edited, gone, file, failed, notice, plain, broken,
		wrote("m11", "Which one did you use?", time.Minute, port.Pending)}
}

func talking(t *testing.T, w, h int, o Options) *model {
	t.Helper()
	list := everything()
	desk := port.Chat{Address: "desk@conference.example.org", Name: "مكتب الأخبار", Room: true, Joined: true, Active: noon().Add(-3 * day), Lock: port.Lock{State: port.Verified}, Unread: 3}
	last := said("d1", "العدد جاهز", 3*day)
	last.Name, last.Chat = "سارة", desk.Address
	desk.Last = &last
	m, _ := begin(t, w, h, o, &port.ChatList{Chats: []port.Chat{bob(2, "m9", list[len(list)-1]), desk}},
		&port.ContactList{Contacts: []port.Contact{{Address: "carol@example.org", State: "asks"}}})
	m.show("bob@example.org")
	page(m, "bob@example.org", false, list...)
	m.Update(heard{&port.Progress{Message: "m6", Done: 400_000, Total: 1_234_567}})
	return m
}

const day = 24 * time.Hour

func TestTheConversationAtSeveralSizes(t *testing.T) {
	for name, size := range map[string][2]int{"talk-120x40": {120, 40}, "talk-80x24": {80, 24}, "talk-40x12": {40, 12}} {
		golden(t, name, talking(t, size[0], size[1], Options{}))
	}
}

func TestTheListWhereThereIsRoomForOneOfBoth(t *testing.T) {
	m := talking(t, 40, 12, Options{})
	m.keys("tab")
	golden(t, "list-40x12", m)
}

func arabicTalk(t *testing.T, bidi string) *model {
	t.Helper()
	m := talking(t, 80, 16, Options{Bidi: bidi})
	page(m, "desk@conference.example.org", false)
	m.show("desk@conference.example.org")
	one := said("d1", "السلام عليكم، العدد الجديد (رقم 12) جاهز للنشر. هل راجعتم المقال عن Mirsal؟", 3*day)
	two := said("d2", "Hello سارة, not yet.", time.Hour)
	three := wrote("d3", "نعم!\nIt is fine.", time.Minute, port.Sent)
	for _, msg := range []*port.Message{&one, &two, &three} {
		msg.Chat, msg.Name = m.open, "سارة"
	}
	page(m, m.open, false, one, two, three)
	return m
}

func TestArabicForTerminalsThatOrderLines(t *testing.T) {
	golden(t, "arabic-off", arabicTalk(t, "off"))
}
func TestArabicForTerminalsThatDoNot(t *testing.T) { golden(t, "arabic-on", arabicTalk(t, "on")) }

func TestSheets(t *testing.T) {
	m := talking(t, 80, 24, Options{})
	m.keys("f1")
	golden(t, "help-80x24", m)
	m.keys("esc", "ctrl+l")
	golden(t, "lock-80x24", m)
	m.keys("esc", "ctrl+k", `"room"`)
	golden(t, "actions-80x24", m)
}

func TestSignInIsOfferedWhereThereIsNoAccount(t *testing.T) {
	a := &asked{}
	m := newModel(a, Options{Help: "Or by command."}, noon)
	m.Init()
	m.w, m.h = 60, 20
	m.answer(&port.Done{Ref: port.Ref{Ref: 1}, Failure: port.Failf(port.NotSignedIn, "no account")})
	m.keys(`"alice@example.org"`, "enter", `"secret"`, "enter", "enter")
	golden(t, "login-60x20", m)
	asked := take[*port.SignIn](a)
	if len(asked) != 1 || asked[0].Address != me || asked[0].Password != "secret" {
		t.Fatalf("asked %v", asked)
	}
	m.answer(&port.Done{Ref: asked[0].Ref, Failure: port.Failf(port.WrongPassword, "the password is wrong")})
	if !strings.Contains(plainView(m), "the password is wrong") || strings.Contains(plainView(m), "secret") {
		t.Errorf("after a refusal:\n%s", plainView(m))
	}
}

func TestEveryViewFillsTheTerminalAtAnySize(t *testing.T) {
	for _, size := range [][2]int{{20, 6}, {33, 8}, {40, 12}, {63, 10}, {64, 9}, {80, 24}, {200, 60}} {
		for _, keys := range [][]string{{}, {"tab"}, {"f1"}, {"ctrl+k"}, {"ctrl+l"}, {"ctrl+f"}, {"ctrl+r", "up", "i"}, {"ctrl+o"}, {"ctrl+r", "+"}, {`"مرحبا يا بوب وكل من في البيت وأكثر"`}, {"pgup", "pgup"}} {
			m := talking(t, size[0], size[1], Options{Bidi: "on"})
			m.keys(keys...)
			if lines, _ := m.screen(); len(lines) != m.h && size[1] > 8 {
				t.Errorf("%v after %q: %d lines", size, keys, len(lines))
			}
			for _, l := range func() []string { l, _ := m.screen(); return l }() {
				if m.pen.width(l) != m.w {
					t.Fatalf("%v after %q: a line is %d wide: %q", size, keys, m.pen.width(l), l)
				}
			}
		}
	}
}
