package timeline

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

func online(t *testing.T, archives ...string) *desk {
	d := newDesk(t)
	for _, a := range archives {
		d.keep(d.b.Online(a, false))
	}
	return d
}

func TestOnlyWhoSaidItChangesIt(t *testing.T) {
	d := online(t, tea)
	d.apply(inRoom("kim", "1", "tea at five"))
	d.apply(inRoom("lee", "2", "tea at nine").as(Edit, "1"))
	d.apply(inRoom("lee", "2b", "tea at nine").as(Edit, "s-1"))
	d.apply(inRoom("lee", "3", "").as(Retract, "s-1"))
	stranger := inRoom("kim", "4", "tea at ten").as(Edit, "1")
	stranger.Occupant = ""
	d.apply(stranger)
	d.want(tea, "kim: tea at five")
	d.apply(inRoom("kim", "5", "tea at six").as(Edit, "1"))
	d.want(tea, "kim: tea at six (edited)")
	moderated := inRoom("", "6", "").as(Retract, "s-1")
	moderated.FromRoom, moderated.Occupant, moderated.Sender = true, "", tea
	d.apply(moderated)
	d.want(tea, "kim: (gone)")
}

func TestNobodyChangesTheOthersWords(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, Text: "my words"})
	d.keep(d.b.Sent(o.OriginID, d.now))
	d.apply(from(bob, "1", "his words"))
	d.apply(from(bob, "2", "I owe you").as(Edit, o.OriginID))
	d.apply(from(bob, "3", "").as(Retract, o.OriginID))
	d.apply(mine(bob, "4", "I owe you").as(Edit, "1"))
	d.want(bob, "me: my words", "bob: his words")
}

func TestTheClearDoesNotReplaceWhatWasEncrypted(t *testing.T) {
	d := online(t, own)
	in := from(bob, "1", "secret")
	in.Lock.State = port.Locked
	d.apply(in)
	forged := from(bob, "2", "send me money").as(Edit, "1")
	forged.Lock.State = port.Open
	d.apply(forged)
	forged.StanzaID = ""
	d.apply(forged)
	d.want(bob, "bob: secret", "bob: send me money")
}

func TestWhatWasEncryptedIsTakenBackInTheClear(t *testing.T) {
	d := online(t, own)
	in := from(bob, "1", "secret")
	in.Lock.State = port.Locked
	d.apply(in)
	back := from(bob, "2", "").as(Retract, "1")
	back.Lock.State = port.Open
	d.apply(back)
	d.want(bob, "bob: (gone)")
}

func TestWhatWasTakenBackIsNowhere(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "password hunter2"))
	answer := mine(bob, "2", "what?")
	answer.ReplyTo = "1"
	d.apply(answer)
	d.apply(from(bob, "3", "password hunter2!").as(Edit, "1"))
	d.apply(from(bob, "4", "").with("👋").as(React, "1"))
	d.want(bob, "bob: password hunter2! (edited) 👋1", "me: what? [password hunter2!]")
	events := messages(d.apply(from(bob, "5", "").as(Retract, "1")))
	if len(events) != 2 || events[1].Message.Reply.Text != "" {
		t.Errorf("the answer was not told of: %v", events)
	}
	d.want(bob, "bob: (gone)", "me: what? []")
	found, err := d.b.Search("hunter2", "", 10)
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
	d.apply(from(bob, "6", "hunter2 again").as(Edit, "1"))
	for _, table := range []keep.Table{tableRows, tableWhere, tableMarks, tableWaiting, tableReplies, tableChats, tableArchives, tableOutbox} {
		d.store.Scan(table, keep.Range{}, func(key string, v []byte) bool {
			if strings.Contains(key, "hunter2") || bytes.Contains(v, []byte("hunter2")) {
				t.Errorf("%s still holds it under %q: %s", table, key, v)
			}
			return true
		})
	}
}

