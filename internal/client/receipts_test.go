package client

import (
	"fmt"
	"testing"
)

func (d *desk) roster(who, rest string) {
	d.gets("<iq type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='" + who + "' " + rest + "/></query></iq>")
}

func asking(who string, n int) string {
	return fmt.Sprintf("<message type='chat' from='%s/x' id='i%d'><body>hello %d</body><request xmlns='%s'/></message>", who, n, n, nsReceipts)
}

func TestAReceiptWaitsUntilBothAreContacts(t *testing.T) {
	for name, step := range map[string]func(d *desk){
		"we have asked":   func(d *desk) { d.roster(bob, "subscription='none' ask='subscribe'") },
		"we hear of them": func(d *desk) { d.roster(bob, "subscription='to'") },
		"they have asked": func(d *desk) { d.gets("<presence type='subscribe' from='" + bob + "'/>") },
	} {
		bubble(t, func(t *testing.T, d *desk) {
			step(d)
			d.gets(asking(bob, 1), asking(bob, 2), asking(bob, 2))
			if got := d.take(nsReceipts); len(got) != 0 {
				t.Errorf("%s: they hear %q", name, got)
			}
			d.stop()
			d.start()
			d.up(false)
			d.take("")
			d.roster(bob, "subscription='both'")
			got := d.take("<received xmlns='" + nsReceipts)
			if len(got) != 2 || parse(t, got[0]).Child(nsReceipts, "received").Attr("id") != "i1" || parse(t, got[1]).Child(nsReceipts, "received").Attr("id") != "i2" {
				t.Errorf("%s: they hear %q", name, got)
			}
			d.roster(bob, "subscription='both' name='Bob'")
			d.gets(asking(bob, 3))
			if got := d.take("<received xmlns='" + nsReceipts); len(got) != 1 {
				t.Errorf("%s: then they hear %q", name, got)
			}
		})
	}
}

func TestStrangersAreOwedNoReceipts(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets(asking(eve, 1))
		d.roster(bob, "subscription='to'")
		for n := range 3 * mostOwed {
			d.gets(asking(bob, n))
		}
		d.roster(eve, "subscription='both'")
		if got := d.take("<received xmlns='" + nsReceipts); len(got) != 0 {
			t.Errorf("a stranger hears %q", got)
		}
		d.roster(bob, "subscription='both'")
		if got := d.take("<received xmlns='" + nsReceipts); len(got) != mostOwed {
			t.Errorf("%d receipts", len(got))
		}
	})
}
