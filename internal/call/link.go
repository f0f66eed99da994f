package call

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is call links: who has one rings once, though a stranger.

// Bounds of links.
const (
	mostLinks   = 16                 // of one account at a time
	linkLife    = time.Hour          // unless the account says otherwise
	longestLink = 7 * 24 * time.Hour // that it may say
)

// links are kept by the hash of their tokens, in hexadecimal; the value is when they
// end, in Unix seconds. One that rang is gone.
type links struct {
	kv     store.KV
	bucket *store.Bucket
	lock   locks
}

func newLinks(kv store.KV) *links {
	return &links{kv: kv, lock: newLocks(), bucket: kv.Declare(store.Space{
		Name: "call-links", Fields: "hash of the token: expiry",
		Purpose: "let somebody ring once who was given a link", Life: longestLink,
	})}
}

// A token is 130 random bits, so a plain hash of it cannot be turned round.
func keyOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// linkID is by what an account calls a link that it gave away; it is no secret.
func linkID(key string) string { return key[:min(12, len(key))] }

// expiry is zero for what nobody can read.
func expiry(i store.Item) time.Time {
	sec, err := strconv.ParseInt(string(i.Value), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(sec, 0)
}

// open are an account's links that hold, and steps that remove the others.
func (l *links) open(ctx context.Context, owner string, now time.Time) (open []store.Item, ops []store.Op, err error) {
	all, err := l.bucket.Scan(ctx, owner, store.Range{})
	for _, i := range all {
		if now.Before(expiry(i)) {
			open = append(open, i)
		} else {
			ops = append(ops, l.bucket.Unset(i.Key))
		}
	}
	return open, ops, err
}

// find is the key of the link that a token is of, "" for none. What is compared are
// hashes, all of them to their ends: how long it takes tells nothing.
func (l *links) find(owner, token string, now time.Time) (key string, err error) {
	if token == "" {
		return "", nil
	}
	open, _, err := l.open(context.Background(), owner, now)
	want := []byte(keyOf(token))
	for _, i := range open {
		if subtle.ConstantTimeCompare([]byte(i.Key), want) == 1 {
			key = i.Key
		}
	}
	return key, err
}

// add keeps a new link.
func (l *links) add(ctx context.Context, owner, key string, until, now time.Time) error {
	defer l.lock.of(owner)()
	open, ops, err := l.open(ctx, owner, now)
	if err != nil {
		return err
	}
	if len(open) >= mostLinks {
		return stanza.Errorf(stanza.ResourceConstraint, "%d of your call links are open: revoke one, or wait until one has ended", len(open)).WithApp(NS, "too-many")
	}
	return l.kv.Apply(ctx, owner, append(ops, l.bucket.Set(key, strconv.AppendInt(nil, until.Unix(), 10)))...)
}

// sweep removes links that have ended.
func (l *links) sweep(now time.Time) error {
	ctx := context.Background()
	owners, err := l.bucket.Owners(ctx)
	for _, owner := range owners {
		err = errors.Join(err, l.sweepOf(ctx, owner, now))
	}
	return err
}

func (l *links) sweepOf(ctx context.Context, owner string, now time.Time) error {
	defer l.lock.of(owner)()
	_, ops, err := l.open(ctx, owner, now)
	if err != nil || ops == nil {
		return err
	}
	return l.kv.Apply(ctx, owner, ops...)
}

// mine refuses what others ask, and what is asked in the wrong way.
func mine(q *core.Query, set bool) error {
	switch {
	case !q.Own():
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set() != set:
		return stanza.Errorf(stanza.BadRequest, "link and revoke are for sets, links is for gets")
	}
	return nil
}

// makeLink answers an account's device that wants a link to give away.
func (f *Calls) makeLink(q *core.Query) ([]byte, error) {
	if err := mine(q, true); err != nil {
		return nil, err
	}
	now := time.Now()
	until, err := linkUntil(q.Payload, now)
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	key, owner := keyOf(token), q.Head.To
	if err := f.links.add(q.Ctx, owner.String(), key, until, now); err != nil {
		return nil, err
	}
	b := appendLink([]byte("<link xmlns='"+NS+"'"), linkID(key), until)
	b = xtok.AppendAttr(b, "token", token)
	b = xtok.AppendAttr(b, "uri", linkURI(owner, token))
	return append(b, "/>"...), nil
}

// linkUntil reads when a link is to end: at a time, or after so many seconds, which clocks
// that differ do not change.
func linkUntil(el xtok.Elem, now time.Time) (time.Time, error) {
	at, lasts := el.Attr("expires"), el.Attr("lasts")
	switch seconds, err := strconv.ParseUint(lasts, 10, 32); {
	case at == "" && lasts == "":
		return now.Add(linkLife), nil
	case lasts == "":
	case at != "" || err != nil || seconds == 0 || seconds > uint64(longestLink/time.Second):
		return now, stanza.Errorf(stanza.BadRequest, "a call link lasts for 1 to %d seconds", longestLink/time.Second)
	default:
		return now.Add(time.Duration(seconds) * time.Second), nil
	}
	until, err := stanza.ParseTime(at)
	switch {
	case err != nil:
		return until, stanza.Errorf(stanza.BadRequest, "expires is no time")
	case !now.Before(until) || until.After(now.Add(longestLink)):
		return until, stanza.Errorf(stanza.BadRequest, "a call link ends within a week")
	}
	return until, nil
}

// linkURI is what is given away.
// RFC 5122 §2.2
func linkURI(owner jid.JID, token string) string {
	return "xmpp:" + url.PathEscape(owner.Local()) + "@" + owner.Domain() + "?call;link=" + token
}

func appendLink(b []byte, id string, until time.Time) []byte {
	b = xtok.AppendAttr(b, "id", id)
	return append(stanza.AppendTime(append(b, " expires='"...), until), '\'')
}

// listLinks answers an account's device that wants to know which links are open.
func (f *Calls) listLinks(q *core.Query) ([]byte, error) {
	if err := mine(q, false); err != nil {
		return nil, err
	}
	open, _, err := f.links.open(q.Ctx, q.Head.To.String(), time.Now())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(open, func(a, b store.Item) int { return expiry(a).Compare(expiry(b)) })
	b := []byte("<links xmlns='" + NS + "'>")
	for _, i := range open {
		b = append(appendLink(append(b, "<link"...), linkID(i.Key), expiry(i)), "/>"...)
	}
	return append(b, "</links>"...), nil
}

// revokeLink ends a link of an account's own.
func (f *Calls) revokeLink(q *core.Query) ([]byte, error) {
	if err := mine(q, true); err != nil {
		return nil, err
	}
	owner, id := q.Head.To.String(), q.Payload.Attr("id")
	defer f.links.lock.of(owner)()
	open, _, err := f.links.open(q.Ctx, owner, time.Now())
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(open, func(i store.Item) bool { return linkID(i.Key) == id })
	if at < 0 {
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such link any more")
	}
	return nil, f.links.bucket.Delete(q.Ctx, owner, open[at].Key)
}

// appendToken keeps the token that a caller shows beside a propose until it is known
// whether the call rings; whoever the propose goes on to does not see it.
func (f *Calls) appendToken(b []byte, t *core.Transit, v jingle.Invite) []byte {
	token := t.Elem.Child(NS, "link").Attr("token")
	if v.Kind != jingle.Propose || !isToken(token) || !f.router.Local(t.Head.To) || t.Head.From.Bare() == t.Head.To.Bare() {
		return b
	}
	return append(xtok.AppendAttr(append(b, "<link xmlns='"+NS+"'"...), "token", token), "/>"...)
}

func isToken(s string) bool {
	return len(s) == 26 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// takeToken takes the token out of the message.
func takeToken(t *core.Transit) (token string, err error) {
	link := t.Elem.Child(NS, "link")
	if !link.OK() {
		return "", nil
	}
	token = strings.Clone(link.Attr("token"))
	return token, cut(t, NS)
}

// sayLink tells the callee's devices by which link a stranger rings.
func sayLink(t *core.Transit, v jingle.Invite, key string) error {
	b := appendOrigin(v.Append(nil), t.Elem)
	b = xtok.AppendAttr(append(b, "<link xmlns='"+NS+"'"...), "id", linkID(key))
	return rewrite(t, append(b, "/>"...))
}
