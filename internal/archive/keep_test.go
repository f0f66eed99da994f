package archive_test

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// TestWhoKeepsWhat walks the table of rules: what is sent, with its type, and
// whether both sides' archives have it.
func TestWhoKeepsWhat(t *testing.T) {
	const (
		body    = "<body>hi</body>"
		noStore = "<no-store xmlns='urn:xmpp:hints'/>"
		store   = "<store xmlns='urn:xmpp:hints'/>"
		typing  = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
		receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>"
		marker  = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
		omemo   = "<encrypted xmlns='eu.siacs.conversations.axolotl'/>"
	)
	for _, c := range []struct {
		kind, content string
		kept          bool
	}{
		{"chat", body, true},
		{"normal", body, true},
		{"", body, true},
		{"chat", omemo, true},
		{"chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", true},
		{"error", body, false},
		{"error", store + body, false},
		{"headline", body, false},
		{"chat", body + noStore, false},
		{"chat", body + noStore + store, false},
		{"chat", body + "<no-permanent-store xmlns='urn:xmpp:hints'/>", false},
		{"chat", typing, false},
		{"chat", typing + store, true},
		{"chat", typing + body, true},
		{"chat", receipt, true},
		{"normal", receipt, true},
		{"chat", marker, true},
		{"chat", "<request xmlns='urn:xmpp:receipts'/>", false},
		{"chat", "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>", true},
		{"chat", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>", true},
		{"chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", true},
		{"normal", "<x xmlns='jabber:x:conference' jid='room@example.org'/>", true},
		{"normal", "<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>", true},
		{"normal", "<subject>Tea</subject>", true},
		{"chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", true},
		{"chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>" + noStore, true},
		{"chat", "<body></body>", false},
		{"chat", "", false},
	} {
		free(t, archive.Config{}, func(b *bench) {
			b.Login("bob@example.org/b")
			alice := b.Login("alice@example.org/a")
			alice.Send("<message to='bob@example.org/b' type='" + c.kind + "'>" + c.content + "</message>")
			alice.Got()
			for _, owner := range []string{"alice@example.org", "bob@example.org"} {
				if n := b.count(owner); n == 1 != c.kept {
					b.T.Errorf("%q %s: %s keeps %d", c.kind, c.content, owner, n)
				}
			}
		})
	}
}

func (b *bench) count(owner string) int {
	n, err := b.Count(b.T.Context(), store.Query{Owner: owner})
	if err != nil {
		b.T.Fatal(err)
	}
	return n
}

func (b *bench) rows(owner string) []store.Row {
	rows, _, err := b.Page(b.T.Context(), store.Query{Owner: owner, Limit: 100})
	if err != nil {
		b.T.Fatal(err)
	}
	return rows
}

func TestEachSideSeesTheOtherAsItsPeer(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		alice := b.Login("alice@example.org/a")
		alice.Send(chat("1", "x"))
		alice.Got()
		a, z := b.rows("alice@example.org"), b.rows("bob@example.org")
		if len(a) != 1 || a[0].Peer != "bob@example.org" || a[0].Flags != archive.Outgoing {
			t.Errorf("alice has %+v", a)
		}
		if len(z) != 1 || z[0].Peer != "alice@example.org" || z[0].Flags != archive.Incoming|archive.Offline {
			t.Errorf("bob has %+v", z)
		}
		if !strings.Contains(string(z[0].Body), "from='alice@example.org/a' to='bob@example.org'") || strings.Contains(string(z[0].Body), "stanza-id") {
			t.Errorf("archived as %s", z[0].Body)
		}
	})
}

func TestAMessageToOneselfIsKeptOnce(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		alice := b.Login("alice@example.org/a")
		alice.Send("<message to='alice@example.org' type='chat'><body>note</body></message>")
		alice.Got()
		if rows := b.rows("alice@example.org"); len(rows) != 1 || rows[0].Peer != "alice@example.org" {
			t.Errorf("alice has %+v", rows)
		}
	})
}

