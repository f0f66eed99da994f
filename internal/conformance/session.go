package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsSM    = "urn:xmpp:sm:3"
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	nsCaps  = "http://jabber.org/protocol/caps"

	// what a session keeps of what comes
	mostKept  = 4096 // elements
	mostBytes = 32 << 20
)

var errSilent = errors.New("no answer in time")

// answerError is an error that somebody answered with.
type answerError struct{ condition, text string }

// Error is the condition, with what of the text fits.
func (e *answerError) Error() string {
	text := []rune(strings.TrimSpace(e.text))
	if len(text) == 0 {
		return e.condition
	}
	if len(text) > 70 {
		text = append(text[:69], '…')
	}
	return e.condition + " (" + string(text) + ")"
}

// readError reads the <error/> of a stanza.
func readError(e xtok.Elem) *answerError {
	out := &answerError{condition: "undefined-condition"}
	for c := range e.Child(stanza.NSClient, "error").Children() {
		switch {
		case c.Is(stanza.NSStanzas, "text"):
			out.text = c.Text()
		case c.NS() == stanza.NSStanzas:
			out.condition = c.Local()
		}
	}
	return out
}

// session is one signed-in stream with an address. A goroutine reads it until
// the connection ends; what comes and answers no question is kept.
type session struct {
	w  *wire
	me jid.JID

	mu      sync.Mutex
	own     []string // features that it answers a disco#info with
	ids     int
	waiting map[string]chan xtok.Elem
	got     []xtok.Elem
	bytes   int           // in got
	changed chan struct{} // closed and replaced when something came
	counts  bool          // stream management is on
	handled uint32
	failed  error
	done    chan struct{}
}

func newSession(w *wire, me jid.JID) *session {
	s := &session{w: w, me: me, waiting: map[string]chan xtok.Elem{}, changed: make(chan struct{}), done: make(chan struct{})}
	go s.read()
	return s
}

func (s *session) read() {
	defer close(s.done)
	for {
		e, err := s.w.next(context.Background())
		s.mu.Lock()
		if err != nil {
			s.failed = err
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			return
		}
		s.take(e)
		s.mu.Unlock()
		s.react(e)
	}
}

// take files an element; s.mu is held.
func (s *session) take(e xtok.Elem) {
	if s.counts && e.NS() == stanza.NSClient {
		s.handled++
	}
	if e.Is(nsSM, "enabled") {
		s.counts, s.handled = true, 0
	}
	if ch := s.waiting[e.Attr("id")]; ch != nil && e.Is(stanza.NSClient, "iq") && (e.AttrIs("type", "result") || e.AttrIs("type", "error")) {
		delete(s.waiting, e.Attr("id"))
		ch <- e
		return
	}
	if size := len(e.Raw()); len(s.got) < mostKept && s.bytes+size <= mostBytes {
		s.got = append(s.got, e)
		s.bytes += size
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// react answers what a client must answer.
func (s *session) react(e xtok.Elem) {
	switch {
	case e.Is(nsSM, "r"):
		s.mu.Lock()
		h := s.handled
		s.mu.Unlock()
		_ = s.w.send("<a xmlns='" + nsSM + "' h='" + strconv.FormatUint(uint64(h), 10) + "'/>")
	case e.Is(stanza.NSClient, "iq") && (e.AttrIs("type", "get") || e.AttrIs("type", "set")):
		_ = s.w.send(s.reply(e))
	}
}

// reply answers a request: what we are, and pushes that were taken note of.
func (s *session) reply(e xtok.Elem) string {
	to := ""
	if from := e.Attr("from"); from != "" {
		to = " to='" + esc(from) + "'"
	}
	id := esc(e.Attr("id"))
	child := e.First()
	switch {
	case child.Is(nsInfo, "query"):
		return "<iq type='result' id='" + id + "'" + to + "><query xmlns='" + nsInfo + "' node='" + esc(child.Attr("node")) + "'>" +
			ownInfo(s.features()) + "</query></iq>"
	case e.AttrIs("type", "set") || child.Is("urn:xmpp:ping", "ping"):
		return "<iq type='result' id='" + id + "'" + to + "/>"
	}
	return "<iq type='error' id='" + id + "'" + to + "><error type='cancel'><service-unavailable xmlns='" + stanza.NSStanzas + "'/></error></iq>"
}

// be sets the features that the session says it has.
func (s *session) be(features []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = features
}

func (s *session) features() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own
}

// mark is a place in what has come, to look from.
func (s *session) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// since are the elements that came after a mark.
func (s *session) since(mark int) []xtok.Elem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]xtok.Elem(nil), s.got[min(mark, len(s.got)):]...)
}

// await waits until something that is wanted has come after a mark.
func (s *session) await(ctx context.Context, mark int, wanted func(xtok.Elem) bool) (xtok.Elem, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, shortPatience, errSilent)
	defer cancel()
	for {
		s.mu.Lock()
		for ; mark < len(s.got); mark++ {
			if wanted(s.got[mark]) {
				e := s.got[mark]
				s.mu.Unlock()
				return e, nil
			}
		}
		changed, failed := s.changed, s.failed
		s.mu.Unlock()
		if failed != nil {
			return xtok.Elem{}, failed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return xtok.Elem{}, context.Cause(ctx)
		}
	}
}

// ask sends a request and waits for its answer; to may be empty for the own
// account. An answer of type error is an *answerError.
func (s *session) ask(ctx context.Context, kind, to, payload string) (xtok.Elem, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	ch := make(chan xtok.Elem, 1)
	s.mu.Lock()
	s.ids++
	id := "c" + strconv.Itoa(s.ids)
	s.waiting[id] = ch
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
	}()
	if to != "" {
		to = " to='" + esc(to) + "'"
	}
	if err := s.w.send("<iq type='" + kind + "' id='" + id + "'" + to + ">" + payload + "</iq>"); err != nil {
		return xtok.Elem{}, fmt.Errorf("the connection is gone: %w", err)
	}
	return s.answer(ctx, ch)
}

func (s *session) answer(ctx context.Context, ch chan xtok.Elem) (xtok.Elem, error) {
	select {
	case e := <-ch:
		if e.AttrIs("type", "error") {
			return e, readError(e)
		}
		return e, nil
	case <-s.done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return xtok.Elem{}, fmt.Errorf("the connection is gone: %w", s.failed)
	case <-ctx.Done():
		return xtok.Elem{}, context.Cause(ctx)
	}
}

func (s *session) get(ctx context.Context, to, payload string) (xtok.Elem, error) {
	return s.ask(ctx, "get", to, payload)
}

func (s *session) set(ctx context.Context, to, payload string) (xtok.Elem, error) {
	return s.ask(ctx, "set", to, payload)
}

// ended tells whether the connection is gone.
func (s *session) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// leave closes the session in good order.
func (s *session) leave() { s.w.end() }
