// Package sm is stream management, XEP-0198 version 1.6.3: acknowledgements and
// resumption. The counting and the queue are core's session; here are the
// elements on the wire. What an <a/> promises is in core: a stanza counts only
// when it is settled, and a kept message settles when it is on disk.
package sm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

const ns = core.NSStreamManagement

// Recovered tells how many stanzas of a session that ended with the process
// are certain to be on disk; ok is false when that is not known.
type Recovered func(session [16]byte) (h uint32, ok bool)

// SM is the feature.
type SM struct {
	router    *core.Router
	recovered Recovered
	most      time.Duration // how long a session may hibernate
}

// New returns the feature. most is what clients are told as the longest time
// to resume.
func New(r *core.Router, recovered Recovered, most time.Duration) *SM {
	return &SM{router: r, recovered: recovered, most: most}
}

// Register attaches the feature.
func (m *SM) Register(h *core.Host) {
	h.Stream(core.StreamFeature{Offer: offer})
	h.Nonza(ns, "enable", m.enable)
	h.Nonza(ns, "resume", m.resume)
	h.Nonza(ns, "r", request)
	h.Nonza(ns, "a", answer)
	h.InlineResume(ns, m.resumeInline)
	h.Inline(ns, "enable", m.enableInline)
}

// XEP-0198 §2
func offer(st core.Stream) []byte {
	if st.Account().IsZero() {
		return nil
	}
	return []byte("<sm xmlns='" + ns + "'/>")
}

// enable is XEP-0198 §3.
func (m *SM) enable(st core.Stream, e xtok.Elem) error {
	s := st.Session()
	if s == nil {
		// XEP-0198 §3: only after a resource is bound
		st.Send(failed("unexpected-request", ""))
		return nil
	}
	resumable := wantsResume(e)
	on := s.EnableSM(resumable, func(id [16]byte) []byte { return m.enabled(resumable, id) })
	if !on {
		s.Push(core.Packet{Segments: [][]byte{failed("unexpected-request", "")}, Nonza: true})
	}
	return nil
}

func wantsResume(e xtok.Elem) bool { return e.AttrIs("resume", "true") || e.AttrIs("resume", "1") }

func (m *SM) enabled(resumable bool, id [16]byte) []byte {
	if !resumable {
		return []byte("<enabled xmlns='" + ns + "'/>")
	}
	return fmt.Appendf(nil, "<enabled xmlns='%s' id='%x' resume='true' max='%d'/>", ns, id, int(m.most.Seconds()))
}

// enableInline turns stream management on while Bind 2 binds.
// XEP-0386 §3.2
func (m *SM) enableInline(s *core.Session, e xtok.Elem) (answer []byte) {
	resumable := wantsResume(e)
	on := s.EnableSM(resumable, func(id [16]byte) []byte {
		answer = m.enabled(resumable, id)
		return nil
	})
	if !on {
		return failed("unexpected-request", "")
	}
	return answer
}

// resume is XEP-0198 §5.
func (m *SM) resume(st core.Stream, e xtok.Elem) error {
	if st.Session() != nil || st.Account().IsZero() {
		st.Send(failed("unexpected-request", ""))
		return nil
	}
	failure, err := m.resumeInline(st, e, func(_ *core.Session, answer []byte) []byte { return answer })
	if failure != nil {
		st.Send(failure)
	}
	return err
}

// resumeInline resumes, or says why not.
func (m *SM) resumeInline(st core.Stream, e xtok.Elem, wrap func(*core.Session, []byte) []byte) (failure []byte, err error) {
	h, err := count(e)
	if err != nil {
		return nil, err
	}
	previous := e.Attr("previd")
	id, ok := parseID(previous)
	s := m.router.Resumable(id)
	// another account's id is as unknown as one that never was
	if !ok || s == nil || s.JID.Bare() != st.Account() {
		return m.unknown(id, ok && s == nil), nil
	}
	err = st.Adopt(s, h, func(handled uint32) []byte {
		return wrap(s, fmt.Appendf(nil, "<resumed xmlns='%s' h='%d' previd='%s'/>", ns, handled, previous))
	})
	switch {
	case errors.Is(err, core.ErrCount):
		return nil, tooHigh(h)
	case err != nil:
		return m.unknown(id, true), nil
	}
	return nil, nil
}

// unknown refuses a resumption. Where the former process recorded how far it
// had got, the client is told: what it need not send again (XEP-0198 §5).
func (m *SM) unknown(id [16]byte, may bool) []byte {
	if h, ok := m.recovered(id); ok && may {
		return failed("item-not-found", " h='"+strconv.FormatUint(uint64(h), 10)+"'")
	}
	return failed("item-not-found", "")
}

// request is the peer's <r/>, answer the peer's <a/> (XEP-0198 §4).
func request(st core.Stream, _ xtok.Elem) error {
	if s := st.Session(); s != nil {
		s.AckRequested()
	}
	return nil
}

func answer(st core.Stream, e xtok.Elem) error {
	h, err := count(e)
	if err != nil {
		return err
	}
	s := st.Session()
	if s == nil || s.Acked(h) {
		return nil
	}
	return tooHigh(h)
}

// count reads the attribute h, which wraps at 2^32 (XEP-0198 §4).
func count(e xtok.Elem) (uint32, error) {
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	if err != nil {
		return 0, &stream.Error{Condition: "bad-format", Text: "h is not a count"}
	}
	return uint32(h), nil
}

// tooHigh is the stream error for a peer that counts what was never sent
// (XEP-0198 §4).
func tooHigh(h uint32) error {
	return &stream.Error{
		Condition: "undefined-condition",
		Text:      "more stanzas acknowledged than were sent",
		App:       fmt.Appendf(nil, "<handled-count-too-high xmlns='%s' h='%d'/>", ns, h),
	}
}

func failed(condition, attr string) []byte {
	return []byte("<failed xmlns='" + ns + "'" + attr + "><" + condition + " xmlns='" + stanza.NSStanzas + "'/></failed>")
}

func parseID(s string) (id [16]byte, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, false
	}
	return [16]byte(b), true
}
