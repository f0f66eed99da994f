package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
)

// reads is what somebody may read: "" nothing, "some", or "all" with addresses.
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
	case !senders:
		return "some"
	}
	if got := string(show(&store.Row{Peer: "bob@example.org"})); got != "<x xmlns='"+nsUser+"'><item jid='bob@example.org'/></x>" {
		w.T.Errorf("shown as %s", got)
	}
	if show(&store.Row{}) != nil {
		w.T.Error("the room itself is shown with an address")
	}
	return "all"
}

func TestTheArchiveIsForThoseWhoCouldEnter(t *testing.T) {
	for name, row := range map[string]struct {
		config                          []string
		owner, member, inside, stranger string
	}{
		"open":               {nil, "all", "some", "some", "some"},
		"non-anonymous":      {[]string{"whois=anyone"}, "all", "all", "all", "all"},
		"members-only":       {[]string{"membersonly=1"}, "all", "some", "", ""},
		"members who see":    {[]string{"membersonly=1", "whois=anyone"}, "all", "all", "", ""},
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
