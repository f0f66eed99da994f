package conformance

import (
	"context"
	"strings"
	"time"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsCarbons  = "urn:xmpp:carbons:2"
	nsBlocking = "urn:xmpp:blocking"
	nsMAM      = "urn:xmpp:mam:2"
)

// tryCards reads the own vCard, and compares the picture in it with the one in
// PEP. It writes neither: contacts would see it.
func (e *exam) tryCards(ctx context.Context) {
	card, err := e.a.get(ctx, "", "<vCard xmlns='vcard-temp'/>")
	switch {
	case err == nil && card.Child("vcard-temp", "vCard").First().OK():
		e.works("im.vcard", "your own was read")
	case err == nil, failedWith(err, "item-not-found"):
		e.works("im.vcard", "answered; you have none yet")
	default:
		e.broken("im.vcard", e.server.has("vcard-temp"), "reading your own", err)
	}
	e.tryPictures(ctx, card.Child("vcard-temp", "vCard"))
}

// tryBlocking blocks somebody who does not exist and takes that back.
// XEP-0191 §3
func (e *exam) tryBlocking(ctx context.Context) {
	const key = "im.blocking"
	announced := e.server.has(nsBlocking)
	list := "<blocklist xmlns='" + nsBlocking + "'/>"
	if _, err := e.a.get(ctx, "", list); err != nil {
		e.broken(key, announced, "reading the list", err)
		return
	}
	mark := 0
	if e.b != nil {
		_, _ = e.b.get(ctx, "", list) // interest in changes
		mark = e.b.mark()
	}
	who := e.token + "@conformance.invalid"
	item := "<item jid='" + who + "'/>"
	if _, err := e.a.set(ctx, "", "<block xmlns='"+nsBlocking+"'>"+item+"</block>"); err != nil {
		e.broken(key, announced, "blocking", err)
		return
	}
	blocked, _ := e.a.get(ctx, "", list)
	told := e.toldOfBlock(ctx, mark, who)
	_, err := e.a.set(ctx, "", "<unblock xmlns='"+nsBlocking+"'>"+item+"</unblock>")
	e.left("the block of "+who, err)
	after, _ := e.a.get(ctx, "", list)
	switch {
	case !strings.Contains(string(blocked.Raw()), who):
		e.missing(key, "taken, but the list does not show it")
	case err != nil || strings.Contains(string(after.Raw()), who):
		e.partly(key, "blocked, but it cannot be taken back")
	case !told:
		e.partly(key, "blocked, listed and taken back; the other device was not told")
	default:
		e.works(key, "blocked, listed, told to the other device, taken back")
	}
}

func (e *exam) toldOfBlock(ctx context.Context, mark int, who string) bool {
	if e.b == nil {
		return false
	}
	_, err := e.b.await(ctx, mark, func(x xtok.Elem) bool {
		return x.Child(nsBlocking, "block").Child(nsBlocking, "item").AttrIs("jid", who)
	})
	return err == nil
}

// tryCarbons has a third device listen to a message between the other two.
func (e *exam) tryCarbons(ctx context.Context) {
	const key = "im.carbons"
	announced := e.server.has(nsCarbons)
	c, err := e.another(ctx, "c")
	if err != nil || e.b == nil {
		e.unknown(key, "no further device can sign in")
		return
	}
	defer c.leave()
	e.appear(ctx, c)
	if _, err := c.set(ctx, "", "<enable xmlns='"+nsCarbons+"'/>"); err != nil {
		e.broken(key, announced, "turning them on", err)
		return
	}
	id := e.token + "-m2"
	mark := c.mark()
	_ = e.a.w.send("<message type='chat' id='" + id + "' to='" + esc(e.b.me.String()) + "'><body>" + idle + "</body><no-store xmlns='urn:xmpp:hints'/></message>")
	copied, err := c.await(ctx, mark, func(x xtok.Elem) bool {
		in := x.Child(nsCarbons, "sent")
		if !in.OK() {
			in = x.Child(nsCarbons, "received")
		}
		return in.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message").AttrIs("id", id)
	})
	switch {
	case err != nil:
		e.missing(key, "turned on, but no copy of a message between two other devices came")
	case domainOf(copied.Attr("from")) != e.account.Domain() || strings.Contains(copied.Attr("from"), "/"):
		e.partly(key, "a copy came, but not from the own account, so clients must ignore it")
	default:
		e.works(key, "a third device got a copy of a message between two others")
	}
}

