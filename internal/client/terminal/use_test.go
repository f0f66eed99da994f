package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

func opened(t *testing.T, list ...port.Message) (*model, *asked) {
	t.Helper()
	m, a := begin(t, 80, 24, Options{}, &port.ChatList{Chats: []port.Chat{bob(0, "", list[len(list)-1])}})
	m.keys("enter")
	page(m, "bob@example.org", false, list...)
	a.commands = nil
	return m, a
}

func TestNoKeyMeansTwoThings(t *testing.T) {
	for _, scope := range []where{inList, inText, inEmpty | inText, inTalk} {
		seen := map[string]string{}
		for _, b := range bindings() {
			if b.where&scope&^inMenu == 0 {
				continue
			}
			for _, k := range strings.Fields(b.keys) {
				if other, twice := seen[k]; twice {
					t.Errorf("%q is %q and %q", k, other, b.what)
				}
				seen[k] = b.what
			}
		}
	}
}

func TestTheHelpNamesEveryKey(t *testing.T) {
	m, _ := begin(t, 100, 30, Options{})
	text := strings.Join(helpText(m, 100), "\n")
	for _, b := range bindings() {
		if b.keys != "" && b.what != "" && !strings.Contains(text, b.what) {
			t.Errorf("the help does not name %q (%s)", b.what, b.keys)
		}
	}
}

func TestWritingAnsweringEditingAndTakingBack(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour), wrote("m2", "hi", time.Minute, port.Sent))
	m.keys(`"one"`)
	m.Update(tea.KeyPressMsg{Code: tea.KeyEnter, Mod: tea.ModAlt})
	m.keys(`"two"`, "enter")
	if sent := take[*port.Send](a); len(sent) != 1 || sent[0].Text != "one\ntwo" || sent[0].Chat != "bob@example.org" {
		t.Fatalf("sent %+v", sent)
	}
	m.keys("ctrl+r", "up", "r", `"yes"`, "enter")
	if sent := take[*port.Send](a); len(sent) != 1 || sent[0].ReplyTo != "m1" {
		t.Errorf("answered %+v", sent)
	}
	m.keys("up", "backspace", `"o"`, "enter")
	if sent := take[*port.Send](a); len(sent) != 1 || sent[0].Corrects != "m2" || sent[0].Text != "ho" {
		t.Errorf("edited %+v", sent)
	}
	m.keys("ctrl+r", "d", "y")
	if back := take[*port.Retract](a); len(back) != 1 || back[0].Message != "m2" {
		t.Errorf("taken back %+v", back)
	}
	m.keys("up", "e")
	if m.edits != "" || !strings.Contains(plainView(m), "only messages of one's own") {
		t.Error("somebody else's message can be edited")
	}
	m.keys("+", "enter")
	if given := take[*port.React](a); len(given) != 1 || !slices.Equal(given[0].Emoji, []string{"👍"}) || given[0].Message != "m1" {
		t.Errorf("reacted %+v", given)
	}
}

func TestWhatWasRefusedIsNotLost(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.keys(`"important"`, "enter")
	sent := take[*port.Send](a)
	m.answer(&port.Done{Ref: sent[0].Ref, Failure: port.Failf(port.TooLarge, "too long")})
	if m.box.text() != "important" || !strings.Contains(plainView(m), "✗ too long") {
		t.Errorf("after a refusal:\n%s", plainView(m))
	}
}

func TestDraftsStayWithTheirChatsAndOnDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "screen.json")
	list := []port.Chat{bob(0, "", said("m", "x", 0)), {Address: "carol@example.org", Name: "Carol"}}
	m, _ := begin(t, 80, 24, Options{Keep: file}, &port.ChatList{Chats: list})
	m.show("bob@example.org")
	m.keys(`"half a"`)
	m.show("carol@example.org")
	if !m.box.empty() {
		t.Error("a draft went along into another chat")
	}
	m.show("bob@example.org")
	m.keys("ctrl+c")
	if err := m.keep(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info, err)
	}
	again, _ := begin(t, 80, 24, Options{Keep: file}, &port.ChatList{Chats: list})
	if err := again.restore(); err != nil {
		t.Fatal(err)
	}
	again.show("bob@example.org")
	if again.box.text() != "half a" {
		t.Errorf("the draft is %q", again.box.text())
	}
}

