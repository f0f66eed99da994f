package httpd

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/internal/limits"
	"mirsal/internal/xmpp/xtok"
)

// What a session is offered (XEP-0124 §7.2).
const (
	waitMost   = 60  // seconds that a request is held
	holdMost   = 1   // requests held at a time
	requests   = 2   // simultaneous requests, and the window of request ids
	inactivity = 60  // seconds without a request
	maxPause   = 120 // seconds
	polling    = 1   // seconds between empty requests that find nothing
	// hasteMost is how many empty requests may come faster than that.
	hasteMost = 10
	// againMost is how often one request may be sent anew.
	againMost = 10
	// farewell is how long the end of a session that never logged in can be asked for.
	farewell = 2 * time.Second
)

// bosh is one session: the requests of one client, in order.
type bosh struct {
	all     *boshes
	sid     string
	remote  net.Addr
	content string // of answers
	wait    time.Duration
	hold    int
	acks    bool // the client uses acknowledgements

	readBy, writeBy *deadline

	mu      sync.Mutex // guards all below; never held while waiting
	limits  xtok.Limits
	bound   bool
	pace    limits.Pace         // of requests, once bound
	first   uint64              // request id that made the session
	next    uint64              // request id that is to be handled next
	key     string              // what the next key must hash to, empty without keys
	early   map[uint64]*boshReq // came before those before them
	held    []*boshReq          // handled and not answered, in order
	given   []given             // the last answers
	polled  time.Time           // when the last empty request came that found nothing
	haste   int
	found   bool          // an answer with something in it was given since
	pause   time.Duration // inactivity asked for, 0 for the usual one
	timer   *time.Timer   // of inactivity
	greeted bool          // the first request is answered

	in, out   []byte // of the stream: not yet read, not yet answered with
	cut       cutter
	streamID  string
	condition string // that the session ends with
	ending    bool   // our stream is at its end
	closed    bool   // by c2s: nothing is read or written any more
	broken    bool   // by the client or by silence
	cause     error  // that c2s reads then, nil for a lost connection
	last      bool   // the answer that ends the session was given

	// Closed and made anew when: in has grown, out has shrunk, in is empty.
	fed, taken, drained chan struct{}
}

// given is an answer, kept in case that it got lost. XEP-0124 §14.3
type given struct {
	rid  uint64
	body []byte
}

// arrive takes a request. Its answer comes on q.answer, sooner or later.
func (b *bosh) arrive(q *boshReq) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch window := b.next + requests; {
	case b.broken:
		q.answer <- terminated(itemNotFound)
	case b.last && q.rid >= b.next:
		q.answer <- terminated(itemNotFound)
	case q.rid < b.next:
		b.repeated(q)
	case q.rid >= window && !(q.rid == window && (q.terminates() || q.body.HasAttr("pause"))):
		// XEP-0124 §14.2
		b.fail(q, itemNotFound)
	case q.rid > b.next:
		b.comeEarly(q)
	default:
		b.inOrder(q)
	}
	b.watch()
}

// comeEarly keeps a request until those before it have come.
func (b *bosh) comeEarly(q *boshReq) {
	if b.closed {
		q.answer <- terminated(itemNotFound)
		return
	}
	if was := b.early[q.rid]; was != nil {
		was.answer <- wrap([][2]string{{"type", "error"}}, nil)
	}
	b.early[q.rid] = q
}

// repeated answers a request that came before: as it was answered, or when it
// will be. XEP-0124 §14.3
func (b *bosh) repeated(q *boshReq) {
	for i, was := range b.held {
		if was.rid != q.rid {
			continue
		}
		if q.again = was.again + 1; q.again > againMost {
			b.fail(q, policyViolation)
			return
		}
		// XEP-0124 §17.3: only the latest one is answered in the end
		was.answer <- wrap([][2]string{{"type", "error"}}, nil)
		b.held[i] = q
		b.pump()
		return
	}
	for _, g := range b.given {
		if g.rid == q.rid {
			q.answer <- g.body
			return
		}
	}
	b.fail(q, itemNotFound)
}

