package timeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

func TestACorrectionThatCameFirstStandsWhereItsArchiveHasIt(t *testing.T) {
	d := online(t, own)
	late := mine(bob, "3", "third").as(Edit, "1")
	late.StanzaID = "" // a bare carbon
	d.apply(late)
	d.keep(d.b.Online(own, false))
	q, ok := d.b.NextQuery(own)
	if !ok {
		t.Fatal("nothing is asked for")
	}
	page := []Incoming{mine(bob, "2", "second").as(Edit, "1"), mine(bob, "3", "third").as(Edit, "1")}
	d.keep(d.b.TakePage(q, page, Fin{}, d.now))
	q, _ = d.b.NextQuery(own)
	d.keep(d.b.TakePage(q, []Incoming{mine(bob, "1", "first")}, Fin{Complete: true}, d.now))
	d.want(bob, "me: third (edited)")
}

func TestWhatIsNotOpenedAgainTakesItsPlaceInTheArchive(t *testing.T) {
	d := online(t, own)
	bare := mine(bob, "2", "second")
	bare.StanzaID = ""
	d.apply(bare)
	d.keep(d.b.Online(own, false))
	q, _ := d.b.NextQuery(own)
	again := mine(bob, "2", "")
	again.Kind, again.Again = Nothing, true
	d.keep(d.b.TakePage(q, []Incoming{from(bob, "1", "first"), again, from(bob, "3", "third")}, Fin{Complete: true}, d.now))
	d.want(bob, "bob: first", "me: second", "bob: third")
}

func TestWhatIsKnownOfARoomTakesItsPlaceInTheRoomsArchive(t *testing.T) {
	d := online(t, tea)
	early := inRoom("kim", "2", "second")
	early.Source = Offline
	d.apply(early)
	d.keep(d.b.Online(tea, false))
	if known, err := d.b.Known(tea, "s-2"); !known || err != nil {
		t.Fatal(known, err)
	}
	q, _ := d.b.NextQuery(tea)
	known := Incoming{Envelope: Envelope{StanzaID: "s-2"}}
	d.keep(d.b.TakePage(q, []Incoming{inRoom("kim", "1", "first"), known, inRoom("lee", "3", "third")}, Fin{Complete: true}, d.now))
	d.want(tea, "kim: first", "kim: second", "lee: third")
	if known, _ := d.b.Known(own, "s-2"); known {
		t.Error("a room's id counts in one's own archive")
	}
}

func TestWhatProvesToBeNoLineGoesAway(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	for _, id := range []string{"2", "3", "4", "5"} {
		d.apply(blind(id))
	}
	d.want(bob, "bob: hello", "bob: (unreadable4)")
	shown := lastChat(t, d, bob).Last.ID
	events := d.apply(from(bob, "2", "").with("👋").as(React, "1"))
	if g, ok := events[0].(*port.MessageGone); !ok || g.Chat != bob || g.Message != shown {
		t.Errorf("%+v", events[0])
	}
	d.want(bob, "bob: hello 👋1", "bob: (unreadable3)")
	empty := from(bob, "4", "")
	empty.Kind = Nothing
	if events = d.apply(empty); len(messages(events)) != 1 {
		t.Errorf("%+v", events)
	}
	d.apply(from(bob, "5", "hello there").as(Edit, "1"))
	d.want(bob, "bob: hello there (edited) 👋1", "bob: (unreadable)")
	if c := lastChat(t, d, bob); c.Unread != 2 {
		t.Errorf("%d unread", c.Unread)
	}
	d.apply(from(bob, "5", "hello there").as(Edit, "1"))
	d.restart()
	d.want(bob, "bob: hello there (edited) 👋1", "bob: (unreadable)")
}

func TestARetractionThatIsRefusedSaysSo(t *testing.T) {
	for _, acknowledged := range []bool{false, true} {
		d := online(t, own)
		o := d.compose(Draft{Chat: bob, Text: "oops"})
		d.keep(d.b.Sent(o.OriginID, d.now))
		back := d.compose(Draft{Chat: bob, Retracts: o.Message})
		if acknowledged {
			d.keep(d.b.Sent(back.OriginID, d.now))
		}
		d.apply(Incoming{Envelope: Envelope{Chat: bob, Sender: bob, Real: bob, Refused: "not allowed"}, Kind: Refusal, Ref: back.OriginID})
		m, _, _ := d.b.Message(o.Message)
		if !m.Retracted || m.Text != "" || m.Delivery != port.Failed || m.Failure != "not allowed" {
			t.Fatalf("%+v", m)
		}
		again, c, err := d.b.Retry(o.Message, d.now)
		d.keep(c, err)
		if again.Kind != Retract || again.Ref != o.OriginID || again.Hold {
			t.Fatalf("%+v", again)
		}
		d.keep(d.b.Sent(again.OriginID, d.now))
		if m, _, _ := d.b.Message(o.Message); m.Delivery != port.Sent || m.Failure != "" {
			t.Fatalf("%+v", m)
		}
	}
}

