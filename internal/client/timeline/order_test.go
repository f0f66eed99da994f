package timeline

import "testing"

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
