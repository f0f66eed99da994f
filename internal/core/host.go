package core

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Target says at which kind of address a handler answers.
type Target uint8

// The targets.
const (
	Server    Target = iota // the domain
	Account                 // a local account's bare JID, or no address: one's own
	firstSite               // and more: each Site has two
)

// Verdict is what a Deliver hook decides for one session.
type Verdict uint8

// The verdicts.
const (
	Pass Verdict = iota
	Hold         // the hook has taken the packet and will push it later
	Drop
)

// The hooks, in the order in which a message meets them. Screen, Stamp and
// Keep run on the sender's reader; Spread, Deliver and Notice on the release
// goroutine, where they must not block.
type (
	// ScreenFunc may refuse: a *stanza.StanzaError goes back to the sender,
	// ErrSilently does not. It sees messages, requests to accounts and their
	// sessions, and presence.
	ScreenFunc func(t *Transit) error
	// StampFunc may edit, by t.Edit. Children to cut must be appended in document order.
	StampFunc func(t *Transit)
	// KeepFunc decides whose archives get the message.
	KeepFunc func(t *Transit)
	// SpreadFunc adds deliveries.
	SpreadFunc func(t *Transit, d *Delivery)
	// DeliverFunc looks at one packet for one session.
	DeliverFunc func(s *Session, t *Transit) Verdict
	// HoldFunc tells whether a packet for an inactive session can wait until
	// something comes that cannot: a key, "" when it cannot. Of those with one
	// key the last is sent. It is asked of everything that is pushed, by whoever
	// pushes, and must not block.
	HoldFunc func(s *Session, p Packet) (key string)
	// NoticeFunc may only look; it may miss some.
	NoticeFunc func(n Notice)
	// SessionFunc hears of a session bound or gone.
	SessionFunc func(s *Session)
	// AccountFunc hears of a removed account, after its KV spaces are gone.
	AccountFunc func(bare jid.JID)
	// DeliveredFunc hears that everything kept for the session's account up to a
	// place in the log has reached the session: acknowledged under stream
	// management, else written. Called on the reader or writer; must not block.
	DeliveredFunc func(s *Session, seq uint64)
	// PresenceFunc handles a presence stanza that a local session sent. It runs
	// on the reader and may block on storage.
	PresenceFunc func(t *Transit) error
	// IQFunc answers a request: the result's payload (self-contained XML, nil for an
	// empty result) or an error. It runs on the asker's reader; what it wrote
	// must be durable when it returns. ErrLater means that it replies by itself.
	IQFunc func(q *Query) ([]byte, error)
	// NonzaFunc handles a top-level element that is no stanza, after
	// authentication. An error is a *stream.Error.
	NonzaFunc func(st Stream, e xtok.Elem) error
	// TickFunc runs at an interval, on a goroutine that serves this tick only.
	TickFunc func(now time.Time)
	// ResumeFunc continues an older session from within SASL2 (XEP-0388): e asks for it,
	// wrap makes all that is said first of the session and the element that
	// answers. failed is what to say when there is no such session and the
	// client has to bind.
	ResumeFunc func(st Stream, e xtok.Elem, wrap func(s *Session, answer []byte) []byte) (failed []byte, err error)
	// BindFunc turns something on for a session that is being bound by Bind 2
	// (XEP-0386 §3.2) and returns a child for <bound/>, or nil.
	BindFunc func(s *Session, e xtok.Elem) []byte
	// BoundFunc returns what every <bound/> tells, or nil. The account's session is
	// not known to others yet.
	BoundFunc func(s *Session) []byte
)

// Notice is what the Notice phase is told of a message: no content.
type Notice struct {
	Kind     stanza.Kind
	Type     string
	From, To jid.JID
	Facts    stanza.Facts
	Kept     bool
	Time     time.Time
}

// StreamFeature is offered during negotiation.
type StreamFeature struct {
	// Offer returns the child for <stream:features/>, or nil. Before
	// authentication st.Account is zero.
	Offer func(st Stream) []byte
}

// Stream is a connection during and after negotiation.
type Stream interface {
	Secure() bool      // TLS
	Account() jid.JID  // bare; zero before authentication
	Session() *Session // nil before a resource is bound
	// Adopt makes the stream continue an older session, of which the peer has
	// received h stanzas (XEP-0198 §5). It ends that session's former connection; hello
	// makes what is said first, from the count that the server has handled. It
	// fails with ErrGone or ErrCount.
	Adopt(s *Session, h uint32, hello func(handled uint32) []byte) error
	// Send writes bytes outside a session: before a resource is bound.
	Send(b []byte)
	// Value and SetValue keep a feature's state for the life of the stream.
	Value(key any) any
	SetValue(key, value any)
}

// Host is what features attach to. Everything is added before start and
// read-only afterwards, so hooks need no lock.
type Host struct {
	Screen      []ScreenFunc
	Stamp       []StampFunc
	Keep        []KeepFunc
	Spread      []SpreadFunc
	Deliver     []DeliverFunc
	Hold        HoldFunc // nil where nothing waits
	Notice      []NoticeFunc
	Bound, Gone []SessionFunc
	Delivered   []DeliveredFunc
	AccountGone []AccountFunc
	Blocked     BlockedFunc // nil where nobody can be blocked
	Told        []BoundFunc
	// Asleep hear of each packet that is queued for a session without a connection,
	// and of what was not acknowledged when the connection was lost. They must not block.
	Asleep []func(s *Session, p Packet)

	resume   ResumeFunc
	resumeNS string
	binds    map[xmlName]BindFunc
	bindable []string
	iq       []map[xmlName]IQFunc // by Target
	siteIQ   map[xmlName]SiteIQFunc
	sites    map[jid.JID]*Site
	early    map[xmlName]IQFunc
	nonza    map[xmlName]NonzaFunc
	presence PresenceFunc
	streams  []StreamFeature
	https    map[string]http.Handler
	ticks    []tick
	disco    []*Disco // by Target
}