func isContact(owner, peer jid.JID) bool { return owner == alice && peer == bob }

func TestPreferencesDecideForTheirOwnerOnly(t *testing.T) {
	bob, carol := jid.MustParse("bob@example.org"), jid.MustParse("carol@example.org")
	phone := jid.MustParse("bob@example.org/phone")
	for name, c := range map[string]struct {
		prefs archive.Prefs
		kept  bool // alice's message to bob, in alice's archive
	}{
		"always":                          {archive.Prefs{Default: archive.Always}, true},
		"never":                           {archive.Prefs{Default: archive.Never}, false},
		"never, but bob":                  {archive.Prefs{Default: archive.Never, Always: []jid.JID{bob}}, true},
		"never, but carol":                {archive.Prefs{Default: archive.Never, Always: []jid.JID{carol}}, false},
		"never, but a resource of bob's":  {archive.Prefs{Default: archive.Never, Always: []jid.JID{phone}}, false},
		"always, not bob":                 {archive.Prefs{Default: archive.Always, Never: []jid.JID{bob}}, false},
		"always, not a resource of bob's": {archive.Prefs{Default: archive.Always, Never: []jid.JID{phone}}, true},
		"in both lists":                   {archive.Prefs{Default: archive.Always, Always: []jid.JID{bob}, Never: []jid.JID{bob}}, false},
		"contacts, and bob is one":        {archive.Prefs{Default: archive.Roster}, true},
	} {
		free(t, archive.Config{Contact: isContact}, func(b *bench) {
			if err := b.SetPrefs(b.T.Context(), alice, c.prefs); err != nil {
				t.Fatal(err)
			}
			a := b.Login("alice@example.org/a")
			a.Send(chat("1", "x"))
			a.Got()
			if got := b.count("alice@example.org") == 1; got != c.kept {
				t.Errorf("%s: kept %v", name, got)
			}
			if b.count("bob@example.org") != 1 {
				t.Errorf("%s: bob's archive follows alice's preferences", name)
			}
		})
	}
}

func TestStrangersAreNotKeptByWhoKeepsContactsOnly(t *testing.T) {
	free(t, archive.Config{Contact: isContact}, func(b *bench) {
		if err := b.SetPrefs(b.T.Context(), bob, archive.Prefs{Default: archive.Roster}); err != nil {
			t.Fatal(err)
		}
		a := b.Login("alice@example.org/a")
		a.Send(chat("1", "x"))
		a.Got()
		if n := b.count("bob@example.org"); n != 0 {
			t.Errorf("bob keeps %d messages of strangers", n)
		}
	})
}

func TestPreferencesOutliveARestart(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		want := archive.Prefs{Default: archive.Never, Always: []jid.JID{bob}}
		if err := b.SetPrefs(b.T.Context(), alice, want); err != nil {
			t.Fatal(err)
		}
		again := open(b.T, b.store, undeclared{b.store}, archive.Config{})
		defer again.Close()
		if got := again.Prefs(alice); got.Default != archive.Never || len(got.Always) != 1 || got.Always[0] != bob {
			t.Errorf("after a restart %+v", got)
		}
		if got := again.Prefs(bob); got.Default != archive.Always {
			t.Errorf("bob, who set nothing, has %+v", got)
		}
	})
}

// undeclared lets spaces be declared a second time, as a new process would.
type undeclared struct{ store.KV }

func (u undeclared) Declare(s store.Space) *store.Bucket { return store.NewBucket(u.KV, s) }

