package conformance

import (
	"context"
	"strings"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsMUC      = "http://jabber.org/protocol/muc"
	nsMUCUser  = nsMUC + "#user"
	nsMUCOwner = nsMUC + "#owner"
)

// tryRooms makes a room, uses and destroys it.
func (e *exam) tryRooms(ctx context.Context) {
	const key, more = "im.muc", "im.muc-advanced"
	at := e.service(func(i *info) bool { return i.is("conference", "text") && i.has(nsMUC) })
	if at == nil {
		e.missing(key, "no group chat service among the server's items")
		e.missing(more, "no group chat service")
		e.report.row(more).Remedy = "" // im.muc's says what comes first
		return
	}
	room := e.token + "@" + at.jid
	me := room + "/tester"
	if err := e.join(ctx, room, me); err != nil {
		e.missing(key, "%s; making a room %s", at.jid, reason(err))
		e.missing(more, "no room could be made")
		return
	}
	defer func() {
		_, err := e.a.set(ctx, room, "<query xmlns='"+nsMUCOwner+"'><destroy/></query>")
		e.left("the room "+room, err)
	}()
	if err := e.configure(ctx, room); err != nil {
		e.partly(key, "%s; setting up a room %s", at.jid, reason(err))
	} else if err := e.talk(ctx, room); err != nil {
		e.partly(key, "%s; a room was made, but a message in it %s", at.jid, reason(err))
	} else {
		e.works(key, "%s: a room made, set up, spoken in, destroyed", at.jid)
	}
	e.tryRoomsMore(ctx, room, me)
}

// XEP-0045 §7.2
func (e *exam) join(ctx context.Context, room, me string) error {
	mark := e.a.mark()
	if err := e.a.w.send("<presence to='" + esc(me) + "'><x xmlns='" + nsMUC + "'><history maxstanzas='0'/></x></presence>"); err != nil {
		return err
	}
	x, err := e.a.await(ctx, mark, func(x xtok.Elem) bool {
		return x.Is(stanza.NSClient, "presence") && strings.HasPrefix(x.Attr("from"), room) && (x.AttrIs("type", "error") || selfPresence(x))
	})
	if err == nil && x.AttrIs("type", "error") {
		return readError(x)
	}
	return err
}

func selfPresence(x xtok.Elem) bool {
	for c := range x.Child(nsMUCUser, "x").Children() {
		if c.Is(nsMUCUser, "status") && c.AttrIs("code", "110") {
			return true
		}
	}
	return false
}

// configure unlocks the room, with its archive on where that is an option.
// XEP-0045 §10.1
func (e *exam) configure(ctx context.Context, room string) error {
	answer, err := e.a.get(ctx, room, "<query xmlns='"+nsMUCOwner+"'/>")
	if err != nil {
		return err
	}
	submit := form.Form{Kind: form.Submit, Of: nsMUC + "#roomconfig"}
	if asked, err := form.Read(answer.Child(nsMUCOwner, "query").Child(form.NS, "x")); err == nil {
		for _, name := range []string{"mam", "muc#roomconfig_enablearchiving", "muc#roomconfig_enablelogging"} {
			if asked.Field(name) != nil {
				submit.Fields = append(submit.Fields, form.Field{Var: name, Values: []string{"1"}})
				break
			}
		}
	}
	_, err = e.a.set(ctx, room, "<query xmlns='"+nsMUCOwner+"'>"+string(submit.Append(nil))+"</query>")
	return err
}

func (e *exam) talk(ctx context.Context, room string) error {
	mark := e.a.mark()
	id := e.token + "-m5"
	_ = e.a.w.send("<message type='groupchat' id='" + id + "' to='" + esc(room) + "'><body>" + e.token + "</body></message>")
	_, err := e.a.await(ctx, mark, func(x xtok.Elem) bool {
		return x.AttrIs("type", "groupchat") && x.AttrIs("id", id)
	})
	return err
}

// tryRoomsMore tests the advanced part.
func (e *exam) tryRoomsMore(ctx context.Context, room, me string) {
	var good, bad []string
	note := func(what, fault string) {
		if fault == "" {
			good = append(good, what)
		} else {
			bad = append(bad, fault)
		}
	}
	note("a message found in the room's archive", e.roomArchive(ctx, room))
	note("self-ping", e.selfPing(ctx, room, me))
	note("one list of bookmarks", e.tryBookmark(ctx))
	switch {
	case len(bad) == 0:
		e.works("im.muc-advanced", "%s", strings.Join(good, ", "))
	case len(good) == 0:
		e.missing("im.muc-advanced", "%s", strings.Join(bad, "; "))
	default:
		e.partly("im.muc-advanced", "%s; but %s", strings.Join(good, ", "), strings.Join(bad, "; "))
	}
}

func (e *exam) roomArchive(ctx context.Context, room string) string {
	found, _, err := e.archived(ctx, room, e.token+"-m5")
	if !found && err == nil {
		found, _, err = e.archived(ctx, room, e.token+"</body>")
	}
	switch {
	case err != nil:
		return "a query of the room's archive " + reason(err)
	case !found:
		return "the room's archive does not keep a message"
	}
	return ""
}

// selfPing pings the own place in a room, while there and after leaving.
// XEP-0410 §3
func (e *exam) selfPing(ctx context.Context, room, me string) string {
	ping := "<ping xmlns='urn:xmpp:ping'/>"
	if _, err := e.a.get(ctx, me, ping); err != nil {
		return "pinging oneself in a room " + reason(err)
	}
	if e.b == nil {
		return ""
	}
	if _, err := e.b.get(ctx, me, ping); !failedWith(err, "not-acceptable") {
		return "who is not in a room is not told so by not-acceptable"
	}
	return ""
}