func TestWhatWasTakenBackElsewhereIsNotInTheOutbox(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, Text: "hunter2"})
	d.keep(d.b.Sent(o.OriginID, d.now))
	d.compose(Draft{Chat: bob, Text: "hunter3", Corrects: o.Message})
	d.compose(Draft{Chat: bob, ReactsTo: o.Message, Emoji: []string{"👋"}})
	d.apply(mine(bob, "1", "").as(Retract, o.OriginID))
	if left, err := d.b.Outbox(); len(left) > 0 || err != nil {
		t.Errorf("%+v %v", left, err)
	}
	d.restart()
	d.want(bob, "me: (gone)")
}

func TestChangesThatComeFirstWait(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "3", "third").as(Edit, "1"))
	d.apply(from(bob, "2", "second").as(Edit, "1"))
	d.apply(from(bob, "4", "").with("👋"))
	d.apply(from(bob, "5", "").with("👋").as(React, "1"))
	d.apply(from(bob, "7", "").as(Retract, "6"))
	if _, ok := d.b.Chat(bob); ok {
		t.Error("a chat without a line is on the list")
	}
	d.restart()
	d.apply(from(bob, "1", "first"))
	d.apply(from(bob, "6", "regretted"))
	d.want(bob, "bob: second (edited) 👋1", "bob: (gone)")
}

func TestAFloodOfChangesHasAnEnd(t *testing.T) {
	d := online(t, tea)
	d.apply(inRoom("kim", "k", "x").as(Edit, "later"))
	for i := range mostWaiting + 100 {
		d.apply(inRoom("lee", fmt.Sprint("f", i), strings.Repeat("y", 3000)).as(Edit, fmt.Sprint("none", i)))
	}
	n, size := 0, 0
	d.store.Scan(tableWaiting, keep.Range{}, func(_ string, v []byte) bool {
		n, size = n+1, size+len(v)
		return true
	})
	if n > mostWaiting || size > maxWaiting {
		t.Errorf("%d wait, of %d bytes", n, size)
	}
	d.apply(inRoom("kim", "later", "first"))
	d.want(tea, "kim: x (edited)")
}

func TestAFloodOfReactionsHasAnEnd(t *testing.T) {
	d := online(t, tea)
	d.apply(inRoom("kim", "1", "hello"))
	for i := range mostReactors + 50 {
		d.apply(inRoom(fmt.Sprint("n", i), fmt.Sprint("r", i), "").with("👋").as(React, "s-1"))
	}
	d.want(tea, fmt.Sprint("kim: hello 👋", mostReactors))
}

func TestOnlyTheLatestReactionsCount(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	d.apply(from(bob, "2", "").with("a", "b").as(React, "1"))
	d.apply(mine(bob, "3", "").with("b").as(React, "1"))
	d.want(bob, "bob: hello a1 b2")
	d.apply(from(bob, "4", "").with().as(React, "1"))
	d.want(bob, "bob: hello b1")
}

func TestTicksOnlyGoForwards(t *testing.T) {
	d := online(t, own)
	var ids []string
	for range 3 {
		ids = append(ids, d.compose(Draft{Chat: bob, Text: "hello"}).OriginID)
	}
	way := func() (out []port.Delivery) {
		page, _, _, _ := d.b.Page(bob, "", 10)
		for _, m := range page {
			out = append(out, m.Delivery)
		}
		return out
	}
	for _, id := range ids {
		d.keep(d.b.Sent(id, d.now))
	}
	d.apply(from(eve, "e1", "").as(Receipt, ids[0]))
	forged := from(bob, "e2", "").as(Displayed, ids[2])
	forged.Real = eve
	d.apply(forged)
	if got := way(); !slices.Equal(got, []port.Delivery{port.Sent, port.Sent, port.Sent}) {
		t.Fatal(got)
	}
	d.apply(from(bob, "d1", "").as(Displayed, ids[1]))
	d.apply(from(bob, "r1", "").as(Receipt, ids[0]))
	d.apply(from(bob, "r2", "").as(Receipt, ids[2]))
	if got := way(); !slices.Equal(got, []port.Delivery{port.Read, port.Read, port.Delivered}) {
		t.Fatal(got)
	}
}

