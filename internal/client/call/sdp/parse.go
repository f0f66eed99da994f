package sdp

import (
	"strconv"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

// parser reads an SDP line by line. The first error stays.
type parser struct {
	l     Limits
	table map[string]func(*parser, string)
	line  int
	err   *Error

	out     Description
	session Media  // what stands before the sections holds for all of them
	media   *Media // the section that is read, nil before the first

	flagged   bool   // a=bundle-only in this section
	directed  bool   // the section says its direction
	inherited bool   // what the session says was taken over
	stage     string // the letters of the lines that have come
}

// Parse reads what WebRTC programs write. What Jingle cannot say is left out; a
// section that is neither audio nor video, or not keyed by DTLS, is an error, as
// is text that is not SDP. The error is an *Error or ErrInsecure.
// RFC 8866 §5, RFC 8829 §5.2.1
func Parse(text string, l Limits) (*Description, error) {
	p := &parser{l: l, table: attributes()}
	if len(text) > l.bytes() {
		return nil, &Error{What: "over the limit"}
	}
	for p.err == nil && text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		p.line++
		p.read(strings.TrimSuffix(line, "\r"))
		text = rest
	}
	p.endSection()
	if p.err != nil {
		return nil, p.err
	}
	if p.line = 0; len(p.out.Media) == 0 {
		p.fail("no media")
		return nil, p.err
	}
	return p.whole()
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = &Error{p.line, what}
	}
}

func (p *parser) read(line string) {
	switch {
	case p.line > p.l.lines():
		p.fail("too many lines")
		return
	case len(line) > mostLine:
		p.fail("a long line")
		return
	case len(line) < 2 || line[1] != '=' || !all(line, printable):
		p.fail("not a line of SDP")
		return
	}
	kind, value := line[0], line[2:]
	if !p.inOrder(kind, value) {
		p.fail("a line out of order")
		return
	}
	switch kind {
	case 'm':
		p.endSection()
		p.section(value)
	case 'a':
		name, value, _ := strings.Cut(value, ":")
		if read := p.table[name]; read != nil {
			read(p, value)
		}
	}
}

// inOrder lets pass what may stand here. v, o and s come first; what is behind
// the first m-line belongs to a section.
// RFC 8866 §5
func (p *parser) inOrder(kind byte, value string) bool {
	const first, session, section = "vos", "iuepcbtrzka", "mickba"
	at := len(p.stage)
	if at < len(first) {
		p.stage += string(kind)
		return kind == first[at] && (kind != 'v' || value == "0")
	}
	if kind == 'm' || p.media != nil {
		return strings.IndexByte(section, kind) >= 0
	}
	return strings.IndexByte(session, kind) >= 0
}

// section begins one.
// RFC 8866 §5.14
func (p *parser) section(value string) {
	words := strings.Fields(value)
	if len(words) < 4 || len(p.out.Media) == jingle.MostContents {
		p.fail("an m-line that is none, or one too many")
		return
	}
	m := Media{Direction: SendRecv}
	switch words[0] {
	case "audio":
		m.RTP.Media = jingle.Audio
	case "video":
		m.RTP.Media = jingle.Video
	default:
		p.fail("a medium that is no call's")
	}
	port, ok := number(words[1], 65535)
	if !ok {
		p.fail("not a port")
	}
	m.Rejected = port == 0
	// RFC 8829 §5.1.2
	if !strings.HasSuffix(words[2], "RTP/SAVPF") && !strings.HasSuffix(words[2], "TLS/RTP/SAVP") {
		p.fail("media that is not secured")
	}
	p.out.Media = append(p.out.Media, m)
	p.media = &p.out.Media[len(p.out.Media)-1]
	p.flagged, p.directed = false, false
	p.payloads(words[3:])
}

func (p *parser) payloads(words []string) {
	if len(words) > jingle.MostPayloads {
		p.fail("too many codecs")
		return
	}
	for _, w := range words {
		id, ok := number(w, 127)
		if !ok || p.payload(w) != nil {
			p.fail("not a codec's number")
			return
		}
		p.media.RTP.Payloads = append(p.media.RTP.Payloads, jingle.Payload{ID: uint8(id), Channels: 1})
	}
}

// payload is the codec of the section with this number, nil if there is none.
func (p *parser) payload(word string) *jingle.Payload {
	id, ok := number(word, 127)
	if !ok || p.media == nil {
		return nil
	}
	for i := range p.media.RTP.Payloads {
		if p.media.RTP.Payloads[i].ID == uint8(id) {
			return &p.media.RTP.Payloads[i]
		}
	}
	return nil
}