func TestReadIsWhatWasSeen(t *testing.T) {
	last := said("m2", "news", 0)
	m, a := begin(t, 80, 24, Options{}, &port.ChatList{Chats: []port.Chat{bob(1, "m2", last)}})
	m.Update(tea.BlurMsg{})
	m.keys("enter")
	page(m, "bob@example.org", false, said("m1", "old", time.Hour), last)
	if len(take[*port.MarkRead](a)) != 0 {
		t.Error("read though nobody looks")
	}
	m.Update(tea.FocusMsg{})
	if read := take[*port.MarkRead](a); len(read) != 1 || read[0].Message != "m2" {
		t.Errorf("read %+v", read)
	}
	if !strings.Contains(plainView(m), "─ new ─") {
		t.Errorf("no divider:\n%s", plainView(m))
	}
}

func TestScrollingUpFetchesOlderMessages(t *testing.T) {
	var list []port.Message
	for i := range 60 {
		list = append(list, said(fmt.Sprintf("m%d", 100+i), fmt.Sprintf("line %d", i), time.Duration(60-i)*time.Second))
	}
	m, a := begin(t, 80, 24, Options{}, &port.ChatList{Chats: []port.Chat{bob(0, "", list[59])}})
	m.keys("enter")
	page(m, "bob@example.org", true, list...)
	a.commands = nil
	for range 12 {
		m.keys("pgup")
	}
	asked := take[*port.History](a)
	if len(asked) != 1 || asked[0].Before != "m100" {
		t.Fatalf("asked %+v", asked)
	}
	top := plainView(m)
	if !strings.Contains(top, "line 0 ") {
		t.Errorf("at the top:\n%s", top)
	}
	m.Update(heard{&port.MessageChanged{Message: said("m160", "just now", 0), New: true, After: "m159"}})
	if plainView(m) != top {
		t.Error("a new message moves what is read")
	}
	page(m, "bob@example.org", false, said("m99", "older", time.Hour))
	m.keys("pgup")
	if !strings.Contains(plainView(m), "older") {
		t.Errorf("older messages are not shown:\n%s", plainView(m))
	}
	m.Update(tea.KeyPressMsg{Code: tea.KeyEnd, Mod: tea.ModCtrl})
	if !strings.Contains(plainView(m), "just now") {
		t.Error("the end is not shown")
	}
}

func TestASearchLeadsToItsMessage(t *testing.T) {
	m, a := opened(t, said("m9", "newest", 0))
	m.s.talk("bob@example.org").more = true
	m.keys("ctrl+f", `"inv"`)
	asked := take[*port.Search](a)
	last := asked[len(asked)-1]
	if last.Query != "inv" {
		t.Fatalf("asked %+v", asked)
	}
	m.answer(&port.Found{Ref: asked[0].Ref, Messages: nil})
	m.answer(&port.Found{Ref: last.Ref, Messages: []port.Message{said("m2", "the invoice", time.Hour)}})
	m.keys("enter")
	pages := take[*port.History](a)
	if len(pages) != 1 || pages[0].Around != "m2" {
		t.Fatalf("pages %+v", pages)
	}
	m.answer(&port.Page{Ref: pages[0].Ref, Chat: "bob@example.org", Around: "m2", More: true, Newer: true, Messages: []port.Message{said("m2", "the invoice", time.Hour), said("m3", "x", time.Minute)}})
	if view := plainView(m); m.chosen != "m2" || m.pane != choosing || strings.Count(view, "newest") != 1 || !strings.Contains(view, "Ctrl-End") {
		t.Errorf("chosen is %q:\n%s", m.chosen, view)
	}
}

