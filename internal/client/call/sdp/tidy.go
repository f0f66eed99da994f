package sdp

import (
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

const (
	mostClock    = 1_000_000 // Hz
	mostChannels = 8
	mostMillis   = 1000   // of one packet, and between two reports
	anybody      = "call" // the name of who has told none
)

// tidy leaves of a section what WebRTC programs take: they refuse a whole
// description for one number that another program thinks nothing of.
func (m *Media) tidy() {
	r := &m.RTP
	r.Payloads = usablePayloads(r.Payloads, r.Media)
	r.Extensions = usableExtensions(r.Extensions)
	r.Feedback = usableFeedback(r.Feedback)
	// COMPAT: aTalk and Siskin do not say that they know rtcp-mux; without it browsers
	// refuse a section. What they send then of RTCP elsewhere is not heard.
	r.Mux = true
	m.oneTrack()
	m.Way.Remotes = nil
	m.Way.Candidates = slices.DeleteFunc(slices.Clone(m.Way.Candidates), func(c jingle.Candidate) bool { return c.Component != 1 })
	if len(r.Payloads) == 0 {
		m.reject()
	}
}

func usablePayloads(list []jingle.Payload, kind jingle.Media) (out []jingle.Payload) {
	for _, p := range list {
		p.Channels = max(p.Channels, 1)
		switch {
		case strings.EqualFold(p.Name, "opus"): // RFC 7587 §7: whatever it has
			p.Name, p.Clock, p.Channels = "opus", 48000, 2
		case kind == jingle.Video:
			p.Channels = 1
			p.Clock = uint32(orElse(int(p.Clock), 90000))
		case p.Clock == 0 && p.Name != "" && p.Name == static(p.ID):
			p.Clock = 8000
		}
		if !sound(p, kind) {
			continue
		}
		p.PTime, p.MaxTime = sane(p.PTime), sane(p.MaxTime)
		p.Parameters = usableParameters(p.Parameters)
		p.Feedback = usableFeedback(p.Feedback)
		out = append(out, p)
	}
	return slices.DeleteFunc(slices.Clone(out), func(p jingle.Payload) bool { return orphaned(p, out) })
}

// sound tells whether a codec contradicts neither itself nor what its number
// means to everybody.
// RFC 3551 §6, RFC 5761 §4
func sound(p jingle.Payload, kind jingle.Media) bool {
	switch {
	case fixed(p, kind):
		return true
	case p.Name == "" || p.Clock == 0 || p.Clock > mostClock || p.Channels > mostChannels:
		return false
	case kind == jingle.Audio && p.ID < 35:
		return strings.EqualFold(p.Name, static(p.ID)) && p.Channels == 1 && p.Clock == 8000
	}
	return p.ID < 64 || p.ID >= 96
}

// fixed tells whether the number alone says which codec it is.
// RFC 3551 §6
func fixed(p jingle.Payload, kind jingle.Media) bool {
	return kind == jingle.Audio && p.Name == "" && static(p.ID) != ""
}

// static is the codec that has a number of its own, of those that anybody uses.
func static(id uint8) string {
	switch id {
	case 0:
		return "PCMU"
	case 8:
		return "PCMA"
	case 9:
		return "G722"
	case 13:
		return "CN"
	}
	return ""
}

// orphaned tells whether a codec repeats one that is not there.
// RFC 4588 §8
func orphaned(p jingle.Payload, all []jingle.Payload) bool {
	if !strings.EqualFold(p.Name, "rtx") {
		return false
	}
	apt := parameter(p.Parameters, "apt")
	return !slices.ContainsFunc(all, func(q jingle.Payload) bool {
		return strconv.Itoa(int(q.ID)) == apt && !strings.EqualFold(q.Name, "rtx")
	})
}

func parameter(list []jingle.Parameter, name string) string {
	for _, p := range list {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func sane(millis uint32) uint32 {
	if millis > mostMillis {
		return 0
	}
	return millis
}

// usableParameters are those that an fmtp can say as they are.
func usableParameters(list []jingle.Parameter) (out []jingle.Parameter) {
	size := 0
	for _, p := range list {
		p.Value = strings.TrimSpace(p.Value)
		if p.Value == "" { // COMPAT: some take a value that has no name (red: 111/111) for one
			p.Name, p.Value = "", p.Name
		}
		if p.Name == "" && strings.Contains(p.Value, "=") {
			continue // it would be read as a name
		}
		if size += len(p.Name) + len(p.Value) + 2; p.Value == "" || strings.Contains(p.Value, ";") || size > mostLine/2 {
			continue
		}
		out = addParameter(out, p)
	}
	return out
}

func usableFeedback(list []jingle.Feedback) (out []jingle.Feedback) {
	for _, f := range list {
		// "trr-int" is a number's name, and so can be no type's.
		if f.Interval <= mostMillis && (f.Interval != 0 || f.Type != "" && f.Type != "trr-int") && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// usableExtensions are those of both directions, each once, with a number that
// one byte can hold; 15 ends a packet's extensions.
// RFC 8285 §4.2
func usableExtensions(list []jingle.Extension) (out []jingle.Extension) {
	for _, x := range list {
		again := slices.ContainsFunc(out, func(b jingle.Extension) bool { return b.URI == x.URI || b.ID == x.ID })
		if x.Senders == jingle.Both && x.ID > 0 && x.ID < 256 && x.ID != 15 && !again {
			out = append(out, x)
		}
	}
	return out
}

// oneTrack leaves one source and what repeats and repairs it: a section is of one
// track, and libwebrtc refuses one with more, or with groups that do not match.
// RFC 8829 §5.2.1
func (m *Media) oneTrack() {
	r := &m.RTP
	all, groups := r.Sources, r.SourceGroups
	if len(all) == 0 && r.SSRC != 0 {
		all = []jingle.Source{{SSRC: r.SSRC}}
	}
	r.SSRC, r.Sources, r.SourceGroups = 0, nil, nil
	all = slices.DeleteFunc(slices.Clone(all), func(s jingle.Source) bool { return s.SSRC == 0 })
	groups = pairsOf(groups, all)
	first := slices.IndexFunc(all, func(s jingle.Source) bool { return !seconds(groups, s.SSRC) })
	if m.Direction&SendOnly == 0 {
		m.Stream = ""
		return
	}
	if first < 0 {
		return
	}
	if stream, _, _ := strings.Cut(parameter(all[first].Parameters, "msid"), " "); m.Stream == "" {
		m.Stream = label(stream)
	}
	name := label(parameter(all[first].Parameters, "cname"))
	if name == "" {
		name = anybody
	}
	r.Sources = []jingle.Source{named(all[first].SSRC, name)}
	for _, g := range groups {
		again := slices.ContainsFunc(r.Sources, func(s jingle.Source) bool { return s.SSRC == g.SSRCs[1] }) ||
			slices.ContainsFunc(r.SourceGroups, func(b jingle.SourceGroup) bool { return b.Semantics == g.Semantics })
		if g.SSRCs[0] == all[first].SSRC && !again {
			r.SourceGroups = append(r.SourceGroups, g)
			r.Sources = append(r.Sources, named(g.SSRCs[1], name))
		}
	}
}

func named(ssrc uint32, name string) jingle.Source {
	return jingle.Source{SSRC: ssrc, Parameters: []jingle.Parameter{{Name: "cname", Value: name}}}
}

// pairsOf are the groups of one source with another that repeats or repairs it.
func pairsOf(groups []jingle.SourceGroup, all []jingle.Source) (out []jingle.SourceGroup) {
	is := func(ssrc uint32) bool {
		return slices.ContainsFunc(all, func(s jingle.Source) bool { return s.SSRC == ssrc })
	}
	for _, g := range groups {
		if (g.Semantics == "FID" || g.Semantics == "FEC-FR") && len(g.SSRCs) == 2 && g.SSRCs[0] != g.SSRCs[1] && is(g.SSRCs[0]) && is(g.SSRCs[1]) {
			out = append(out, g)
		}
	}
	return out
}

func seconds(groups []jingle.SourceGroup, ssrc uint32) bool {
	return slices.ContainsFunc(groups, func(g jingle.SourceGroup) bool { return g.SSRCs[1] == ssrc })
}

// agree leaves out what sections of one description contradict each other by:
// sources twice, and within a bundle numbers with two meanings.
// RFC 9143 §9.1, RFC 8285 §6
func (d *Description) agree() {
	d.uniqueSources()
	codecs, extensions := map[uint8]*jingle.Payload{}, map[uint16]string{}
	for _, mid := range d.known(d.Bundle) {
		r := &d.Of(mid).RTP
		r.Payloads = slices.DeleteFunc(slices.Clone(r.Payloads), func(p jingle.Payload) bool {
			before := codecs[p.ID]
			if before == nil {
				codecs[p.ID] = &p
			}
			return before != nil && !sameCodec(*before, p)
		})
		r.Payloads = slices.DeleteFunc(r.Payloads, func(p jingle.Payload) bool { return orphaned(p, r.Payloads) })
		r.Extensions = slices.DeleteFunc(slices.Clone(r.Extensions), func(x jingle.Extension) bool {
			before, ok := extensions[x.ID]
			if !ok {
				extensions[x.ID] = x.URI
			}
			return ok && before != x.URI
		})
		d.Of(mid).tidy()
	}
	d.Bundle = d.known(d.Bundle)
}

func sameCodec(a, b jingle.Payload) bool {
	return strings.EqualFold(a.Name, b.Name) && a.Clock == b.Clock && a.Channels == b.Channels && slices.Equal(a.Parameters, b.Parameters)
}

func (d *Description) uniqueSources() {
	seen := map[uint32]bool{}
	for i := range d.Media {
		m := &d.Media[i]
		m.RTP.Sources = slices.DeleteFunc(slices.Clone(m.RTP.Sources), func(s jingle.Source) bool {
			before := seen[s.SSRC]
			seen[s.SSRC] = true
			return before
		})
		if !m.Rejected {
			m.oneTrack()
		}
	}
}

// clone shares nothing that is changed later.
func (d *Description) clone() *Description {
	out := &Description{Media: slices.Clone(d.Media), Bundle: slices.Clone(d.Bundle), Version: d.Version}
	for i := range out.Media {
		m := &out.Media[i]
		m.RTP.Payloads = slices.Clone(m.RTP.Payloads)
		m.RTP.Extensions = slices.Clone(m.RTP.Extensions)
		m.Way.Candidates = slices.Clone(m.Way.Candidates)
	}
	return out
}

// open counts the sections that are not rejected.
func (d *Description) open() (n int) {
	for i := range d.Media {
		if !d.Media[i].Rejected {
			n++
		}
	}
	return n
}
