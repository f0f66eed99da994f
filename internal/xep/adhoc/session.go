package adhoc

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Bounds of executions that wait for their next step.
const (
	sessionLife    = 10 * time.Minute
	sessionsEach   = 5 // of one session of a client; one more ends the oldest
	sessionsMost   = 1000
	answersMost    = 64 << 10 // bytes of answers that one keeps for its next steps
	sessionIDBytes = 26       // of rand.Text
)

// session is one execution. It is its client's reader that works on it.
type session struct {
	id, node string
	step     int
	answers  form.Form // of the steps before
	since    time.Time // of the last step
}

// sessions are the executions by who began them, a full JID.
type sessions struct {
	mu   sync.Mutex // held for moments only
	of   map[jid.JID][]*session
	many int
}

func newSessions() sessions { return sessions{of: map[jid.JID][]*session{}} }

// begin makes one; the oldest of the asker's goes where there are too many.
func (s *sessions) begin(who jid.JID, node string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(who)
	if s.many >= sessionsMost {
		for other := range s.of {
			s.forget(other)
		}
	}
	list := s.of[who]
	if len(list) >= sessionsEach {
		s.set(who, list[1:])
	}
	if s.many >= sessionsMost {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many commands are under way; try again in a few minutes")
	}
	made := &session{id: rand.Text(), node: node, since: time.Now()}
	s.set(who, append(slices.Clone(s.of[who]), made))
	return made, nil
}

// forget drops an asker's executions that are too old; under mu.
func (s *sessions) forget(who jid.JID) {
	s.set(who, slices.DeleteFunc(slices.Clone(s.of[who]), func(x *session) bool { return time.Since(x.since) > sessionLife }))
}

// set is under mu.
func (s *sessions) set(who jid.JID, list []*session) {
	s.many += len(list) - len(s.of[who])
	if len(list) == 0 {
		delete(s.of, who)
		return
	}
	s.of[who] = list
}

// find is the execution that the asker goes on with.
// XEP-0050#desc-errors
func (s *sessions) find(who jid.JID, id, node string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(who)
	for _, x := range s.of[who] {
		if x.id == id && x.node == node {
			x.since = time.Now()
			return x, nil
		}
	}
	if len(id) == sessionIDBytes {
		return nil, stanza.Errorf(stanza.NotAllowed, "this has ended or waited for too long; begin anew").WithApp(ns, "session-expired")
	}
	return nil, stanza.Errorf(stanza.BadRequest, "this has not been begun").WithApp(ns, "bad-sessionid")
}

// drop ends one, end all of one asker's.
func (s *sessions) drop(who jid.JID, x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(who, slices.DeleteFunc(slices.Clone(s.of[who]), func(o *session) bool { return o == x }))
}

func (s *sessions) end(who jid.JID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(who, nil)
}