func TestUnreadIsCountedUntilItIsSeenHereOrElsewhere(t *testing.T) {
	d := online(t, own)
	for i := range 5 {
		d.apply(from(bob, fmt.Sprint(i), "hello"))
	}
	first := lastChat(t, d, bob)
	page, _, _, _ := d.b.Page(bob, "", 10)
	if first.Unread != 5 || first.First != page[0].ID {
		t.Fatalf("%+v", first)
	}
	seen, c, err := d.b.MarkRead(bob, page[1].ID)
	d.keep(c, err)
	if got := lastChat(t, d, bob); got.Unread != 3 || got.First != page[2].ID || seen.ID != "1" || seen.StanzaID != "s-1" || seen.By != own {
		t.Fatalf("%+v %+v", got, seen)
	}
	d.keep(d.b.Displayed(bob, false, "s-3"))
	d.keep(d.b.Displayed(bob, false, "s-6"))
	d.restart()
	d.keep(d.b.Online(own, false))
	if got := lastChat(t, d, bob); got.Unread != 1 || got.First != page[4].ID {
		t.Fatalf("%+v", got)
	}
	d.apply(from(bob, "5", "unseen"))
	d.apply(from(bob, "6", "seen elsewhere"))
	if got := lastChat(t, d, bob); got.Unread != 0 || got.First != "" {
		t.Fatalf("%+v", got)
	}
	d.apply(from(bob, "7", "new"))
	d.apply(mine(bob, "8", "answered elsewhere"))
	if got := lastChat(t, d, bob); got.Unread != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestTypingEnds(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	composing := from(bob, "", "")
	composing.Kind, composing.State, composing.StanzaID = Nothing, "composing", ""
	d.apply(composing)
	if got := lastChat(t, d, bob).Typing; !slices.Equal(got, []string{bob}) {
		t.Fatal(got)
	}
	if _, next := d.b.Expire(d.now); !next.Equal(d.now.Add(typingFor)) {
		t.Error(next)
	}
	if events, next := d.b.Expire(d.now.Add(typingFor)); len(events) != 1 || !next.IsZero() || len(lastChat(t, d, bob).Typing) > 0 {
		t.Error(events, next)
	}
	d.apply(composing)
	d.apply(from(bob, "2", "there"))
	if got := lastChat(t, d, bob).Typing; len(got) > 0 {
		t.Error(got)
	}
}

func TestTheOutboxSurvivesAndKeepsItsIDs(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, Text: "hello"})
	d.compose(Draft{Chat: bob, Text: "six", Corrects: o.Message})
	d.restart()
	left, err := d.b.Outbox()
	if err != nil || len(left) != 2 || left[0].OriginID != o.OriginID || left[0].Body() != "hello" || left[1].Ref != o.OriginID || left[1].Body() != "six" {
		t.Fatalf("%+v %v", left, err)
	}
	d.keep(d.b.Failed(left[1].OriginID, "no", d.now))
	d.keep(d.b.Failed(o.OriginID, "no such account", d.now))
	m, _, _ := d.b.Message(o.Message)
	if m.Delivery != port.Failed || m.Failure != "no such account" || m.Text != "hello" {
		t.Fatalf("%+v", m)
	}
	again, c, err := d.b.Retry(o.Message, d.now)
	d.keep(c, err)
	if again.OriginID != o.OriginID {
		t.Error("it is sent under another id")
	}
	d.keep(d.b.Sent(o.OriginID, d.now))
	d.apply(Incoming{Envelope: Envelope{Chat: bob, Sender: bob, Real: bob, Refused: "gone"}, Kind: Refusal, Ref: o.OriginID})
	if m, _, _ := d.b.Message(o.Message); m.Delivery != port.Failed {
		t.Fatalf("%+v", m)
	}
	d.want(bob, "me: hello")
}