func TestAfterAJumpItIsReadOnInBothDirections(t *testing.T) {
	m, a := opened(t, said("m9", "newest", 0))
	m.s.talk("bob@example.org").more = true
	m.jump("bob@example.org", "m4")
	m.load("m9") // what was asked for before the jump comes too late
	late := take[*port.History](a)
	m.answer(&port.Page{Ref: late[0].Ref, Chat: "bob@example.org", Around: "m4", More: true, Newer: true, Messages: []port.Message{said("m4", "four", time.Hour), said("m5", "five", time.Minute)}})
	m.answer(&port.Page{Ref: late[1].Ref, Chat: "bob@example.org", Before: "m9", Messages: []port.Message{said("m8", "eight", 0)}})
	m.keys("down", "down")
	after := take[*port.History](a)
	if len(after) != 1 || after[0].After != "m5" {
		t.Fatalf("forward: %+v", after)
	}
	m.Update(heard{&port.MessageChanged{Message: said("m10", "just now", 0), New: true, After: "m9"}})
	m.answer(&port.Page{Ref: after[0].Ref, Chat: "bob@example.org", After: "m5", Newer: true, Messages: []port.Message{said("m6", "six", time.Minute)}})
	m.keys("up", "up")
	before := take[*port.History](a)
	if len(before) != 1 || before[0].Before != "m4" {
		t.Fatalf("back: %+v", before)
	}
	m.answer(&port.Page{Ref: before[0].Ref, Chat: "bob@example.org", Before: "m4", Messages: []port.Message{said("m3", "three", time.Hour)}})
	var have []string
	for _, msg := range m.s.talk("bob@example.org").messages {
		have = append(have, msg.ID)
	}
	if !slices.Equal(have, []string{"m3", "m4", "m5", "m6"}) {
		t.Errorf("here are %q", have)
	}
	m.Update(tea.KeyPressMsg{Code: tea.KeyEnd, Mod: tea.ModCtrl})
	newest := take[*port.History](a)
	if len(newest) != 1 || newest[0].Before+newest[0].After+newest[0].Around != "" {
		t.Errorf("to the end: %+v", newest)
	}
}

func TestWhatIsBehindAJumpIsNotRead(t *testing.T) {
	m, a := opened(t, said("m9", "newest", 0))
	m.jump("bob@example.org", "m4")
	m.answer(&port.Page{Ref: take[*port.History](a)[0].Ref, Chat: "bob@example.org", Around: "m4", Newer: true, Messages: []port.Message{said("m4", "four", time.Hour)}})
	c := bob(1, "m10", said("m10", "just now", 0))
	m.Update(heard{&port.ChatChanged{Chat: c}})
	if got := take[*port.MarkRead](a); len(got) != 0 {
		t.Errorf("read %+v", got)
	}
}

func TestTheMouseOpensAndChooses(t *testing.T) {
	m := talking(t, 80, 24, Options{})
	m.Update(tea.MouseClickMsg{X: 3, Y: 6, Button: tea.MouseLeft})
	if m.open != "desk@conference.example.org" {
		t.Errorf("open is %q", m.open)
	}
	m = talking(t, 80, 24, Options{})
	lines := strings.Split(plainView(m), "\n")
	y := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "did you use?") })
	m.Update(tea.MouseClickMsg{X: 40, Y: y, Button: tea.MouseLeft})
	if m.chosen != "m11" {
		t.Errorf("chosen is %q", m.chosen)
	}
	m.Update(tea.MouseWheelMsg{X: 40, Y: 5, Button: tea.MouseWheelUp})
	if m.anchor == "" {
		t.Error("the wheel does not scroll")
	}
}

func TestAnInvitationHasAName(t *testing.T) {
	in := said("m1", "", time.Hour)
	in.Notice, in.Params = "invited", []string{"x7f3@conference.example.org", "bob@example.org", "Desk"}
	m, a := opened(t, in)
	if view := plainView(m); !strings.Contains(view, "invites you to a room: Desk") || strings.Contains(view, "x7f3") {
		t.Errorf("the invitation:\n%s", view)
	}
	m.keys("ctrl+r", "enter", "enter")
	if got := take[*port.JoinRoom](a); len(got) != 1 || got[0].Address != in.Params[0] {
		t.Errorf("entered %+v", got)
	}
}

func TestARequestIsAnswered(t *testing.T) {
	m, a := begin(t, 80, 24, Options{}, &port.ContactList{Contacts: []port.Contact{{Address: "carol@example.org", State: "asks"}}})
	m.keys("enter", "enter")
	if got := take[*port.AddContact](a); len(got) != 1 || got[0].Address != "carol@example.org" {
		t.Errorf("accepted %+v", got)
	}
	m.keys("enter", "down", "enter")
	if got := take[*port.RemoveContact](a); len(got) != 1 {
		t.Errorf("declined %+v", got)
	}
}