// appear makes one more device available, as show does.
func (e *exam) appear(ctx context.Context, s *session) {
	to := ""
	if !e.shown {
		to = " to='" + esc(e.account.String()) + "'"
	}
	_ = s.w.send("<presence" + to + "><priority>-1</priority>" + ownCaps(s.features()) + "</presence>")
	_, _ = s.get(ctx, e.account.Domain(), "<query xmlns='"+nsInfo+"'/>") // it has arrived
}

// page asks an archive for the last page, with filters as pairs, and returns its
// messages. An empty address is the own account's.
// XEP-0313 §4
func (e *exam) page(ctx context.Context, archive string, filters ...string) (list []xtok.Elem, fin xtok.Elem, err error) {
	f := form.Form{Kind: form.Submit, Of: nsMAM}
	for i := 0; i < len(filters); i += 2 {
		f.Fields = append(f.Fields, form.Field{Var: filters[i], Values: filters[i+1 : i+2]})
	}
	mark := e.a.mark()
	answer, err := e.a.set(ctx, archive, "<query xmlns='"+nsMAM+"' queryid='"+e.token+"'>"+string(f.Append(nil))+
		"<set xmlns='http://jabber.org/protocol/rsm'><max>20</max><before/></set></query>")
	if err != nil {
		return nil, fin, err
	}
	for _, x := range e.a.since(mark) {
		if r := x.Child(nsMAM, "result"); r.AttrIs("queryid", e.token) {
			list = append(list, r)
		}
	}
	return list, answer.Child(nsMAM, "fin"), nil
}

// tries and pause are how often and how long one waits for an archive that
// writes a little later.
const (
	tries = 5
	pause = 400 * time.Millisecond
)

// archived looks for a message in an archive until it is there.
func (e *exam) archived(ctx context.Context, archive, body string, filters ...string) (found bool, n int, err error) {
	for range tries {
		list, fin, err := e.page(ctx, archive, filters...)
		if err != nil || !fin.OK() {
			return false, 0, err
		}
		for _, r := range list {
			if strings.Contains(string(r.Raw()), body) {
				return true, len(list), nil
			}
		}
		n = len(list)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false, n, ctx.Err()
		}
	}
	return false, n, nil
}

// tryArchive sends a message to the own account and looks it up.
func (e *exam) tryArchive(ctx context.Context) {
	const key = "im.history"
	announced := e.own.has(nsMAM) || e.server.has(nsMAM)
	body := idle + " (" + e.token + ")"
	to := e.account.String()
	if e.b != nil {
		to = e.b.me.String()
	}
	_ = e.a.w.send("<message type='chat' id='" + e.token + "-m3' to='" + esc(to) + "'><body>" + body + "</body><store xmlns='urn:xmpp:hints'/></message>")
	found, n, err := e.archived(ctx, "", e.token, "with", e.account.String())
	switch {
	case err != nil:
		e.broken(key, announced, "a query", err)
		e.missing("beyond.mam-extended", "no archive")
		e.missing("beyond.mam-prefs", "no archive")
		return
	case found && !announced:
		e.partly(key, "a message to yourself was found again, but the archive is not announced")
	case found:
		e.works(key, "a message to yourself was found again, on a page of %d", n)
	default:
		e.partly(key, "queries are answered, but a message to yourself was not kept")
	}
	e.tryArchiveMore(ctx)
}

// tryArchiveMore tests the extended part of XEP-0313, and XEP-0441.
func (e *exam) tryArchiveMore(ctx context.Context) {
	const key = "beyond.mam-extended"
	announced := e.own.has(nsMAM+"#extended") || e.server.has(nsMAM+"#extended")
	answer, err := e.a.get(ctx, "", "<metadata xmlns='"+nsMAM+"'/>")
	switch {
	case err != nil:
		e.broken(key, announced, "asking for the archive's bounds", err)
	case !answer.Child(nsMAM, "metadata").OK() || !announced:
		e.partly(key, "the archive's bounds are told, but it is not announced")
	default:
		e.works(key, "announced; the archive's bounds are told")
	}
	answer, err = e.a.get(ctx, "", "<prefs xmlns='"+nsMAM+"'/>")
	if err != nil {
		e.missing("beyond.mam-prefs", "asking for them %s", reason(err))
		return
	}
	e.works("beyond.mam-prefs", "told: %s", orDash(answer.Child(nsMAM, "prefs").Attr("default")))
}
