package lastactivity

import (
	"context"
	"errors"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const nsPrivacy = "urn:mirsal:privacy:0"

// Who may know when an account was last online.
const (
	everyone = "everyone"
	contacts = "contacts" // those who see its presence; what holds when nothing was chosen
	nobody   = "nobody"
)

// seenKey is both the key of the setting and the name of its element.
const seenKey = "last-seen"

// who is an account's choice.
func (l *Last) who(ctx context.Context, owner jid.JID) (string, error) {
	item, err := l.privacy.Get(ctx, owner.String(), seenKey)
	if errors.Is(err, store.ErrNotFound) {
		return contacts, nil
	}
	return string(item.Value), err
}

// allow tells why an asker may not know. A contact hears that it is kept from
// him, here or away alike; to anybody else the account is not there.
// XEP-0012#security, RFC 6121 §8.5.1
func (l *Last) allow(ctx context.Context, owner, asker jid.JID) error {
	if owner == asker {
		return nil
	}
	who, err := l.who(ctx, owner)
	if err != nil {
		return err
	}
	contact := l.people.Subscribed(owner, asker)
	switch {
	case who == everyone, who == contacts && contact:
		return nil
	case contact:
		return stanza.Errorf(stanza.Forbidden, "this account tells nobody when it was last online")
	}
	return stanza.Errorf(stanza.ServiceUnavailable, "")
}

// setting reads or changes one's own choice.
func (l *Last) setting(q *core.Query) ([]byte, error) {
	if !q.Own() {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	if q.Set() {
		return nil, l.choose(q)
	}
	who, err := l.who(q.Ctx, q.Asker())
	if err != nil {
		return nil, err
	}
	return []byte("<privacy xmlns='" + nsPrivacy + "'><" + seenKey + ">" + who + "</" + seenKey + "></privacy>"), nil
}

// choose changes the choice. Who chooses nobody has what was kept removed.
func (l *Last) choose(q *core.Query) error {
	e := q.Payload.First()
	if !e.Is(nsPrivacy, seenKey) || e.Next().OK() {
		return stanza.Errorf(stanza.BadRequest, "there is one thing to choose: <last-seen/>")
	}
	who := e.Text()
	if who != everyone && who != contacts && who != nobody {
		return stanza.Errorf(stanza.NotAcceptable, "those who may know are everyone, contacts or nobody")
	}
	owner := q.Asker()
	l.writing.Lock()
	defer l.writing.Unlock()
	ops := []store.Op{l.privacy.Set(seenKey, []byte(who))}
	if who == nobody {
		ops = append(ops, l.seen.Unset(lastKey), l.here.Unset(hereKey))
	}
	if err := l.kv.Apply(q.Ctx, owner.String(), ops...); err != nil {
		return err
	}
	if who == nobody {
		delete(l.marked, owner)
	} else if l.online(owner) {
		l.note(owner, change{here: true})
	}
	return nil
}
