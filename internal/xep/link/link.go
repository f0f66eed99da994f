// Package link lets a device of an account bring in a new one: urn:mirsal:link:0,
// docs/protocol/link.md. A new device gets its first token (XEP-0484) not for a
// password but because a session of the account has let it in; from then on it is one
// of those that XEP-0494 lists.
//
// It carries what the two devices say to each other, sealed, and knows none of it; it
// compares nothing and asks nobody. Invariants: before the old device has accepted, the new one
// has no session, no account and no token, only an unauthenticated stream on which it can hand in one box and
// wait; a link is good for one new device, within minutes, while the session that asked for it
// lives; when two devices show the same link neither gets in; of every device that got in the
// others have been told before it can sign in, by the waiting period where there is one, in
// which each of them can refuse it; a token that was not used within minutes is
// good no more, also when the server was started again meanwhile (auth keeps that with it).
package link

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

// ns is the protocol's namespace.
const ns = "urn:mirsal:link:0"

// Bounds.
const (
	life     = 5 * time.Minute  // of a link, and then of a token that nobody has used
	patience = 10 * time.Second // how long an answer to <ask/> is held back
	sweep    = 5 * time.Second
	most     = 16   // links of one account, ended ones that somebody may still ask about among them
	mostBox  = 8192 // characters of a box in base64
	tries    = 10   // requests of one stream that were refused
)

// Accounts knows the devices; *auth.Auth documents what each method does.
type Accounts interface {
	Epoch() uint64
	DeviceID(name string, g auth.Agent) string
	Devices(ctx context.Context, name string) ([]auth.Device, error)
	IssueFirstToken(ctx context.Context, name string, g auth.Agent, mech string, within time.Duration) (secret string, expiry time.Time, err error)
}

// Feature is the feature.
type Feature struct {
	router   *core.Router
	accounts Accounts
	clear    bool
	wait     time.Duration // between acceptance and token
	log      *slog.Logger

	mu    sync.Mutex // held for moments
	links map[string]*link
}

// New makes the feature. clear: also on connections that others can read, where people
// may log in there. wait is how long a device that was let in waits for its token.
func New(r *core.Router, a Accounts, clear bool, wait time.Duration, log *slog.Logger) *Feature {
	return &Feature{router: r, accounts: a, clear: clear, wait: wait, log: log, links: map[string]*link{}}
}

// Register attaches the feature.
func (f *Feature) Register(h *core.Host) {
	h.IQ(core.Account, ns, "offer", f.offer)
	h.IQ(core.Account, ns, "hello", f.hello)
	h.IQ(core.Account, ns, "accept", f.accept)
	h.IQ(core.Account, ns, "refuse", f.refuse)
	h.EarlyIQ(ns, "join", f.join)
	h.EarlyIQ(ns, "ask", f.ask)
	h.Disco(core.Account, ns)
	h.Gone = append(h.Gone, f.gone)
	h.Every(sweep, f.sweep)
}

// state is how far a link has come.
type state uint8

const (
	shown    state = iota // by the old device
	joined                // the new device has handed in its box
	greeted               // the old device has answered it
	waiting               // and let it in: it gets its token when the time has come, unless somebody refuses
	accepted              // it has its token
	ended
)

// link is one attempt to bring a device in. Under Feature.mu, but for what never changes.
type link struct {
	token string        // names it to the new device; as secret as the code
	id    string        // names it to the old one
	owner *core.Session // that asked for it
	since uint64        // auth's epoch then

	state  state
	until  time.Time
	why    string        // it ended: refused, expired, gone or two
	change chan struct{} // closed at the next change
	visit  string        // the secret of the one who came first
	agent  auth.Agent    // the new device
	mech   string        // what its token is to be for
	hello  string        // boxes, as they came
	box    string        // of the old device, with its acceptance
	ripe   time.Time     // when a waiting one gets its token
	secret string        // the token
	expiry time.Time     // of the token
	device string        // its ID, once accepted
}

// changed wakes who waits; under mu.
func (l *link) changed() {
	close(l.change)
	l.change = make(chan struct{})
}

// end is for good; under mu. What of the old device is to be told is returned.
func (l *link) end(why string) (tell bool) {
	if l.state >= accepted {
		return false
	}
	l.state, l.why = ended, why
	l.changed()
	return true
}

// of finds a session's link by its ID. A link of another session, also of the same
// account, is none.
func (f *Feature) of(s *core.Session, id string) *link {
	for _, l := range f.links {
		if l.id == id && l.owner == s && l.state != ended {
			return l
		}
	}
	return nil
}

// gone ends what a session has begun: nobody is there any more to say yes.
func (f *Feature) gone(s *core.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.links {
		if l.owner == s && l.state != waiting { // what is accepted does not hang on it any more
			l.end("gone")
		}
	}
}

// sweep ends what is out of date.
func (f *Feature) sweep(now time.Time) {
	var tell, ripe []*link
	f.mu.Lock()
	for key, l := range f.links {
		switch {
		case l.state == waiting && !now.Before(l.ripe):
			l.state = accepted
			ripe = append(ripe, l)
		case now.Before(l.until):
		case l.end("expired"):
			l.until = now.Add(life) // who waits for it hears why
			tell = append(tell, l)
		default:
			delete(f.links, key)
		}
	}
	f.mu.Unlock()
	for _, l := range tell {
		f.tellEnd(l, "expired")
	}
	for _, l := range ripe {
		if err := f.admit(context.Background(), l); err != nil {
			f.log.Warn("a device that has waited is not let in", "jid", l.owner.JID.Bare().String(), "err", err)
		}
	}
}

// tellEnd tells the old device that its link is over.
func (f *Feature) tellEnd(l *link, why string) {
	push(l.owner, []byte("<ended xmlns='"+ns+"' link='"+l.id+"' reason='"+why+"'/>"))
}

// push sends a request to a session, whose answer is not waited for.
func push(s *core.Session, payload []byte) {
	s.PushStanza(stanza.New(stanza.Head{Kind: stanza.IQ, Type: stanza.Set, ID: newID(), From: s.JID.Bare(), To: s.JID}, payload))
}