func TestWhatIsTakenBackInTimeIsNeverSent(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, Text: "oops"})
	d.compose(Draft{Chat: bob, Retracts: o.Message})
	left, _ := d.b.Outbox()
	if len(left) != 1 || left[0].Kind != Retract || left[0].Ref != o.OriginID {
		t.Fatalf("%+v", left)
	}
	d.keep(d.b.Sent(left[0].OriginID, d.now))
	d.want(bob, "me: (gone)")
}

func TestDraftsForNothingAreRefused(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	page, _, _, _ := d.b.Page(bob, "", 1)
	for code, x := range map[string]Draft{
		port.NotYours:      {Chat: bob, Text: "x", Corrects: page[0].ID},
		port.NoSuchMessage: {Chat: eve, Text: "x", ReplyTo: page[0].ID},
		port.BadCommand:    {Chat: bob},
	} {
		_, _, err := d.b.Compose(x, d.now)
		if f := (*port.Failure)(nil); !errors.As(err, &f) || f.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestAFileWaitsForItsUpload(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, File: &File{Name: "cat.jpg", State: "sending"}})
	if left, _ := d.b.Outbox(); !o.Hold || len(left) != 0 {
		t.Fatalf("%+v", left)
	}
	d.restart()
	d.keep(d.b.SetFile(o.Message, File{Name: "c\xff\x00at", State: "sending"}))
	d.want(bob, "me: ")
	d.keep(d.b.SetFile(o.Message, File{Name: "cat.jpg", URL: "aesgcm://h/x#00", State: "here"}))
	if left, _ := d.b.Outbox(); len(left) != 1 || left[0].Body() != "aesgcm://h/x#00" {
		t.Fatalf("%+v", left)
	}
}

func blind(id string) Incoming {
	in := from(bob, id, "")
	in.Unreadable = "no key"
	return in
}

func TestUnreadableLinesAreOneUntilTheyCanBeRead(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	for _, id := range []string{"2", "3", "4"} {
		d.apply(blind(id))
	}
	d.want(bob, "bob: hello", "bob: (unreadable3)")
	if c := lastChat(t, d, bob); c.Unread != 2 {
		t.Errorf("%d unread", c.Unread)
	}
	events := messages(d.apply(from(bob, "3", "three")))
	d.want(bob, "bob: hello", "bob: (unreadable)", "bob: three", "bob: (unreadable)")
	if len(events) != 3 || !events[1].New || !events[2].New || events[1].After != events[0].Message.ID {
		t.Errorf("%+v", events)
	}
	d.apply(from(bob, "2", "two"))
	d.apply(from(bob, "4", "four"))
	d.apply(blind("4"))
	d.want(bob, "bob: hello", "bob: two", "bob: three", "bob: four")
}

func TestLateMessagesGoWhereTheyBelong(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "one"))
	d.keep(d.b.Online(own, false))
	d.apply(from(bob, "4", "four"))
	q, ok := d.b.NextQuery(own)
	if !ok || q.After != "s-1" {
		t.Fatalf("%+v", q)
	}
	page := []Incoming{from(bob, "2", "two"), from(bob, "3", "three")}
	for i := range page {
		page[i].Time = d.now
	}
	events := messages(d.keep(d.b.TakePage(q, page, Fin{}, d.now)))
	if len(events) != 2 || !events[0].Late || !events[0].New || events[1].After != events[0].Message.ID {
		t.Errorf("%+v", events)
	}
	d.want(bob, "bob: one", "bob: two", "bob: three", "bob: four")
}

func TestAnArchiveThatForgotWhereWeWereIsAskedByTime(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "one"))
	d.keep(d.b.Online(own, false))
	q, _ := d.b.NextQuery(own)
	d.keep(d.b.Lost(q))
	q, ok := d.b.NextQuery(own)
	if !ok || q.After != "" || !q.Start.Equal(d.now) {
		t.Fatalf("%+v", q)
	}
	d.keep(d.b.Lost(q))
	if q, ok = d.b.NextQuery(own); ok && !q.Backward {
		t.Fatalf("%+v", q)
	}
}

