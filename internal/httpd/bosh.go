package httpd

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/internal/xmpp/xtok"
)

// boshes are all sessions of BOSH.
type boshes struct {
	srv *Server

	mu       sync.Mutex // taken under bosh.mu, never the other way round
	sessions map[string]*bosh
}

const (
	// bodyElements is how many elements of the largest size fit in a body.
	bodyElements = 4
)

func newBoshes(s *Server) *boshes {
	return &boshes{srv: s, sessions: map[string]*bosh{}}
}

// preflight answers what browsers ask before they post XML to another origin.
func (a *boshes) preflight(w http.ResponseWriter, _ *http.Request) {
	openToAll(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// post takes one request.
func (a *boshes) post(w http.ResponseWriter, r *http.Request) {
	openToAll(w.Header())
	if !a.srv.mayStream(w, r) {
		return
	}
	q, b, bad := a.read(r)
	if !a.mayAsk(w, r, b) {
		return
	}
	switch {
	case bad != nil:
		b.abandon(bad.cause)
	case b == nil && !a.srv.mayBegin(w):
		return
	case b == nil:
		b, bad = a.create(r, q)
	default:
		bad = b.admit(r.Context(), q)
	}
	if bad != nil {
		respond(w, "", terminated(bad.condition))
		return
	}
	if body := b.await(r.Context(), q); body != nil {
		respond(w, b.content, body)
	}
}

// refusal is why a request is not taken: a terminal condition, and what that is
// for the stream if there is one.
type refusal struct {
	condition string
	cause     error
}

func refuse(condition, reason string) *refusal {
	return &refusal{condition, &xtok.Error{Condition: condition, Reason: reason}}
}

func respond(w http.ResponseWriter, content string, body []byte) {
	if content == "" {
		content = "text/xml; charset=utf-8"
	}
	w.Header().Set("Content-Type", content)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.Write(body)
}

// mayAsk takes a request from the budget of its session, if somebody has logged in
// there, and else of its address. Whoever owes too much waits.
func (a *boshes) mayAsk(w http.ResponseWriter, r *http.Request, b *bosh) bool {
	if b == nil || !b.isBound() {
		return a.srv.mayAsk(w, originOf(r))
	}
	d := b.pay(int(max(0, r.ContentLength)))
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// read reads a request, and no more of it than its session may send. b is nil
// for one that wants a session, or names none.
func (a *boshes) read(r *http.Request) (q *boshReq, b *bosh, bad *refusal) {
	limits := a.srv.cfg.Before
	raw, err := io.ReadAll(io.LimitReader(r.Body, int64(limits.Size)))
	if err != nil {
		return nil, nil, refuse(badRequest, "a body that broke off")
	}
	if sid := sidOf(raw, limits); sid != "" {
		if b = a.find(sid); b == nil {
			return nil, nil, refuse(itemNotFound, "no such session")
		}
		limits = b.now()
	}
	rest, err := io.ReadAll(io.LimitReader(r.Body, int64(limits.Size-len(raw))+1))
	if raw = append(raw, rest...); err != nil {
		return nil, nil, refuse(badRequest, "a body that broke off") // and may come again
	}
	if len(raw) > limits.Size {
		return nil, b, refuse(policyViolation, "body too large")
	}
	body, err := xtok.Parse(raw, limits)
	if err != nil {
		return nil, b, &refusal{badRequest, err}
	}
	q, ok := readReq(body)
	if !ok || (b != nil) != body.HasAttr("sid") {
		return nil, b, refuse(badRequest, "no BOSH")
	}
	return q, b, nil
}

// sidOf reads the session id off the start tag of a body, which need not be
// there as a whole.
func sidOf(raw []byte, l xtok.Limits) string {
	tag := startTag(raw)
	if !bytes.HasSuffix(tag, []byte("/")) {
		tag = append(bytes.Clone(tag), '/')
	}
	e, err := xtok.Parse(append(bytes.Clone(tag), '>'), l)
	if err != nil {
		return "" // so is the whole
	}
	return e.Attr("sid")
}

// startTag is what stands before the end of the first tag.
func startTag(raw []byte) []byte {
	var quote byte
	for i, c := range raw {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return raw[:i]
		}
	}
	return nil
}

func (a *boshes) find(sid string) *bosh {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[sid]
}

// create makes a session and hands its stream to c2s.
func (a *boshes) create(r *http.Request, q *boshReq) (*bosh, *refusal) {
	if q.terminates() || q.restarts() || q.body.First().OK() {
		return nil, refuse(badRequest, "more than a session")
	}
	o := originOf(r)
	b := &bosh{
		all: a, sid: rand.Text(), remote: net.TCPAddrFromAddrPort(o.addr),
		content: contentType(q.body.Attr("content")),
		wait:    time.Duration(numberAttr(q.body, "wait", waitMost, waitMost)) * time.Second,
		hold:    numberAttr(q.body, "hold", holdMost, holdMost), acks: q.body.HasAttr("ack"),
		readBy: newDeadline(), writeBy: newDeadline(), limits: a.srv.cfg.Before,
		first: q.rid, next: q.rid + 1, key: q.body.Attr("newkey"), early: map[uint64]*boshReq{}, held: []*boshReq{q},
		in: appendHeader(nil, q.body, "1.0"), cut: newCutter(),
		fed: make(chan struct{}), taken: make(chan struct{}), drained: make(chan struct{}),
	}
	if b.wait == 0 {
		b.hold = 0
	}
	b.timer = time.AfterFunc(inactivity*time.Second, b.silent)
	a.add(b)
	via := a.srv.via(r, "bosh")
	via.Bound = func() { b.raise(a.srv.bodies()) }
	a.srv.cfg.Accept(b, via)
	return b, nil
}

// bodies bounds a body once its session is bound: clients put several stanzas
// in one, each of which c2s measures by itself.
func (s *Server) bodies() xtok.Limits {
	l := s.cfg.After
	l.Size *= bodyElements
	l.Depth++
	return l
}

// contentType is what a client wants answers to be (XEP-0124 §7.1), as long as a
// browser will not take it for a page.
func contentType(wanted string) string {
	kind, _, _ := strings.Cut(wanted, ";")
	switch strings.TrimSpace(kind) {
	case "text/xml", "application/xml", "text/plain":
		return strings.TrimSpace(kind) + "; charset=utf-8"
	}
	return ""
}

// add takes a session into the table. How many there may be is for c2s to say,
// which asks the budgets as for any other stream.
func (a *boshes) add(b *bosh) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[b.sid] = b
}

// remove forgets a session: requests for it find none.
func (a *boshes) remove(b *bosh) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, b.sid)
}

func (b *bosh) now() xtok.Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limits
}

// admit takes a request once all that came before it is read, so that who
// sends faster than is read has to wait.
func (b *bosh) admit(ctx context.Context, q *boshReq) *refusal {
	for {
		b.mu.Lock()
		waiting, drained := len(b.in) > 0 && q.body.First().OK() && !b.broken && !b.closed, b.drained
		b.mu.Unlock()
		if !waiting {
			b.arrive(q)
			return nil
		}
		select {
		case <-drained:
		case <-ctx.Done():
			return refuse(badRequest, "hung up") // nobody hears it
		}
	}
}

// await waits for the answer to a request; nil when nobody waits for it any more.
func (b *bosh) await(ctx context.Context, q *boshReq) []byte {
	clock := time.NewTimer(max(b.wait, time.Second))
	defer clock.Stop()
	for {
		select {
		case body := <-q.answer:
			return body
		case <-clock.C:
			b.waited(q)
			clock.Reset(waitMost * time.Second)
		case <-ctx.Done():
			b.hungUp(q)
			return nil
		}
	}
}
