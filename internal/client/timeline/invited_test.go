package timeline

import "testing"

// asked is an invitation that comes through the room, in one's own archive.
func asked(id string) Incoming {
	in := from(tea, id, "")
	in.Kind, in.Invite = Invite, &Invitation{Room: tea, By: bob}
	return in
}

func TestAnInvitationStandsBeforeWhatIsSaidInTheRoomThen(t *testing.T) {
	d := online(t, own)
	for _, id := range []string{"1", "2", "3"} { // one's own archive has more in it than the room's
		d.apply(from(bob, id, "hello"))
	}
	d.apply(asked("4"))
	d.keep(d.b.Online(tea, false))
	d.apply(inRoom("kim", "r1", "welcome"))
	d.apply(inRoom("kim", "r2", "tea at five"))
	want := []string{"tea: *invited", "kim: welcome", "kim: tea at five"}
	d.want(tea, want...)

	d.keep(d.b.Online(own, false)) // and stays there when the archive shows it again
	q, _ := d.b.NextQuery(own)
	known := Incoming{Envelope: Envelope{StanzaID: "s-4"}}
	d.keep(d.b.TakePage(q, []Incoming{from(bob, "3", "hello"), known, from(bob, "5", "hello")}, Fin{Complete: true}, d.now))
	d.want(tea, want...)

	d.apply(asked("6")) // once more, after having been removed
	d.want(tea, append(want, "tea: *invited")...)
}

func TestAnInvitationOfLongAgoDoesNotStandBehindWhatWasSaidSince(t *testing.T) {
	d := newDesk(t)
	d.keep(d.b.Online(tea, false))
	d.apply(inRoom("kim", "r1", "welcome"))
	d.keep(d.b.Online(own, false))
	q, ok := d.b.NextQuery(own)
	if !ok {
		t.Fatal("nothing is asked for")
	}
	old := asked("1")
	old.Time = epoch
	d.keep(d.b.TakePage(q, []Incoming{old}, Fin{Complete: true}, d.now))
	d.want(tea, "tea: *invited", "kim: welcome")
}
