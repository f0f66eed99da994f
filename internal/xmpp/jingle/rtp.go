package jingle

import (
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// Media is what is heard or seen.
type Media uint8

// XEP-0167 §4
const (
	Audio Media = iota + 1
	Video
)

// String is the medium as it is written, "" for none.
func (m Media) String() string {
	switch m {
	case Audio:
		return "audio"
	case Video:
		return "video"
	}
	return ""
}

// Description is how a medium can be sent. Keys of SRTP (XEP-0167 §7) have no
// place in it: who offers them beside DTLS is understood without.
// XEP-0167 §4
type Description struct {
	Media        Media
	SSRC         uint32 // 0 if it is not said
	Mux          bool   // RTCP on the same port
	Payloads     []Payload
	Feedback     []Feedback
	Extensions   []Extension
	Mixed        bool // header extensions of one and of two bytes (XEP-0294 §3)
	Sources      []Source
	SourceGroups []SourceGroup
	Categories   Category
}

// Payload is a codec and the number it goes by.
// XEP-0167 §4
type Payload struct {
	ID             uint8  // 0–127
	Name           string // "" for the numbers that have a fixed meaning
	Clock          uint32 // in Hz, 0 if it is not said
	Channels       uint8  // 1 if not said otherwise
	PTime, MaxTime uint32 // ms, 0 if it is not said
	Parameters     []Parameter
	Feedback       []Feedback
}

// Parameter is one of a codec's or source's. The name is "" where the codec has
// one parameter without a name. The value is one line of ASCII.
type Parameter struct{ Name, Value string }

// Feedback is a kind of feedback that is understood, or the interval of regular
// feedback.
// XEP-0293 §3
type Feedback struct {
	Type, Subtype string
	Interval      uint32 // in ms; then there is no type
}

// Extension is the number of a header extension.
// XEP-0294 §3
type Extension struct {
	ID      uint16
	URI     string
	Senders Senders
}

// Source is what is known of one that sends.
// XEP-0339 §3
type Source struct {
	SSRC       uint32
	Parameters []Parameter
}

// SourceGroup says how sources belong together.
// XEP-0339 §3
type SourceGroup struct {
	Semantics string
	SSRCs     []uint32 // never none
}

// Category is what a content shows: a set.
// XEP-0507 §2
type Category uint8

// The categories.
const (
	Slides Category = 1 << iota
	Speaker
	SignLanguage
	Main
	Alternative

	lastCategory = Alternative
)

// String is one category as it is written.
func (c Category) String() string {
	switch c {
	case Slides:
		return "slides"
	case Speaker:
		return "speaker"
	case SignLanguage:
		return "sl"
	case Main:
		return "main"
	case Alternative:
		return "alt"
	}
	return ""
}

const (
	mostUint32    = 1<<32 - 1
	mostExtension = 4351 // RFC 8285 §6
)

// description reads what must be there; complete is one that media can be sent
// by.
func (r *reader) description(e xtok.Elem, complete bool) *Description {
	if !e.OK() {
		r.refuse(Missing, "description")
		return nil
	}
	d := &Description{
		Media:    oneOf(r, e, "media", Audio, Video, 0),
		SSRC:     uint32(r.number(e, "ssrc", 0, mostUint32, 0)),
		Mux:      r.only(e, NSRTP, "rtcp-mux").OK(),
		Feedback: r.feedback(e),
		Mixed:    r.only(e, NSExtend, "extmap-allow-mixed").OK(),
	}
	r.each(e, NSRTP, "payload-type", MostPayloads, func(p xtok.Elem) { r.payload(d, p) })
	if complete && len(d.Payloads) == 0 {
		r.refuse(Missing, "payload-type")
	}
	r.each(e, NSExtend, "rtp-hdrext", MostExtensions, func(x xtok.Elem) { r.extension(d, x) })
	r.each(e, NSSource, "source", MostSources, func(s xtok.Elem) { r.source(d, s) })
	r.each(e, NSSource, "ssrc-group", MostSources, func(g xtok.Elem) { r.sourceGroup(d, g) })
	r.each(e, NSCategory, "category", MostContents, func(c xtok.Elem) {
		for k := Slides; k <= lastCategory; k <<= 1 {
			if c.AttrIs("name", k.String()) {
				d.Categories |= k
			}
		}
	})
	return d
}

func (r *reader) payload(d *Description, e xtok.Elem) {
	p := Payload{
		ID:         uint8(r.number(e, "id", 0, 127, -1)),
		Name:       r.word(e, "name", false, mostName, token),
		Clock:      uint32(r.number(e, "clockrate", 0, mostUint32, 0)),
		Channels:   uint8(r.number(e, "channels", 1, 255, 1)),
		PTime:      uint32(r.number(e, "ptime", 0, mostUint32, 0)),
		MaxTime:    uint32(r.number(e, "maxptime", 0, mostUint32, 0)),
		Parameters: r.parameters(e, NSRTP),
		Feedback:   r.feedback(e),
	}
	for _, before := range d.Payloads {
		if before.ID == p.ID {
			r.refuse(Doubled, "payload-type")
		}
	}
	d.Payloads = append(d.Payloads, p)
}

// parameters reads those of a payload type or source. The same twice is once.
func (r *reader) parameters(e xtok.Elem, ns string) (out []Parameter) {
	r.each(e, ns, "parameter", MostParameters, func(e xtok.Elem) {
		// COMPAT: browsers of Movim have sent a blank behind an msid, on which others
		// choke (https://github.com/movim/movim/issues/1231).
		p := Parameter{r.word(e, "name", false, mostName, key), strings.Trim(e.Attr("value"), " ")}
		r.check(p.Value, "value", mostValue, printable)
		if p.Name == "" && p.Value == "" {
			r.refuse(Missing, "parameter")
		}
		for _, before := range out {
			if before == p {
				return
			}
			if before.Name == p.Name {
				r.refuse(Doubled, "parameter")
			}
		}
		out = append(out, p)
	})
	return out
}

func (r *reader) feedback(e xtok.Elem) (out []Feedback) {
	for c := e.First(); c.OK() && !r.failed(); c = c.Next() {
		var f Feedback
		switch {
		case c.Is(NSFeedback, "rtcp-fb"):
			f.Type = r.word(c, "type", true, mostName, token)
			f.Subtype = r.word(c, "subtype", false, mostName, token)
		case c.Is(NSFeedback, "rtcp-fb-trr-int"):
			f.Interval = uint32(r.number(c, "value", 1, mostUint32, -1))
		default:
			continue
		}
		if len(out) == MostFeedback {
			r.refuse(TooMany, "rtcp-fb")
		}
		out = append(out, f)
	}
	return out
}

func (r *reader) extension(d *Description, e xtok.Elem) {
	x := Extension{
		ID:      uint16(r.number(e, "id", 1, mostExtension, -1)),
		URI:     r.word(e, "uri", true, mostURI, uriChar),
		Senders: oneOf(r, e, "senders", Both, Neither, Both),
	}
	for _, before := range d.Extensions {
		if before.ID == x.ID {
			r.refuse(Doubled, "rtp-hdrext")
		}
	}
	d.Extensions = append(d.Extensions, x)
}

func (r *reader) source(d *Description, e xtok.Elem) {
	s := Source{r.ssrc(e), r.parameters(e, NSSource)}
	for _, before := range d.Sources {
		if before.SSRC == s.SSRC {
			r.refuse(Doubled, "source")
		}
	}
	d.Sources = append(d.Sources, s)
}

func (r *reader) ssrc(e xtok.Elem) uint32 {
	return uint32(r.number(e, "ssrc", 0, mostUint32, -1))
}

func (r *reader) sourceGroup(d *Description, e xtok.Elem) {
	g := SourceGroup{Semantics: r.word(e, "semantics", true, mostName, token)}
	r.each(e, NSSource, "source", MostSources, func(s xtok.Elem) { g.SSRCs = append(g.SSRCs, r.ssrc(s)) })
	if len(g.SSRCs) > 0 {
		d.SourceGroups = append(d.SourceGroups, g)
	}
}

func (w *writer) description(d *Description) {
	w.open("description", NSRTP)
	w.attr("media", d.Media.String())
	w.number("ssrc", int64(d.SSRC), 0)
	w.inside()
	for k := Slides; k <= lastCategory; k <<= 1 {
		if d.Categories&k != 0 {
			w.open("category", NSCategory)
			w.attr("name", k.String())
			w.leaf()
		}
	}
	for i := range d.Payloads {
		w.payload(&d.Payloads[i])
	}
	w.feedback(d.Feedback)
	w.extensions(d)
	for _, s := range d.Sources {
		w.source(s)
	}
	for _, g := range d.SourceGroups {
		w.sourceGroup(g)
	}
	if d.Mux {
		w.empty("rtcp-mux", "")
	}
	w.close("description")
}

func (w *writer) payload(p *Payload) {
	w.open("payload-type", "")
	w.number("id", int64(p.ID), -1)
	w.attr("name", p.Name)
	w.number("clockrate", int64(p.Clock), 0)
	w.number("channels", int64(max(p.Channels, 1)), 1)
	w.number("ptime", int64(p.PTime), 0)
	w.number("maxptime", int64(p.MaxTime), 0)
	if len(p.Parameters)+len(p.Feedback) == 0 {
		w.leaf()
		return
	}
	w.inside()
	w.parameters(p.Parameters)
	w.feedback(p.Feedback)
	w.close("payload-type")
}

func (w *writer) parameters(list []Parameter) {
	for _, p := range list {
		w.open("parameter", "")
		w.must("name", p.Name)
		w.must("value", p.Value)
		w.leaf()
	}
}

func (w *writer) feedback(list []Feedback) {
	for _, f := range list {
		if f.Interval != 0 {
			w.open("rtcp-fb-trr-int", NSFeedback)
			w.number("value", int64(f.Interval), 0)
		} else {
			w.open("rtcp-fb", NSFeedback)
			w.attr("type", f.Type)
			w.attr("subtype", f.Subtype)
		}
		w.leaf()
	}
}

func (w *writer) extensions(d *Description) {
	for _, x := range d.Extensions {
		w.open("rtp-hdrext", NSExtend)
		w.number("id", int64(x.ID), 0)
		w.attr("uri", x.URI)
		w.attr("senders", x.Senders.unlessBoth())
		w.leaf()
	}
	if d.Mixed {
		w.empty("extmap-allow-mixed", NSExtend)
	}
}

func (w *writer) source(s Source) {
	w.open("source", NSSource)
	w.number("ssrc", int64(s.SSRC), -1)
	if len(s.Parameters) == 0 {
		w.leaf()
		return
	}
	w.inside()
	w.parameters(s.Parameters)
	w.close("source")
}

func (w *writer) sourceGroup(g SourceGroup) {
	w.open("ssrc-group", NSSource)
	w.attr("semantics", g.Semantics)
	w.inside()
	for _, ssrc := range g.SSRCs {
		w.open("source", "")
		w.number("ssrc", int64(ssrc), -1)
		w.leaf()
	}
	w.close("ssrc-group")
}