// here is what an attribute is said of: the section, or all of them.
func (p *parser) here() *Media {
	if p.media != nil {
		return p.media
	}
	return &p.session
}

// endSection gives the section what the session says for all, where it does not
// say it itself.
func (p *parser) endSection() {
	m, s := p.media, &p.session
	if m == nil || p.err != nil {
		return
	}
	if !p.directed && p.inherited {
		m.Direction = s.Direction
	}
	if m.Way.Ufrag == "" {
		m.Way.Ufrag, m.Way.Pwd = s.Way.Ufrag, s.Way.Pwd
	}
	if m.Way.Fingerprint.Hash == 0 {
		m.Way.Fingerprint.Hash, m.Way.Fingerprint.Value = s.Way.Fingerprint.Hash, s.Way.Fingerprint.Value
	}
	if m.Way.Fingerprint.Setup == 0 {
		m.Way.Fingerprint.Setup = s.Way.Fingerprint.Setup
	}
	m.Way.Trickle = m.Way.Trickle || s.Way.Trickle
	m.Way.Renomination = m.Way.Renomination || s.Way.Renomination
	m.RTP.Mixed = m.RTP.Mixed || s.RTP.Mixed
	m.Rejected = m.Rejected && !p.flagged // RFC 9143 §6
	// COMPAT: pion gives those that it rejects none.
	if m.Mid == "" && !m.Rejected {
		p.fail("a section without a mid")
	}
	for i := range p.out.Media[:len(p.out.Media)-1] {
		if m.Mid != "" && p.out.Media[i].Mid == m.Mid {
			p.fail("a mid twice")
		}
	}
}

// whole is what was read, if all of it can be used.
func (p *parser) whole() (*Description, error) {
	d := &p.out
	d.Bundle = d.known(d.Bundle)
	d.shareWay()
	for i := range d.Media {
		m := &d.Media[i]
		if m.Rejected {
			m.reject()
			continue
		}
		if f := m.Way.Fingerprint; f.Hash == 0 || f.Setup == 0 {
			return nil, ErrInsecure
		}
		if w := m.Way; len(w.Ufrag) < 4 || len(w.Pwd) < 22 {
			return nil, &Error{What: "a section without ICE"}
		}
		m.tidy()
	}
	d.agree()
	return d, nil
}

// shareWay gives sections of a bundle the way of its first where they have none
// of their own.
// RFC 9143 §7.1.3
func (d *Description) shareWay() {
	if len(d.Bundle) == 0 {
		return
	}
	tag := d.Of(d.Bundle[0])
	for _, mid := range d.Bundle[1:] {
		m := d.Of(mid)
		if m.Way.Ufrag == "" {
			m.Way.Ufrag, m.Way.Pwd = tag.Way.Ufrag, tag.Way.Pwd
		}
		if m.Way.Fingerprint.Hash == 0 || m.Way.Fingerprint.Setup == 0 {
			m.Way.Fingerprint = tag.Way.Fingerprint
		}
	}
}

// Of is the section with this mid, nil if there is none.
func (d *Description) Of(mid string) *Media {
	if d == nil {
		return nil
	}
	for i := range d.Media {
		if d.Media[i].Mid == mid {
			return &d.Media[i]
		}
	}
	return nil
}

// known are the mids that a section has which is not rejected, each once.
func (d *Description) known(mids []string) (out []string) {
	seen := map[string]bool{}
	for _, mid := range mids {
		if m := d.Of(mid); m != nil && !m.Rejected && !seen[mid] {
			seen[mid] = true
			out = append(out, mid)
		}
	}
	return out
}

func number(s string, most uint64) (uint64, bool) {
	if s == "" || s[0] == '+' || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most
}

func all(s string, ok func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func printable(c byte) bool { return c >= ' ' && c < 0x7F }

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// token is RFC 8866 §9, without the two that XML would have to escape.
func token(c byte) bool {
	return alphanumeric(c) || strings.IndexByte("!#$%*+-.^_`{|}~", c) >= 0
}

func iceChar(c byte) bool { return alphanumeric(c) || c == '+' || c == '/' }

// word tells whether s is one of at most this many bytes.
func word(s string, most int, ok func(byte) bool) bool {
	return s != "" && len(s) <= most && all(s, ok)
}
