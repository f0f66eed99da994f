package sdp

import (
	"slices"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

const (
	mostName  = 64 // as in the grammar of Jingle
	mostValue = 256
	mostURI   = 160
	mostMid   = 16 // RFC 9143: it goes in packets
)

// attributes are those that are read; of others nothing is kept.
func attributes() map[string]func(*parser, string) {
	return map[string]func(*parser, string){
		"group":              (*parser).group,
		"mid":                (*parser).mid,
		"bundle-only":        func(p *parser, _ string) { p.flagged = true },
		"sendrecv":           func(p *parser, _ string) { p.direct(SendRecv) },
		"sendonly":           func(p *parser, _ string) { p.direct(SendOnly) },
		"recvonly":           func(p *parser, _ string) { p.direct(RecvOnly) },
		"inactive":           func(p *parser, _ string) { p.direct(Inactive) },
		"rtcp-mux":           func(p *parser, _ string) { p.here().RTP.Mux = true },
		"extmap-allow-mixed": func(p *parser, _ string) { p.here().RTP.Mixed = true },
		"ice-ufrag":          (*parser).ufrag,
		"ice-pwd":            (*parser).pwd,
		"ice-options":        (*parser).options,
		"fingerprint":        (*parser).fingerprint,
		"setup":              (*parser).setup,
		"candidate":          (*parser).candidate,
		"end-of-candidates":  func(p *parser, _ string) { p.here().Way.Complete = true },
		"rtpmap":             (*parser).rtpmap,
		"fmtp":               (*parser).fmtp,
		"rtcp-fb":            (*parser).feedback,
		"ptime":              (*parser).ptime,
		"maxptime":           (*parser).maxptime,
		"extmap":             (*parser).extmap,
		"msid":               (*parser).msid,
		"ssrc":               (*parser).source,
		"ssrc-group":         (*parser).sourceGroup,
	}
}

// group keeps bundles.
// RFC 9143 §7.2
func (p *parser) group(v string) {
	words := strings.Fields(v)
	if p.media != nil || len(words) == 0 || words[0] != "BUNDLE" {
		return
	}
	if len(words) > 1+jingle.MostContents || p.out.Bundle != nil {
		p.fail("too many in a bundle, or two bundles")
		return
	}
	p.out.Bundle = words[1:]
}

func (p *parser) mid(v string) {
	if p.media == nil || p.media.Mid != "" || !word(v, mostName, token) {
		p.fail("not a mid")
		return
	}
	p.media.Mid = v
}

func (p *parser) direct(d Direction) {
	p.here().Direction = d
	if p.media == nil {
		p.inherited = true
	} else {
		p.directed = true
	}
}

// ufrag is RFC 8839 §5.4
func (p *parser) ufrag(v string) {
	if !word(v, mostValue, iceChar) {
		p.fail("not a ufrag")
		return
	}
	p.here().Way.Ufrag = v
}

func (p *parser) pwd(v string) {
	if !word(v, mostValue, iceChar) {
		p.fail("not a password of ICE")
		return
	}
	p.here().Way.Pwd = v
}

func (p *parser) options(v string) {
	words := strings.Fields(v)
	w := &p.here().Way
	w.Trickle = w.Trickle || slices.Contains(words, "trickle")
	w.Renomination = w.Renomination || slices.Contains(words, "renomination")
}

// fingerprint keeps the first that is long enough; shorter ones may stand beside
// it.
// RFC 8122 §5
func (p *parser) fingerprint(v string) {
	name, value, _ := strings.Cut(v, " ")
	f := &p.here().Way.Fingerprint
	for h := jingle.SHA256; h <= jingle.SHA512 && f.Hash == 0; h++ {
		if !strings.EqualFold(name, h.String()) {
			continue
		}
		value = strings.ToUpper(strings.TrimSpace(value))
		if !pairs(value, 16+16*int(h)) {
			p.fail("not a fingerprint")
			return
		}
		f.Hash, f.Value = h, value
	}
}

// pairs tells whether s is XX:XX:… of this many bytes.
func pairs(s string, size int) bool {
	if len(s) != 3*size-1 {
		return false
	}
	for i := 0; i < len(s); i++ {
		hex := s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'F'
		if i%3 == 2 && s[i] != ':' || i%3 != 2 && !hex {
			return false
		}
	}
	return true
}

// setup is RFC 8842 §5.3; what holds an old connection is no call's.
func (p *parser) setup(v string) {
	for s := jingle.ActPass; s <= jingle.PassiveSetup; s++ {
		if v == s.String() {
			p.here().Way.Fingerprint.Setup = s
			return
		}
	}
	p.fail("not a setup")
}

func (p *parser) candidate(v string) {
	c, ok, err := ParseCandidate("candidate:"+v, p.l.Loopback)
	if err != nil || p.media == nil {
		p.fail("not a candidate")
		return
	}
	if w := &p.media.Way; ok && len(w.Candidates) < jingle.MostCandidates {
		w.Candidates = append(w.Candidates, c)
	}
}

// rtpmap is RFC 8866 §6.6. That of a number which the m-line lacks counts for nothing.
func (p *parser) rtpmap(v string) {
	id, codec, _ := strings.Cut(v, " ")
	c := p.payload(id)
	if c == nil {
		return
	}
	parts := strings.Split(codec, "/")
	clock, ok := uint64(0), len(parts) == 2 || len(parts) == 3
	if ok {
		clock, ok = number(parts[1], mostClock)
	}
	if !ok || !word(parts[0], mostName, token) {
		p.fail("not a codec")
		return
	}
	c.Name, c.Clock = parts[0], uint32(clock)
	if len(parts) == 3 {
		n, ok := number(parts[2], 255)
		if !ok || n == 0 {
			p.fail("not a number of channels")
			return
		}
		c.Channels = uint8(n)
	}
}

// fmtp is RFC 8866 §6.15: pairs, or one value without a name.
func (p *parser) fmtp(v string) {
	id, list, _ := strings.Cut(v, " ")
	c := p.payload(id)
	if c == nil {
		return
	}
	for part := range strings.SplitSeq(list, ";") {
		name, value, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, value = "", name
		}
		if value = strings.TrimSpace(value); name+value == "" {
			continue
		}
		if len(c.Parameters) == jingle.MostParameters || len(value) > mostValue || named && !word(name, mostName, parameterName) {
			p.fail("not parameters of a codec")
			return
		}
		c.Parameters = addParameter(c.Parameters, jingle.Parameter{Name: name, Value: value})
	}
}

