package sdp

import (
	"slices"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

const mostH264 = 2 // of a browser's six

// Prune leaves the codecs and header extensions that calls between XMPP programs
// use: opus (and red, which repeats it), PCMU, PCMA and telephone-event; VP8, VP9,
// H264 and what repeats them. A browser's offer of audio and video becomes a
// third as long. Prune offers only, of either side: an answer has no more than
// its offer. A section of which nothing would be left is left as it is.
func (d *Description) Prune() *Description {
	out := d.clone()
	for i := range out.Media {
		if m := &out.Media[i]; !m.Rejected {
			m.prune()
		}
	}
	return out
}

func (m *Media) prune() {
	r := &m.RTP
	var kept []jingle.Payload
	h264 := 0
	for _, p := range r.Payloads {
		if strings.EqualFold(p.Name, "H264") {
			if !baseline(p) || h264 == mostH264 {
				continue
			}
			h264++
		}
		if fixed(p, r.Media) || slices.Contains(codecs(r.Media), strings.ToLower(p.Name)) {
			kept = append(kept, p)
		}
	}
	kept = slices.DeleteFunc(kept, func(p jingle.Payload) bool { return orphaned(p, kept) })
	if slices.ContainsFunc(kept, func(p jingle.Payload) bool { return carries(p) }) {
		r.Payloads = kept
	}
	r.Extensions = slices.DeleteFunc(r.Extensions, func(x jingle.Extension) bool { return !slices.Contains(extensions(), x.URI) })
}

func codecs(kind jingle.Media) []string {
	if kind == jingle.Audio {
		return []string{"opus", "red", "pcmu", "pcma", "telephone-event"}
	}
	return []string{"vp8", "vp9", "h264", "rtx"}
}

// carries tells whether a codec carries media by itself.
func carries(p jingle.Payload) bool {
	return !slices.Contains([]string{"red", "rtx", "telephone-event", "ulpfec", "flexfec-03", "cn"}, strings.ToLower(p.Name)) && p.ID != 13
}

// baseline is the H264 that all have.
// RFC 7742 §6.2
func baseline(p jingle.Payload) bool {
	profile := strings.ToLower(parameter(p.Parameters, "profile-level-id"))
	return parameter(p.Parameters, "packetization-mode") == "1" && (profile == "" || strings.HasPrefix(profile, "42"))
}

func extensions() []string {
	return []string{
		"urn:ietf:params:rtp-hdrext:sdes:mid",
		"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
		"urn:ietf:params:rtp-hdrext:toffset",
		"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
		"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
		"urn:3gpp:video-orientation",
	}
}
