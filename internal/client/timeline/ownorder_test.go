package timeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// said is one's own archive as the server has it; what comes live of it is applied, and a
// reader asks it as the engine does.
type said []Incoming

// catchUp reads what is missing.
func (a said) catchUp(t *testing.T, d *desk) {
	t.Helper()
	d.keep(d.b.Online(own, false))
	for q, ok := d.b.NextQuery(own); ok && !q.Backward; q, ok = d.b.NextQuery(own) {
		at := slices.IndexFunc(a, func(in Incoming) bool { return in.StanzaID == q.After })
		var page []Incoming
		for _, in := range a[at+1:] {
			known, err := d.b.Known(own, in.StanzaID)
			if err != nil {
				t.Fatal(err)
			}
			if known {
				in = Incoming{Envelope: Envelope{StanzaID: in.StanzaID}}
			}
			in.Time = d.now
			page = append(page, in)
		}
		d.keep(d.b.TakePage(q, page, Fin{Complete: true}, d.now))
	}
}

// order is what a conversation shows, in as many words.
func (d *desk) order(t *testing.T, want []string) {
	t.Helper()
	var got []string
	for _, line := range d.lines(bob) {
		_, text, _ := strings.Cut(line, ": ")
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the lines are\n%q, not\n%q", got, want)
	}
}

// back is one's own message as its archive has it.
func back(o Outgoing, id string) Incoming {
	in := mine(bob, o.OriginID, o.Text)
	in.StanzaID = id
	return in
}

func TestOnesOwnMessagesStandInTheirOrderAfterAKill(t *testing.T) {
	for _, confirmed := range []string{"both", "the first", "none"} {
		for _, fresh := range []bool{false, true} {
			d := online(t, own)
			first := from(bob, "0", "x0")
			d.apply(first)
			archive, want := said{first}, []string{"x0"}
			if fresh { // they were written before this stream began
				d.keep(d.b.Online(own, false))
			}
			four, five := d.compose(Draft{Chat: bob, Text: "four"}), d.compose(Draft{Chat: bob, Text: "five"})
			if fresh {
				archive.catchUp(t, d)
			}
			archive, want = append(archive, back(four, "s-four")), append(want, "four")
			for i := 1; i <= 80; i++ { // the other side is quick, and what the server has is told late
				in := from(bob, fmt.Sprint(i), fmt.Sprint("x", i))
				d.apply(in)
				archive, want = append(archive, in), append(want, in.Text)
			}
			archive, want = append(archive, back(five, "s-five")), append(want, "five")
			if confirmed != "none" {
				d.keep(d.b.Sent(four.OriginID, d.now))
			}
			if confirmed == "both" {
				d.keep(d.b.Sent(five.OriginID, d.now))
			}
			d.restart()
			archive.catchUp(t, d)
			d.order(t, want)
			if len(d.b.outbox) != 0 {
				t.Errorf("%d wait", len(d.b.outbox))
			}
		}
	}
}

func TestALongSessionIsNotReadAgainAsAWhole(t *testing.T) {
	d := online(t, own)
	for i := range 1000 {
		d.apply(from(bob, fmt.Sprint(i), fmt.Sprint("x", i)))
		o := d.compose(Draft{Chat: bob, Text: fmt.Sprint("y", i)})
		d.keep(d.b.Sent(o.OriginID, d.now))
	}
	d.keep(d.b.Online(own, false))
	q, ok := d.b.NextQuery(own)
	var after int
	fmt.Sscanf(q.After, "s-%d", &after)
	if !ok || after < 900 {
		t.Errorf("%+v", q)
	}
}

func TestWhatWasSwappedOnItsWayStandsInTheArchivesOrderOnceThatIsAsked(t *testing.T) {
	d := online(t, own)
	var archive said
	var want []string
	for i := range 40 {
		in := from(bob, fmt.Sprint(i), fmt.Sprint("x", i))
		if i%7 == 3 { // somebody else's in between
			in = from("carol@example.org", fmt.Sprint("c", i), "hello")
		} else {
			want = append(want, in.Text)
		}
		archive = append(archive, in)
	}
	came := slices.Clone(archive)
	for i := 5; i+4 < len(came); i += 5 {
		came[i], came[i+3] = came[i+3], came[i]
		came[i+1], came[i+2] = came[i+2], came[i+1]
	}
	for _, in := range came[:len(came)-2] {
		d.apply(in)
	}
	archive.catchUp(t, d)
	d.order(t, want)
	d.restart()
	d.order(t, want)
	archive.catchUp(t, d)
	d.order(t, want)
	for i := range archive { // each is still found where it stands
		m, found, err := d.b.mark(archiveKey(own, archive[i].StanzaID))
		r, rowErr := d.b.row(m.Row)
		if !found || err != nil || rowErr != nil || r == nil || r.at != m.At || r.Text != archive[i].Text {
			t.Errorf("%d: %+v, %+v", i, m, r)
		}
	}
}