// parameterName is what can stand before = in an fmtp and in Jingle's grammar.
func parameterName(c byte) bool {
	return c > ' ' && c < 0x7F && strings.IndexByte("=;<>&'\"", c) < 0
}

// addParameter adds one whose name is not there yet.
func addParameter(list []jingle.Parameter, p jingle.Parameter) []jingle.Parameter {
	for _, before := range list {
		if before.Name == p.Name {
			return list
		}
	}
	return append(list, p)
}

// feedback is RFC 4585 §4.2
func (p *parser) feedback(v string) {
	words := strings.Fields(v)
	if len(words) < 2 || p.media == nil || !word(words[1], mostName, token) {
		p.fail("not feedback")
		return
	}
	f := jingle.Feedback{Type: words[1]}
	switch {
	case len(words) > 2 && f.Type == "trr-int":
		n, ok := number(words[2], mostMillis)
		if !ok || n == 0 {
			return
		}
		f = jingle.Feedback{Interval: uint32(n)}
	case len(words) > 2 && word(words[2], mostName, token):
		f.Subtype = words[2]
	}
	list := &p.media.RTP.Feedback
	if words[0] != "*" {
		c := p.payload(words[0])
		if c == nil {
			return
		}
		list = &c.Feedback
	}
	if len(*list) < jingle.MostFeedback && !slices.Contains(*list, f) {
		*list = append(*list, f)
	}
}