// inOrder handles a request, and those that waited for it.
func (b *bosh) inOrder(q *boshReq) {
	for q != nil && !b.broken {
		delete(b.early, q.rid)
		if !b.keyFits(q) {
			// XEP-0124 §15.4
			b.fail(q, itemNotFound)
			return
		}
		if b.hasty(q) {
			// XEP-0124 §11
			b.fail(q, policyViolation)
			return
		}
		b.next++
		b.handle(q)
		q = b.early[b.next]
	}
}

// keyFits checks a request's key. XEP-0124 §15.4
func (b *bosh) keyFits(q *boshReq) bool {
	if b.key != "" && !strings.EqualFold(hashed(q.body.Attr("key")), b.key) {
		return false
	}
	if b.key != "" {
		b.key = q.body.Attr("key")
	}
	if next := q.body.Attr("newkey"); next != "" && b.key != "" {
		b.key = next
	}
	return true
}

// hasty tells whether a client asks for nothing too often.
func (b *bosh) hasty(q *boshReq) bool {
	if !q.empty() || b.found || q.came.Sub(b.polled) >= polling*time.Second {
		b.haste = 0
	} else {
		b.haste++
	}
	b.found, b.polled = false, q.came
	return b.haste > hasteMost
}

// handle passes on what a request says and holds it.
func (b *bosh) handle(q *boshReq) {
	b.pause = 0
	if !b.closed {
		if b.in = q.appendStream(b.in); len(b.in) > 0 {
			b.fed = tell(b.fed)
		}
	}
	b.held = append(b.held, q)
	if n := numberAttr(q.body, "pause", maxPause, 0); n > 0 {
		// XEP-0124 §10: all are answered, the pause without payload
		b.pause = time.Duration(n) * time.Second
		b.answerUpTo(q)
	}
	b.pump()
}

// pump answers what can be answered now, the oldest request first.
func (b *bosh) pump() {
	for len(b.held) > 0 {
		q, later := b.held[0], len(b.held) > 1
		switch {
		case !q.alive && later:
			b.reply(nil) // whoever asked is gone, and goes on without this answer
		case !q.alive:
			return
		case b.closed:
			b.reply(b.takeOut())
		case len(b.out) == 0 && !b.greeted:
			return // XEP-0206 §4: the first answer brings the features
		case len(b.out) > 0 || len(b.held) > b.hold:
			b.reply(b.takeOut())
		default:
			return
		}
	}
}

// takeOut is all that waits for an answer.
func (b *bosh) takeOut() []byte {
	out := b.out
	b.out, b.found = nil, b.found || len(out) > 0
	b.taken = tell(b.taken)
	return out
}

// answerUpTo answers the requests up to q, which is answered without payload if
// it asked for a pause.
func (b *bosh) answerUpTo(q *boshReq) {
	for len(b.held) > 0 && b.held[0].rid <= q.rid {
		if now := b.held[0]; !now.alive || now == q && q.body.HasAttr("pause") {
			b.reply(nil)
			continue
		}
		b.reply(b.takeOut())
	}
}

// reply answers the oldest held request and remembers the answer.
func (b *bosh) reply(payload []byte) {
	q := b.held[0]
	b.held = b.held[1:]
	body := wrap(b.attributes(q), payload)
	b.given = append(b.given, given{q.rid, body})
	if n := len(b.given) - requests; n > 0 {
		b.given = slices.Delete(b.given, 0, n)
	}
	q.answer <- body
}

