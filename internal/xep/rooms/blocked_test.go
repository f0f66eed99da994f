package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
)

// blocks lets carol, who is at c, block an address.
func (w *world) blocks(c *coretest.Client, address string) {
	blocked := jid.MustParse(address)
	w.Host.Blocked = func(owner, other jid.JID) bool {
		return owner == c.Session.JID.Bare() && (other == blocked || other.Bare() == blocked || other.DomainOnly() == blocked)
	}
	c.Session.SetFlag(core.Blocks, true)
}

func TestWhatABlockedOccupantDoesInARoomIsNotShown(t *testing.T) {
	for _, address := range []string{den + "/mallory", den, host} {
		t.Run(address, func(t *testing.T) {
			run(t, func(w *world) {
				a := w.open()
				c, m := w.in("carol@example.org/c", den+"/carol"), w.in("mallory@example.org/m", den+"/mallory")
				a.Got()
				c.Got()
				w.blocks(c, address)
				m.Send("<message type='groupchat' to='" + den + "'><body>words</body></message>")
				m.Send("<presence to='" + den + "/mallory'><status>words</status></presence>")
				m.Send("<presence type='unavailable' to='" + den + "'><status>words</status></presence>")
				silent(t, "carol", c.Got())
				expect(t, "alice", a.Got(), "<body>words", "<status>words", "type='unavailable'")
				w.again(m, den+"/mallory")
				m.Send("<message type='groupchat' to='" + den + "'><body>again</body></message>")
				silent(t, "carol", c.Got())
			})
		})
	}
}

func TestWhoEntersIsNotShownWhomHeHasBlocked(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		m := w.in("mallory@example.org/m", den+"/mallory")
		m.Send("<message type='groupchat' to='" + den + "'><body>words</body></message>")
		a.Send("<message type='groupchat' to='" + den + "'><body>hello</body></message>")
		c := w.Login("carol@example.org/c")
		w.blocks(c, den+"/mallory")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		got := c.Got()
		expect(t, "carol", got, "from='"+den+"/alice'", "<status code='110'/>", "<body>hello")
		if strings.Contains(got, "mallory") || strings.Contains(got, "words") {
			t.Error("carol was sent", got)
		}
	})
}

// Behind a nick there may be anybody: to hide a real address would tell whose it is.
func TestARealAddressThatIsBlockedHidesNobodyInARoom(t *testing.T) {
	run(t, func(w *world) {
		w.open()
		c, m := w.in("carol@example.org/c", den+"/carol"), w.in("mallory@example.org/m", den+"/mallory")
		c.Got()
		w.blocks(c, "mallory@example.org")
		m.Send("<message type='groupchat' to='" + den + "'><body>words</body></message>")
		expect(t, "carol", c.Got(), "from='"+den+"/mallory'", "<body>words")
		m.Send(whisper("1", "carol", "psst"))
		silent(t, "carol", c.Got())
	})
}

// It is not asked for those who have blocked nobody.
func TestBlocksAreAskedForOnlyWhereThereAreAny(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b, asked := w.in("bob@example.org/b", den+"/bob"), 0
		a.Got()
		w.Host.Blocked = func(jid.JID, jid.JID) bool { asked++; return false }
		b.Send("<message type='groupchat' to='" + den + "'><body>words</body></message>")
		expect(t, "alice", a.Got(), "words")
		if asked != 0 {
			t.Errorf("asked %d times", asked)
		}
	})
}