func TestACorrectionThatIsNotOpenedAgainIsNotLost(t *testing.T) {
	d := online(t, own)
	third := mine(bob, "3", "third").as(Edit, "1")
	third.StanzaID = "" // a bare carbon
	d.apply(third)
	d.keep(d.b.Online(own, false))
	q, _ := d.b.NextQuery(own)
	again := mine(bob, "3", "")
	again.Kind, again.Again = Nothing, true
	page := []Incoming{mine(bob, "1", "first"), mine(bob, "2", "second").as(Edit, "1"), again}
	d.keep(d.b.TakePage(q, page, Fin{Complete: true}, d.now))
	d.want(bob, "me: third (edited)")
	d.apply(mine(bob, "4", "").as(Retract, "1"))
	d.want(bob, "me: (gone)")
}

func TestAnEditThatFailsGivesWayToOneOfAnotherDevice(t *testing.T) {
	d := online(t, own)
	o := d.compose(Draft{Chat: bob, Text: "first"})
	d.keep(d.b.Sent(o.OriginID, d.now))
	fails := d.compose(Draft{Chat: bob, Text: "second", Corrects: o.Message})
	d.apply(mine(bob, "3", "third").as(Edit, o.OriginID))
	d.want(bob, "me: second (edited)")
	d.keep(d.b.Failed(fails.OriginID, "no", d.now))
	d.want(bob, "me: third (edited)")
}

func TestWhatWasOvertakenBeforeAStreamEndedIsNotMissed(t *testing.T) {
	d := online(t, own)
	for i := range 100 {
		d.apply(from(bob, fmt.Sprint(i), fmt.Sprint("line ", i)))
	}
	d.apply(from(bob, "101", "overtook")) // and then the connection broke
	d.keep(d.b.Online(own, false))
	var missed []string
	for q, ok := d.b.NextQuery(own); ok && !q.Backward; q, ok = d.b.NextQuery(own) {
		var page []Incoming
		after, _ := strconv.Atoi(strings.TrimPrefix(q.After, "s-"))
		if after > 99 || after < 30 {
			t.Fatalf("it is asked from %q on", q.After)
		}
		for i := after + 1; i <= 102; i++ {
			in := from(bob, fmt.Sprint(i), fmt.Sprint("line ", i))
			known, err := d.b.Known(own, in.StanzaID)
			if err != nil {
				t.Fatal(err)
			}
			if known { // as the engine does
				in = Incoming{Envelope: Envelope{StanzaID: in.StanzaID}}
			} else {
				missed = append(missed, in.ID)
			}
			in.Time = d.now
			page = append(page, in)
		}
		d.keep(d.b.TakePage(q, page, Fin{Complete: true}, d.now))
	}
	if !slices.Equal(missed, []string{"100", "102"}) {
		t.Errorf("new were %q", missed)
	}
	lines := d.lines(bob)
	if got := lines[len(lines)-4:]; !slices.Equal(got, []string{"bob: line 99", "bob: line 100", "bob: overtook", "bob: line 102"}) {
		t.Errorf("the chat ends with %q", got)
	}
}

func TestWhatWasOvertakenWhileCatchingUpIsNotMissed(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "one"))
	d.keep(d.b.Online(own, false))
	q, _ := d.b.NextQuery(own)
	d.apply(from(bob, "4", "four")) // it has overtaken the third, which is said after the answer
	two := from(bob, "2", "two")
	two.Time = d.now
	d.keep(d.b.TakePage(q, []Incoming{two}, Fin{Last: "s-2", Complete: true}, d.now))
	d.keep(d.b.Online(own, false)) // and the connection broke
	if q, ok := d.b.NextQuery(own); !ok || q.After != "s-1" && q.After != "s-2" {
		t.Errorf("%+v", q)
	}
}