func TestANewDeviceIsLetInByItsDigitsOnly(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.keys(`"typ"`)
	m.Update(heard{&port.LinkAsked{Label: "evil\x1b[2J", Check: "123 456"}})
	m.keys(`"yes y"`, "enter")
	if got := take[*port.LinkConfirm](a); len(got) != 0 || strings.Contains(plainView(m), "123") {
		t.Fatalf("typing on let it in, or its digits are shown: %+v\n%s", got, plainView(m))
	}
	m.keys("esc")
	if got := take[*port.LinkConfirm](a); len(got) != 1 || got[0].Accept {
		t.Errorf("refused by %+v", got)
	}
	m.Update(heard{&port.LinkAsked{Label: "tablet", Check: "123 456"}})
	m.keys(`"123456"`, "enter")
	if got := take[*port.LinkConfirm](a); len(got) != 1 || !got[0].Accept {
		t.Errorf("confirmed %+v", got)
	}
}

// R25: the question says what a yes means, and a spent code is not shown any more.
func TestACodeIsGoneWhenItIsSpent(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.push(newLink(m))
	m.Update(heard{&port.LinkState{State: "failed", Failure: port.Failf(port.Canceled, "another code is shown")}})
	m.answer(&port.Code{Ref: take[*port.LinkShow](a)[0].Ref, Text: "mirsal:link?a=x"})
	if view := plainView(m); !strings.Contains(view, "█") || strings.Contains(view, "ended") {
		t.Fatalf("no code:\n%s", view)
	}
	m.Update(heard{&port.LinkState{State: "joined", Check: "123 456"}, &port.LinkAsked{Label: "tablet", Software: "app", Check: "123 456"}})
	view := plainView(m)
	for _, want := range []string{"READ AND WRITE ALL", "tablet", "(app)", "proves nothing"} {
		if !strings.Contains(strings.Join(strings.Fields(view), " "), want) {
			t.Errorf("%q is not in the question:\n%s", want, view)
		}
	}
	if strings.Contains(view, "123") {
		t.Error("the digits to be typed are shown")
	}
	m.keys(`"123 456"`, "enter")
	m.Update(heard{&port.LinkState{State: "done"}})
	if view := plainView(m); strings.Contains(view, "█") || !strings.Contains(view, "has all") {
		t.Errorf("after the link:\n%s", view)
	}
}

func TestAQuestionAboutADeviceGoesWithItsCode(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.push(newLink(m))
	m.answer(&port.Code{Ref: take[*port.LinkShow](a)[0].Ref, Text: "mirsal:link?a=x"})
	m.Update(heard{&port.LinkState{State: "joined"}, &port.LinkAsked{Label: "tablet", Check: "123 456"}})
	m.push(newHelp(m))
	m.Update(heard{&port.LinkState{State: "failed", Failure: port.Failf(port.Refused, "two devices have shown this code")}})
	m.keys("esc")
	if view := plainView(m); strings.Contains(view, "digits") || strings.Contains(view, "█") || !strings.Contains(view, "two devices") {
		t.Errorf("after a second device:\n%s", view)
	}
	if got := take[*port.LinkConfirm](a); len(got) != 0 {
		t.Errorf("answered %+v", got)
	}
}

func TestWhatFailedIsTriedAgain(t *testing.T) {
	m, a := opened(t, wrote("m1", "hello", time.Hour, port.Failed))
	m.keys("ctrl+r", "t")
	if got := take[*port.Retry](a); len(got) != 1 || got[0].Message != "m1" {
		t.Errorf("tried %+v", got)
	}
}

func TestTypingIsToldOnceAndEnds(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	now := noon()
	m.now = func() time.Time { return now }
	m.keys(`"abc"`)
	if got := take[*port.Typing](a); len(got) != 1 || got[0].State != "composing" {
		t.Fatalf("told %+v", got)
	}
	now = now.Add(6 * time.Second)
	m.Update(tick(now))
	if got := take[*port.Typing](a); len(got) != 1 || got[0].State != "paused" {
		t.Errorf("told %+v", got)
	}
}