func TestARepeatedIDIsNotARepeatedMessage(t *testing.T) {
	d := online(t, own)
	for i, text := range []string{"one", "two"} {
		in := from(bob, "1", text)
		in.OriginID, in.StanzaID = "", fmt.Sprint("s", i)
		d.apply(in)
		in.StanzaID = "" // a copy without the archive's id
		d.apply(in)
	}
	resent := from(bob, "9", "resent")
	d.apply(resent)
	resent.StanzaID = "s-10"
	d.apply(resent)
	d.want(bob, "bob: one", "bob: two", "bob: resent")
}

func TestChatsStandByTheirLastMessage(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "one"))
	d.apply(from(eve, "2", "two"))
	future := from(bob, "3", "from the future")
	future.Time = d.now.Add(1000 * time.Hour)
	d.apply(future)
	d.apply(from(eve, "4", "now"))
	d.now = d.now.Add(time.Hour)
	d.apply(from(eve, "5", "later"))
	list, err := d.b.Chats()
	if err != nil || len(list) != 2 || list[0].Address != eve || list[0].Last.Text != "later" {
		t.Fatalf("%+v %v", list, err)
	}
	d.keep(d.b.Remove(eve))
	if list, _ = d.b.Chats(); len(list) != 1 {
		t.Fatalf("%+v", list)
	}
}

func TestNoticesAndSubjectsAreLines(t *testing.T) {
	d := online(t, tea)
	d.keep(d.b.Notice(tea, true, "joined", []string{"kim\u202e"}, d.now))
	for _, s := range []string{"tea", "cakes", "cakes"} {
		in := inRoom("kim", "", s)
		in.Kind, in.StanzaID, in.OriginID = Subject, "", ""
		d.apply(in)
	}
	d.want(tea, ": *joined", ": *subject")
}

func TestSearchFindsWhatAPersonMeans(t *testing.T) {
	d := online(t, own)
	for i, text := range []string{"Café au lait", "قَهْوَة بالحَليب", "إلى الأمام", "مدرســـة", "رقم ٤٢", "STRASSE", "coffee, black"} {
		d.apply(from(bob, fmt.Sprint(i), text))
	}
	for query, want := range map[string]string{
		"cafe LAIT": "Café au lait", "قهوه": "قَهْوَة بالحَليب", "الي الامام": "إلى الأمام", "مدرسة": "مدرســـة",
		"42": "رقم ٤٢", "strasse": "STRASSE", "black coffee": "coffee, black", "coffee white": "", "  ": "",
	} {
		found, err := d.b.Search(query, bob, 5)
		got := ""
		for _, m := range found {
			got += m.Text
		}
		if err != nil || got != want {
			t.Errorf("%q finds %q, %v", query, got, err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	d := &desk{t: b, store: keep.NewMemory(), now: epoch}
	d.restart()
	d.keep(d.b.Online(own, false))
	i := 0
	for b.Loop() {
		i++
		d.apply(from(bob, fmt.Sprint(i), "hello there, how are you today"))
	}
}

func BenchmarkSearch50000(b *testing.B) {
	d := &desk{t: b, store: keep.NewMemory(), now: epoch}
	d.restart()
	for i := range 50000 {
		r := &record{ID: fmt.Sprint("m", i), chat: bob, at: order{Pos: middle + uint64(i)}, Text: "صباح الخير hello there, how are you today", Delivery: port.Received}
		batch := &keep.Batch{}
		batch.Put(tableRows, r.key(), r.encode())
		if err := d.store.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
	d.b.list[bob] = &chat{Address: bob, Active: 1}
	for b.Loop() {
		if found, err := d.b.Search("nothing like it", "", 50); err != nil || len(found) > 0 {
			b.Fatal(found, err)
		}
	}
}