// attributes are those of the answer to q.
func (b *bosh) attributes(q *boshReq) [][2]string {
	var attrs [][2]string
	if !b.greeted {
		attrs = b.greeting()
		b.greeted = true
	} else if b.acks && q.rid != b.next-1 {
		attrs = append(attrs, [2]string{"ack", strconv.FormatUint(b.next-1, 10)})
	}
	if b.closed && !b.last {
		b.last = true
		attrs = append(attrs, [2]string{"type", "terminate"}, [2]string{"condition", b.condition})
	}
	return attrs
}

// greeting are the attributes of the answer that makes a session.
// XEP-0124 §7.2, XEP-0206 §4
func (b *bosh) greeting() [][2]string {
	attrs := [][2]string{
		{"xmlns:xmpp", nsXBOSH}, {"xmpp:version", "1.0"}, {"xmpp:restartlogic", "true"}, {"authid", b.streamID},
		{"sid", b.sid}, {"from", b.all.srv.cfg.Domain.String()}, {"ver", "1.11"},
		{"wait", strconv.Itoa(int(b.wait / time.Second))}, {"hold", strconv.Itoa(b.hold)},
		{"requests", strconv.Itoa(requests)}, {"inactivity", strconv.Itoa(inactivity)},
		{"maxpause", strconv.Itoa(maxPause)}, {"polling", strconv.Itoa(polling)},
	}
	if b.acks {
		attrs = append(attrs, [2]string{"ack", strconv.FormatUint(b.first, 10)})
	}
	return attrs
}

// fail ends the session for what q did; c2s sees a lost connection.
func (b *bosh) fail(q *boshReq, condition string) {
	q.answer <- terminated(condition)
	b.condition = condition
	b.give()
}

// abandon ends the session, if there is one, for a request that is none. What
// a stream would not survive ends it here as well.
func (b *bosh) abandon(cause error) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.broken {
		b.cause = cause
		b.give()
		b.timer.Stop()
	}
}

// give up: nobody is there any more, or nobody whom we could understand.
func (b *bosh) give() {
	b.broken = true
	for _, q := range b.held {
		q.answer <- terminated(itemNotFound)
	}
	b.held, b.out, b.given = nil, nil, nil
	b.refuseEarly()
	if !b.closed {
		b.fed, b.taken, b.drained = tell(b.fed), tell(b.taken), tell(b.drained)
	}
	b.all.remove(b)
}

func (b *bosh) refuseEarly() {
	for rid, q := range b.early {
		q.answer <- terminated(itemNotFound)
		delete(b.early, rid)
	}
}

// watch starts or stops the clock of inactivity: it runs while no request is
// held. XEP-0124 §10
func (b *bosh) watch() {
	b.timer.Stop()
	if b.broken || slices.ContainsFunc(b.held, func(q *boshReq) bool { return q.alive }) {
		return
	}
	b.timer.Reset(b.patience())
}

// patience is how long a session may be without a request.
func (b *bosh) patience() time.Duration {
	switch {
	case b.closed && !b.bound:
		return farewell
	case b.pause > 0:
		return b.pause
	}
	return inactivity * time.Second
}

// silent ends a session whose client does not ask any more.
func (b *bosh) silent() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken || slices.ContainsFunc(b.held, func(q *boshReq) bool { return q.alive }) {
		return
	}
	b.give()
}

// waited answers a request that was held as long as its client wants.
func (b *bosh) waited(q *boshReq) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.held, q) {
		b.answerUpTo(q)
	}
	b.watch()
}

// hungUp notes that nobody waits for a request's answer any more.
func (b *bosh) hungUp(q *boshReq) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q.alive = false
	if b.early[q.rid] == q {
		delete(b.early, q.rid)
	}
	b.watch()
}

// raise lets elements be as long as a bound session's may be.
func (b *bosh) raise(l xtok.Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limits = l; !b.bound {
		b.bound, b.pace = true, b.all.srv.cfg.Limits.Raw(true)
	}
}

func (b *bosh) isBound() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bound
}

// pay charges a request of so many bytes and returns how long it has to wait.
func (b *bosh) pay(size int) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pace.Take(1, size)
}