type xmlName struct{ ns, local string }

type tick struct {
	every time.Duration
	f     TickFunc
}

// Disco is what service discovery tells of a target (XEP-0030).
type Disco struct {
	Identities []Identity
	Features   []string
	// Forms are extension forms (XEP-0128), made when asked.
	Forms []func(q *Query) []byte
	// Items are asked in turn; each adds to disco#items of a node ("" for none).
	Items []func(q *Query, node string) ([]Item, error)
	// Nodes answers disco#info of a node: ok is false when it is not its own.
	Nodes []func(q *Query, node string) (info []byte, ok bool, err error)
	// Allow, where set, refuses those who may not look (XEP-0030 §8 and RFC 6121 §8.5.1).
	Allow []func(q *Query) error
}

// Identity is a category and type of XEP-0030 §3.1.
type Identity struct{ Category, Type, Name string }

// Item is one entry of disco#items.
type Item struct {
	JID        jid.JID
	Node, Name string
}

// NewHost returns an empty host.
func NewHost() *Host {
	h := &Host{
		sites: map[jid.JID]*Site{}, siteIQ: map[xmlName]SiteIQFunc{},
		early: map[xmlName]IQFunc{}, binds: map[xmlName]BindFunc{}, nonza: map[xmlName]NonzaFunc{}, https: map[string]http.Handler{},
	}
	for range firstSite {
		h.target()
	}
	return h
}

// add panics on a second handler for one name: two features would fight.
func add[F any](m map[xmlName]F, ns, local string, f F) {
	n := xmlName{ns, local}
	if _, taken := m[n]; taken {
		panic(fmt.Sprintf("core: two handlers for <%s xmlns='%s'>", local, ns))
	}
	m[n] = f
}

// IQ answers get and set requests with this child at a target.
func (h *Host) IQ(at Target, ns, local string, f IQFunc) { add(h.iq[at], ns, local, f) }

// EarlyIQ answers requests before authentication.
func (h *Host) EarlyIQ(ns, local string, f IQFunc) { add(h.early, ns, local, f) }

// Nonza handles a top-level element that is no stanza.
func (h *Host) Nonza(ns, local string, f NonzaFunc) { add(h.nonza, ns, local, f) }

// InlineResume sets the one handler of resumption inside SASL2: a request is
// <resume/> in a namespace, which <inline/> offers.
func (h *Host) InlineResume(ns string, f ResumeFunc) {
	if h.resume != nil {
		panic("core: two handlers for inline resumption")
	}
	h.resume, h.resumeNS = f, ns
}

// ResumeHandler is the handler of resumption inside SASL2 and its namespace.
func (h *Host) ResumeHandler() (ns string, f ResumeFunc) { return h.resumeNS, h.resume }

// Inline turns something on within Bind 2: a child of <bind/> of that name; the
// namespace is what is offered (XEP-0386 §3.1).
func (h *Host) Inline(ns, local string, f BindFunc) {
	add(h.binds, ns, local, f)
	if !slices.Contains(h.bindable, ns) {
		h.bindable = append(h.bindable, ns)
	}
}

// Bindable are the namespaces of what Bind 2 can turn on.
func (h *Host) Bindable() []string { return h.bindable }

// BindHandler is the handler of a child of Bind 2's <bind/>, nil when there is none.
func (h *Host) BindHandler(e xtok.Elem) BindFunc { return h.binds[xmlName{e.NS(), e.Local()}] }

// Presence sets the one handler of presence.
func (h *Host) Presence(f PresenceFunc) {
	if h.presence != nil {
		panic("core: two handlers for presence")
	}
	h.presence = f
}

// Stream offers a stream feature.
func (h *Host) Stream(f StreamFeature) { h.streams = append(h.streams, f) }

// HTTP serves a pattern of net/http's ServeMux.
func (h *Host) HTTP(pattern string, f http.Handler) { h.https[pattern] = f }

// Handlers are the patterns added by HTTP.
func (h *Host) Handlers() map[string]http.Handler { return h.https }

// Every runs f at an interval while the server runs.
func (h *Host) Every(d time.Duration, f TickFunc) { h.ticks = append(h.ticks, tick{d, f}) }

// Disco adds features of a target.
func (h *Host) Disco(at Target, features ...string) {
	h.disco[at].Features = append(h.disco[at].Features, features...)
}

// DiscoAt is what discovery tells of a target; features may add to it.
func (h *Host) DiscoAt(at Target) *Disco { return h.disco[at] }

// Offers are the children of <stream:features/> for a stream now.
func (h *Host) Offers(st Stream, b []byte) []byte {
	for _, f := range h.streams {
		b = append(b, f.Offer(st)...)
	}
	return b
}

// EarlyHandler is the handler of a request before authentication.
func (h *Host) EarlyHandler(e xtok.Elem) IQFunc { return h.early[xmlName{e.NS(), e.Local()}] }

// NonzaHandler is the handler of a top-level element, nil when there is none.
func (h *Host) NonzaHandler(e xtok.Elem) NonzaFunc { return h.nonza[xmlName{e.NS(), e.Local()}] }