func (p *parser) ptime(v string) { p.millis(v, func(c *jingle.Payload, ms uint32) { c.PTime = ms }) }
func (p *parser) maxptime(v string) {
	p.millis(v, func(c *jingle.Payload, ms uint32) { c.MaxTime = ms })
}

// millis gives a length of packets to all codecs, as it holds for all.
// XEP-0167 §6
func (p *parser) millis(v string, set func(*jingle.Payload, uint32)) {
	if n, ok := number(v, mostMillis); ok && p.media != nil {
		for i := range p.media.RTP.Payloads {
			set(&p.media.RTP.Payloads[i], uint32(n))
		}
	}
}

// extmap is RFC 8285 §5. Those for one direction are left out: nothing that a
// call needs is among them.
func (p *parser) extmap(v string) {
	words := strings.Fields(v)
	if len(words) < 2 || p.media == nil || strings.Contains(words[0], "/") {
		return
	}
	id, ok := number(words[0], 255)
	if !ok || id == 0 || !word(words[1], mostURI, uriChar) {
		p.fail("not a header extension")
		return
	}
	if list := &p.media.RTP.Extensions; len(*list) < jingle.MostExtensions {
		*list = append(*list, jingle.Extension{ID: uint16(id), URI: words[1], Senders: jingle.Both})
	}
}

func uriChar(c byte) bool {
	return c > ' ' && c < 0x7F && strings.IndexByte("<>&'\"\\^`{|}", c) < 0
}

// msid is RFC 8830 §2. Of the track's name nothing depends.
func (p *parser) msid(v string) {
	stream, _, _ := strings.Cut(v, " ")
	if p.media != nil && p.media.Stream == "" {
		p.media.Stream = label(stream)
	}
}

// label makes a name of a stream or a participant of what is hardly one: those
// of Firefox have braces, and some have sent blanks behind them, on which
// libwebrtc gives up.
// COMPAT: https://github.com/movim/movim/issues/1231, https://github.com/monal-im/Monal/issues/945
func label(s string) string {
	out := strings.Map(func(c rune) rune {
		if c < 0x80 && (alphanumeric(byte(c)) || strings.ContainsRune("+/_.-", c)) {
			return c
		}
		return -1
	}, s)
	if out = out[:min(len(out), mostName)]; out == "-" {
		return ""
	}
	return out
}

// source is RFC 5576 §4.1: of what is known, the name of who sends.
func (p *parser) source(v string) {
	id, what, _ := strings.Cut(v, " ")
	ssrc, ok := number(id, 1<<32-1)
	if !ok || p.media == nil {
		p.fail("not a source")
		return
	}
	list := &p.media.RTP.Sources
	i := slices.IndexFunc(*list, func(s jingle.Source) bool { return s.SSRC == uint32(ssrc) })
	if i < 0 {
		if i = len(*list); i == jingle.MostSources {
			p.fail("too many sources")
			return
		}
		*list = append(*list, jingle.Source{SSRC: uint32(ssrc)})
	}
	name, value, _ := strings.Cut(what, ":")
	if s := &(*list)[i]; (name == "cname" || name == "msid") && value != "" && len(value) <= mostValue {
		s.Parameters = addParameter(s.Parameters, jingle.Parameter{Name: name, Value: strings.TrimSpace(value)})
	}
}

// sourceGroup is RFC 5576 §4.2
func (p *parser) sourceGroup(v string) {
	words := strings.Fields(v)
	if p.media == nil || len(words) == 0 || !word(words[0], mostName, token) || len(words) > jingle.MostSources {
		p.fail("not a group of sources")
		return
	}
	g := jingle.SourceGroup{Semantics: words[0]}
	for _, w := range words[1:] {
		n, ok := number(w, 1<<32-1)
		if !ok {
			p.fail("not a source")
			return
		}
		g.SSRCs = append(g.SSRCs, uint32(n))
	}
	if list := &p.media.RTP.SourceGroups; len(g.SSRCs) > 0 && len(*list) < jingle.MostSources {
		*list = append(*list, g)
	}
}
