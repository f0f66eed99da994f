package timeline

import (
	"slices"
	"testing"

	"mirsal/internal/client/keep"
)

// handOver makes a second device with the history of the first, in batches of three rows.
func handOver(t *testing.T, from *desk) *desk {
	t.Helper()
	to := newDesk(t)
	var rows []Entry
	if err := from.b.Export(func(e Entry) error {
		rows = append(rows, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(rows, 3) {
		var b keep.Batch
		if err := Import(&b, part); err != nil {
			t.Fatal(err)
		}
		if err := to.store.Apply(&b); err != nil {
			t.Fatal(err)
		}
	}
	to.now = from.now
	to.restart()
	return to
}

func TestHistoryThatWasHandedOverIsTheSameAndComesOnce(t *testing.T) {
	d := online(t, own, tea)
	d.apply(from(bob, "1", "hello"))
	d.apply(from(bob, "2", "hello!").as(Edit, "1"))
	answer := mine(bob, "3", "hi")
	answer.ReplyTo = "1"
	d.apply(answer)
	d.apply(from(bob, "4", "").as(React, "3").with("👍"))
	d.apply(inRoom("kim", "5", "tea at five"))
	d.apply(from(bob, "6", "").as(Retract, "7")) // of a message that has not come

	n := handOver(t, d)
	for _, chat := range []string{bob, tea} {
		n.want(chat, d.lines(chat)...)
	}
	if got, want := lastChat(t, n, bob), lastChat(t, d, bob); got.Unread != want.Unread || got.Active != want.Active {
		t.Errorf("%+v, want %+v", got, want)
	}
	if lines, err := d.b.Lines(); err != nil || lines != 3 {
		t.Error(lines, err)
	}

	// catching up goes on where the old device was, and has the latest of it again
	n.keep(n.b.Online(own, false))
	q, more := n.b.NextQuery(own)
	if !more || q.After != "s-1" || q.Backward {
		t.Fatalf("%+v", q)
	}
	// and what the archive brings again is not doubled, whether it can be read or not
	again, blind, fresh := from(bob, "1", "hello"), mine(bob, "3", ""), from(bob, "7", "never")
	blind.Unreadable, again.Source, blind.Source, fresh.Source = "not-for-us", Archive, Archive, Archive
	n.keep(n.b.TakePage(q, []Incoming{again, blind, fresh, from(bob, "8", "new")}, Fin{First: "s-1", Last: "s-8", Complete: true}, n.now))
	n.want(bob, "bob: hello! (edited)", "me: hi 👍1 [hello!]", "bob: (gone)", "bob: new")
}

func TestWhatIsNotSentYetStaysOnItsDevice(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	o := d.compose(Draft{Chat: bob, Text: "sent"})
	d.keep(d.b.Sent(o.OriginID, d.now))
	page, _, _, err := d.b.Page(bob, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	d.compose(Draft{Chat: bob, Corrects: page[1].ID, Text: "changed, but not sent"})
	d.compose(Draft{Chat: bob, ReactsTo: page[0].ID, Emoji: []string{"👍"}})
	d.compose(Draft{Chat: bob, Text: "not sent", ReplyTo: page[0].ID})

	n := handOver(t, d)
	n.want(bob, "bob: hello", "me: sent")
	if out, err := n.b.Outbox(); err != nil || len(out) != 0 {
		t.Error("it would be sent twice", err)
	}
	// what the old device has sent is not doubled, though nobody here can open it
	blind := mine(bob, o.OriginID, "")
	blind.Unreadable, blind.Source, blind.StanzaID = "not-for-us", Archive, "s-2"
	n.keep(n.b.Online(own, false))
	q, _ := n.b.NextQuery(own)
	n.keep(n.b.TakePage(q, []Incoming{blind}, Fin{First: "s-2", Last: "s-2", Complete: true}, n.now))
	n.want(bob, "bob: hello", "me: sent")
	next := n.compose(Draft{Chat: bob, Text: "from the new one"})
	n.keep(n.b.Sent(next.OriginID, n.now))
	n.want(bob, "bob: hello", "me: sent", "me: from the new one")
}

func TestAFileIsHandedOverWithoutItsPlaceOnTheOldDevice(t *testing.T) {
	d := online(t, own)
	in := from(bob, "1", "")
	in.File = &File{URL: "aesgcm://example.org/x#key", Name: "a.png", State: "here", Path: "/home/alice/a.png"}
	d.apply(in)
	page, _, _, err := handOver(t, d).b.Page(bob, "", 1)
	if err != nil || len(page) != 1 || page[0].File.State != "remote" || page[0].File.Path != "" || page[0].File.Name != "a.png" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestRowsThatAreNoHistoryAreNotTaken(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	var row Entry
	if err := d.b.Export(func(e Entry) error {
		if e.Line {
			row = e
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Entry{
		{Table: tableOutbox, Key: outboxKey(1), Value: []byte("{}")}, {Table: "client.profile", Key: "account", Value: []byte("{}")},
		{Table: "omemo.own", Key: "device"}, {Table: tableMeta, Key: "other"}, {Table: tableRows, Key: "x", Value: row.Value},
		{Table: tableRows, Key: rowKey(bob, order{waiting, 1}), Value: row.Value}, {Table: tableRows, Key: row.Key, Value: []byte("x")},
		{Table: tableWhere, Key: "m1", Value: []byte("x")}, {Table: tableMarks, Key: "s", Value: []byte("x")},
	} {
		if Import(&keep.Batch{}, []Entry{row, bad}) == nil {
			t.Errorf("%s %q is taken", bad.Table, bad.Key)
		}
	}
}

func TestAnImportThatWasBrokenOffIsWipedWholly(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	d.compose(Draft{Chat: bob, Text: "x"})
	b, err := Wipe(d.store)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.store.Apply(b); err != nil {
		t.Fatal(err)
	}
	d.restart()
	if list, err := d.b.Chats(); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	d.keep(d.b.Online(own, false))
	d.apply(from(bob, "2", "anew"))
	d.want(bob, "bob: anew")
}

// The other side's receipt may come before the server's acknowledgement: the line then
// stands where it was said, and not behind everything for good.
func TestALineWhoseReceiptComesFirstLeavesTheOutboxWithItsPlace(t *testing.T) {
	for _, kind := range []Kind{Receipt, Displayed} {
		d := online(t, own)
		o := d.compose(Draft{Chat: bob, Text: "question"})
		d.apply(from(bob, "r", "").as(kind, o.OriginID))
		d.keep(d.b.Sent(o.OriginID, d.now))
		d.apply(from(bob, "1", "answer"))
		d.want(bob, "me: question", "bob: answer")
		d.restart()
		d.want(bob, "me: question", "bob: answer")
	}
}