func TestIdsAreOpaqueStableAndChecked(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		one, two := b.StanzaID(1), b.StanzaID(2)
		if one == two || len(one) != 22 || one[:8] == two[:8] {
			t.Errorf("ids %q and %q", one, two)
		}
		again := open(b.T, b.store, undeclared{b.store}, archive.Config{})
		defer again.Close()
		if seq, ok := again.ParseStanzaID(two); !ok || seq != 2 {
			t.Errorf("after a restart %q is %d, %v", two, seq, ok)
		}
		for _, forged := range []string{"", "1", strings.Repeat("A", 22), one + "A", one[:21], one[:21] + "!", strings.ToUpper(one)} {
			if seq, ok := b.ParseStanzaID(forged); ok {
				t.Errorf("%q was taken for %d", forged, seq)
			}
		}
	})
}

// sweepIn sweeps as if it were later.
func (b *bench) sweepIn(d time.Duration) {
	if _, err := b.Sweep(b.T.Context(), time.Now().Add(d)); err != nil {
		b.T.Fatal(err)
	}
}

func TestOldMessagesGo(t *testing.T) {
	free(t, archive.Config{Keep: archive.Keep{Days: 2}}, func(b *bench) {
		a := b.Login("alice@example.org/a")
		a.Send(chat("1", "old"))
		a.Got()
		b.sweepIn(36 * time.Hour)
		time.Sleep(time.Hour)
		a.Send(chat("2", "new"))
		a.Got()
		b.sweepIn(47*time.Hour + time.Minute)
		if rows := b.rows("bob@example.org"); len(rows) != 1 || bodies(string(rows[0].Body)) != "new" {
			t.Errorf("left: %d", len(rows))
		}
	})
}

func TestDeliveredMessagesGoAfterAWeekAndOthersStay(t *testing.T) {
	free(t, archive.Config{Keep: archive.Keep{Delivered: true}}, func(b *bench) {
		a := b.Login("alice@example.org/a")
		a.Send(chat("1", "delivered"))
		a.Send(chat("2", "not yet"))
		a.Got()
		b.Cursors().Move(bob, b.rows("bob@example.org")[0].Seq)
		b.sweepIn(0)
		b.sweepIn(6 * 24 * time.Hour)
		if n := b.count("bob@example.org"); n != 2 {
			t.Errorf("before the time of grace %d are left", n)
		}
		b.sweepIn(8 * 24 * time.Hour)
		if rows := b.rows("bob@example.org"); len(rows) != 1 || bodies(string(rows[0].Body)) != "not yet" {
			t.Errorf("left: %+v", rows)
		}
		if n := b.count("alice@example.org"); n != 1 {
			t.Errorf("alice has %d", n)
		}
	})
}

func TestCursorsOutliveARestartAndNeverGoBack(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		b.Cursors().Move(bob, 7)
		b.Cursors().Move(bob, 5)
		time.Sleep(2 * time.Second)
		again := open(b.T, b.store, undeclared{b.store}, archive.Config{})
		defer again.Close()
		if at := again.Cursors().At(bob); at != 7 {
			t.Errorf("after a restart at %d, want 7", at)
		}
	})
}

func TestARemovedAccountLeavesNothing(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		a := b.Login("alice@example.org/a")
		a.Send(chat("1", "x"))
		a.Got()
		b.Cursors().Move(bob, 1)
		for _, f := range b.Host.AccountGone {
			f(bob)
		}
		if b.count("bob@example.org") != 0 || b.Cursors().At(bob) != 0 || b.count("alice@example.org") != 1 {
			t.Error("something of bob is left, or alice lost hers")
		}
	})
}

func TestABlockedSendersTextIsNotKeptForTheOneWhoBlocked(t *testing.T) {
	free(t, archive.Config{}, func(b *bench) {
		b.Host.Blocked = func(owner, other jid.JID) bool {
			return owner.Local() == "bob" && other.Local() == "alice"
		}
		alice := b.Login("alice@example.org/a")
		alice.Send(chat("1", "hi"))
		alice.Got()
		if n := b.count("bob@example.org"); n != 0 {
			b.T.Errorf("bob keeps %d", n)
		}
	})
}