// Before the first message nothing is wrong, and nothing looks so.
func TestWhoCannotReadYetIsNoAlarm(t *testing.T) {
	for _, why := range []string{"keys-waiting", "no-device"} {
		c := bob(0, "", said("m1", "hello", time.Hour))
		c.Lock = port.Lock{State: port.Broken, Why: why}
		m, _ := begin(t, 90, 40, Options{}, &port.ChatList{Chats: []port.Chat{c}})
		m.keys("enter")
		page(m, c.Address, false, said("m1", "hello", time.Hour))
		view := plainView(m)
		m.push(newLock(m))
		view += plainView(m)
		if strings.Contains(view, "✗") || strings.Contains(view, "ought") || !strings.Contains(view, "Bob") || !strings.Contains(view, "never") {
			t.Errorf("%s frightens:\n%s", why, view)
		}
		c.Lock.Why = "no-key"
		m.Update(heard{&port.ChatChanged{Chat: c}})
		if !strings.Contains(plainView(m), "✗") {
			t.Error("what is broken does not look so")
		}
	}
}

func TestOfflineSaysWhyAndTriesNow(t *testing.T) {
	m, a := opened(t, said("m1", "hello", time.Hour))
	m.Update(heard{&port.Status{State: "offline", Address: me, Failure: port.Failf(port.Unreachable, "connection refused"), Retry: noon().Add(42 * time.Second)}})
	if view := plainView(m); !strings.Contains(view, "offline, again in 42s (Ctrl-Y now): connection refused") {
		t.Fatalf("offline:\n%s", view)
	}
	wide(t, m)
	m.push(newLock(m))
	a.commands = nil
	m.keys("ctrl+y")
	if got := take[*port.Attend](a); len(got) != 1 || !got[0].Here {
		t.Errorf("asked %+v", got)
	}
	m.Update(heard{&port.Status{State: "offline", Address: me}})
	if view := plainView(m); strings.Contains(view, trying) {
		t.Errorf("it is still being tried:\n%s", view)
	}
}

func TestTheLockIsExplainedInEveryLanguage(t *testing.T) {
	for _, lang := range languages() {
		words := lockWords(lang)
		for _, key := range []string{"locked", "verified", "open", "changed", "broken", "keys-waiting", "no-device", "", "covers", "covered", "not", "uncovered"} {
			if words[key] == "" {
				t.Errorf("%s has no words for %q", lang, key)
			}
		}
		if n := strings.Count(words["uncovered"], "·"); n != 5 {
			t.Errorf("%s names %d things that are not covered", lang, n)
		}
	}
}

func TestPathsAreCompleted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"photo-1.jpg", "photo-2.jpg", "notes.txt", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, choices := completePath(dir + "/p"); text != dir+"/photo-" || len(choices) != 2 {
		t.Errorf("%q %q", text, choices)
	}
	if text, _ := completePath(dir + "/n"); text != dir+"/notes.txt" {
		t.Errorf("%q", text)
	}
}

func TestWithoutColoursNothingIsColoured(t *testing.T) {
	m := talking(t, 80, 24, Options{Env: []string{"NO_COLOR=1"}})
	lines, _ := m.screen()
	for _, l := range lines {
		for _, code := range strings.Split(l, "\x1b[")[1:] {
			sgr, _, _ := strings.Cut(code, "m")
			if sgr != "" && sgr != "1" && sgr != "2" && sgr != "7" {
				t.Fatalf("%q in %q", sgr, l)
			}
		}
	}
}

func TestWhoPutsLinesInOrderIsTakenFromTheTerminal(t *testing.T) {
	for _, c := range []struct {
		bidi string
		env  []string
		want bool
	}{
		{"on", nil, true}, {"off", []string{"KITTY_WINDOW_ID=1"}, false}, {"auto", []string{"KITTY_WINDOW_ID=1"}, true},
		{"auto", []string{"TERM=foot"}, true}, {"auto", []string{"TERM=xterm-256color", "VTE_VERSION=7600"}, false}, {"auto", nil, false},
	} {
		if got := reads(c.bidi, c.env); got != c.want {
			t.Errorf("reads(%q, %q) = %v", c.bidi, c.env, got)
		}
	}
}

func TestEventsNeverWaitForTheScreen(t *testing.T) {
	s := New(Options{})
	for range 10_000 {
		s.Heard(&port.Status{})
	}
	if got := len(s.take()); got != 10_000 {
		t.Errorf("%d events", got)
	}
}
