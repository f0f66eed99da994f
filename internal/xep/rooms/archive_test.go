package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
)

// reads is what somebody may read: "" nothing, "some", "named" with the addresses that all saw,
// or "all" with all addresses.
func (w *world) reads(c *coretest.Client) string {
	w.T.Helper()
	q := &core.Query{Head: stanza.Head{From: c.Session.JID, To: jidOf(den)}, Session: c.Session}
	show, senders, err := w.rooms.Reads(q)
	switch {
	case err != nil:
		if condition := stanza.AsError(err).Condition; condition != stanza.Forbidden {
			w.T.Errorf("refused by %s", condition)
		}
		return ""
	case show == nil:
		return "some"
	}
	if got := string(show(&store.Row{Peer: "bob@example.org", Flags: archive.Named})); got != "<x xmlns='"+nsUser+"'><item jid='bob@example.org'/></x>" {
		w.T.Errorf("shown as %s", got)
	}
	if show(&store.Row{}) != nil {
		w.T.Error("the room itself is shown with an address")
	}
	if hidden := show(&store.Row{Peer: "bob@example.org"}); (hidden != nil) != senders {
		w.T.Errorf("senders: %v, and of what was said unseen %q", senders, hidden)
	}
	if senders {
		return "all"
	}
	return "named"
}

func TestTheArchiveIsForThoseWhoCouldEnter(t *testing.T) {
	for name, row := range map[string]struct {
		config                          []string
		owner, member, inside, stranger string
	}{
		"open":               {nil, "all", "some", "some", "some"},
		"non-anonymous":      {[]string{"whois=anyone"}, "all", "named", "named", "named"},
		"members-only":       {[]string{"membersonly=1"}, "all", "some", "", ""},
		"members who see":    {[]string{"membersonly=1", "whois=anyone"}, "all", "named", "", ""},
		"password-protected": {[]string{"passwordprotectedroom=1", "roomsecret=x"}, "all", "some", "some", ""},
	} {
		run(t, func(w *world) {
			a := w.open()
			inside, member, stranger := w.in("bob@example.org/b", den+"/bob"), w.Login("carol@example.org/c"), w.Login("dave@example.org/d")
			banned := w.Login("eve@example.org/e")
			a.Got()
			w.configure(a, row.config...)
			a.Send(admin("m", members("carol")+"<item jid='eve@example.org' affiliation='outcast'/>"))
			a.Got()
			for who, c := range map[string]struct {
				*coretest.Client
				want string
			}{"owner": {a, row.owner}, "member": {member, row.member}, "inside": {inside, row.inside}, "stranger": {stranger, row.stranger}, "banned": {banned, ""}} {
				if got := w.reads(c.Client); got != c.want {
					t.Errorf("%s room: %s reads %q, not %q", name, who, got, c.want)
				}
			}
		})
	}
}

func TestNoRoomHasNoArchive(t *testing.T) {
	run(t, func(w *world) {
		c := w.Login("alice@example.org/a")
		_, _, err := w.rooms.Reads(&core.Query{Head: stanza.Head{From: c.Session.JID, To: jidOf(den)}, Session: c.Session})
		if stanza.AsError(err).Condition != stanza.ItemNotFound {
			t.Error(err)
		}
	})
}

func TestARoomThatKeepsNothingOffersNoArchive(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		offered := func() bool {
			q := &core.Query{Head: stanza.Head{From: a.Session.JID, To: jidOf(den)}, Session: a.Session}
			got := string(w.rooms.describe(q))
			return strings.Contains(got, "var='urn:xmpp:mam:2'") && strings.Contains(got, "var='"+nsModerate+"'")
		}
		if !offered() {
			t.Error("the archive is not offered")
		}
		w.configure(a, "enablearchiving=0")
		if offered() {
			t.Error("an archive is offered where nothing is kept")
		}
	})
}

// What was said while the room hid addresses stays without them when it is opened.
func TestOpeningARoomTellsNothingOfWhatWasSaidBefore(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		said := func() (shown []string) {
			w.T.Helper()
			b.Send(say("m", "<body>x</body>"))
			b.Got()
			q := &core.Query{Head: stanza.Head{From: b.Session.JID, To: jidOf(den)}, Session: b.Session}
			show, _, err := w.rooms.Reads(q)
			rows, _, err2 := w.past.Page(t.Context(), store.Query{Owner: den, Limit: 10})
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			for _, row := range rows {
				if show == nil || show(&row) == nil {
					shown = append(shown, "hidden")
				} else {
					shown = append(shown, "shown")
				}
			}
			return shown
		}
		if got := strings.Join(said(), " "); got != "hidden" {
			t.Errorf("new: %s", got)
		}
		w.configure(a, "whois=anyone")
		if got := strings.Join(said(), " "); got != "hidden shown" {
			t.Errorf("opened: %s", got)
		}
		w.configure(a, "whois=moderators")
		if got := strings.Join(said(), " "); got != "hidden hidden hidden" {
			t.Errorf("closed: %s", got)
		}
		w.configure(a, "whois=anyone")
		if got := strings.Join(said(), " "); got != "hidden shown hidden shown" {
			t.Errorf("opened again: %s", got)
		}
	})
}
