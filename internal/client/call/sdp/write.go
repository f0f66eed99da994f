package sdp

import (
	"fmt"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

// Text is the SDP, as setRemoteDescription of Chromium, Firefox and pion takes
// it. A description that Parse made, or FromSession, can always be written; of
// one that was changed by hand to something that no SDP can say it is an *Error.
// RFC 8866 §5, RFC 8829 §5.2.1
func (d *Description) Text() (string, error) {
	w := &writer{}
	w.line("v=0")
	w.line("o=- 1 %d IN IP4 127.0.0.1", d.Version)
	w.line("s=-")
	w.line("t=0 0")
	if bundle := d.known(d.Bundle); len(bundle) > 0 {
		w.line("a=group:BUNDLE %s", strings.Join(bundle, " "))
	}
	for i := range d.Media {
		w.media(&d.Media[i])
	}
	if w.bad || w.sections != len(d.Media) || len(d.Media) == 0 {
		return "", &Error{What: "this cannot be written"}
	}
	return w.b.String(), nil
}

type writer struct {
	b        strings.Builder
	bad      bool // something would have left its line
	sections int
}

// line writes one line, and only one.
func (w *writer) line(format string, values ...any) {
	s := fmt.Sprintf(format, values...)
	if len(s) > mostLine || !all(s, printable) {
		w.bad = true
		return
	}
	w.b.WriteString(s)
	w.b.WriteString("\r\n")
}

// media writes a section. The port and address are those that say nothing yet.
// RFC 8840 §4.1.1
func (w *writer) media(m *Media) {
	port, ids := 9, ""
	if m.Rejected {
		port = 0
	}
	for _, p := range m.RTP.Payloads {
		ids += fmt.Sprintf(" %d", p.ID)
	}
	if ids == "" {
		ids = " 0"
	}
	w.line("m=%s %d UDP/TLS/RTP/SAVPF%s", m.RTP.Media, port, ids)
	w.sections++
	w.line("c=IN IP4 0.0.0.0")
	if m.Mid != "" {
		w.line("a=mid:%s", m.Mid)
	}
	if m.Rejected {
		w.line("a=inactive")
		return
	}
	w.way(&m.Way)
	w.line("a=%s", m.Direction)
	if m.Direction&SendOnly != 0 {
		w.line("a=msid:%s %s", m.stream(), track(m.Mid))
	}
	w.line("a=rtcp-mux")
	w.rtp(&m.RTP)
	for _, c := range m.Way.Candidates {
		w.line("a=%s", Line(c))
	}
	if m.Way.Complete {
		w.line("a=end-of-candidates")
	}
}

// stream is what to play the section's track with: with all others where nothing
// is said.
// RFC 8830 §2
func (m *Media) stream() string {
	if m.Stream == "" {
		return anybody
	}
	return m.Stream
}

// track is a name for a section's track, other than those of other sections.
func track(mid string) string { return "t-" + label(mid) }

// way is RFC 8839 §5, RFC 8122 §5 and RFC 8842 §5
func (w *writer) way(t *jingle.Transport) {
	w.line("a=ice-ufrag:%s", t.Ufrag)
	w.line("a=ice-pwd:%s", t.Pwd)
	options := "trickle" // whether the other side says so or not: RFC 8838 §3 wants it of us
	if t.Renomination {
		options += " renomination"
	}
	w.line("a=ice-options:%s", options)
	w.line("a=fingerprint:%s %s", t.Fingerprint.Hash, t.Fingerprint.Value)
	w.line("a=setup:%s", t.Fingerprint.Setup)
}

func (w *writer) rtp(r *jingle.Description) {
	if r.Mixed {
		w.line("a=extmap-allow-mixed")
	}
	for _, x := range r.Extensions {
		w.line("a=extmap:%d %s", x.ID, x.URI)
	}
	for i := range r.Payloads {
		w.payload(&r.Payloads[i])
	}
	w.feedback("*", r.Feedback)
	w.times(r.Payloads)
	for _, g := range r.SourceGroups {
		w.line("a=ssrc-group:%s%s", g.Semantics, strings.TrimRight(" "+strings.Trim(fmt.Sprint(g.SSRCs), "[]"), " "))
	}
	for _, s := range r.Sources {
		for _, p := range s.Parameters {
			w.line("a=ssrc:%d %s:%s", s.SSRC, p.Name, p.Value)
		}
	}
}

func (w *writer) payload(p *jingle.Payload) {
	switch {
	case p.Name == "":
	case p.Channels > 1:
		w.line("a=rtpmap:%d %s/%d/%d", p.ID, p.Name, p.Clock, p.Channels)
	default:
		w.line("a=rtpmap:%d %s/%d", p.ID, p.Name, p.Clock)
	}
	w.feedback(fmt.Sprint(p.ID), p.Feedback)
	parts := make([]string, len(p.Parameters))
	for i, q := range p.Parameters {
		if parts[i] = q.Value; q.Name != "" {
			parts[i] = q.Name + "=" + q.Value
		}
	}
	if len(parts) > 0 {
		w.line("a=fmtp:%d %s", p.ID, strings.Join(parts, ";"))
	}
}

func (w *writer) feedback(of string, list []jingle.Feedback) {
	for _, f := range list {
		switch {
		case f.Interval != 0:
			w.line("a=rtcp-fb:%s trr-int %d", of, f.Interval)
		case f.Subtype != "":
			w.line("a=rtcp-fb:%s %s %s", of, f.Type, f.Subtype)
		default:
			w.line("a=rtcp-fb:%s %s", of, f.Type)
		}
	}
}

// times are said once for the section: by the first codec that has them.
// XEP-0167 §6
func (w *writer) times(list []jingle.Payload) {
	var ptime, most uint32
	for i := len(list) - 1; i >= 0; i-- {
		ptime = uint32(orElse(int(list[i].PTime), int(ptime)))
		most = uint32(orElse(int(list[i].MaxTime), int(most)))
	}
	if ptime > 0 {
		w.line("a=ptime:%d", ptime)
	}
	if most > 0 {
		w.line("a=maxptime:%d", most)
	}
}
