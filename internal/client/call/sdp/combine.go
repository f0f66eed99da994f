package sdp

import (
	"slices"

	"mirsal/internal/xmpp/jingle"
)

// Fingerprints are those of the sections that are not rejected, each once.
func (d *Description) Fingerprints() (out []jingle.Fingerprint) {
	for i := range d.Media {
		m := &d.Media[i]
		f := m.Way.Fingerprint
		f.Setup = 0
		if !m.Rejected && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// SetFingerprint gives a section another fingerprint, and leaves its setup.
func (d *Description) SetFingerprint(mid string, f jingle.Fingerprint) {
	if m := d.Of(mid); m != nil {
		m.Way.Fingerprint.Hash, m.Way.Fingerprint.Value = f.Hash, f.Value
	}
}

// Only is the description with some of its sections. Its bundle stays: a
// content-add says with which contents the new ones share a way.
func (d *Description) Only(mids []string) *Description {
	out := d.clone()
	out.Media = slices.DeleteFunc(out.Media, func(m Media) bool { return !slices.Contains(mids, m.Mid) })
	return out
}

// Added are the mids of sections that d has and before lacks, or had rejected.
func (d *Description) Added(before *Description) (out []string) {
	for i := range d.Media {
		m := &d.Media[i]
		if old := before.Of(m.Mid); !m.Rejected && (old == nil || old.Rejected) {
			out = append(out, m.Mid)
		}
	}
	return out
}

// Restarted are the mids of sections that had other credentials of ICE before.
// RFC 8839 §5.4
func (d *Description) Restarted(before *Description) (out []string) {
	for i := range d.Media {
		m := &d.Media[i]
		if old := before.Of(m.Mid); !m.Rejected && old != nil && !old.Rejected && m.Way.Ufrag != old.Way.Ufrag {
			out = append(out, m.Mid)
		}
	}
	return out
}

// With is the description with sections of another of the same side added, or
// put in the place of those with the same mid.
func (d *Description) With(more *Description) *Description {
	out := d.clone()
	for _, m := range more.clone().Media {
		if old := out.Of(m.Mid); old != nil {
			*old = m
		} else {
			out.Media = append(out.Media, m)
		}
	}
	out.bundleWith(more)
	out.agree()
	return out
}

// bundleWith takes over the bundle that more names. One that names none adds to
// the bundle what has its credentials.
func (d *Description) bundleWith(more *Description) {
	if len(more.Bundle) > 0 {
		for _, mid := range more.Bundle {
			if !slices.Contains(d.Bundle, mid) {
				d.Bundle = append(d.Bundle, mid)
			}
		}
		return
	}
	if len(d.Bundle) == 0 {
		return
	}
	tag := d.Of(d.Bundle[0])
	for i := range more.Media {
		if m := &more.Media[i]; tag != nil && m.Way.Ufrag == tag.Way.Ufrag && !slices.Contains(d.Bundle, m.Mid) {
			d.Bundle = append(d.Bundle, m.Mid)
		}
	}
}

// Answering is the description as an answer to an offer: its sections in the
// offer's order, rejected where there is none; named as the offer names them,
// those that are not by their medium; sending only what the offer receives;
// beginning the handshake or waiting for it (theirs is what this side was found to
// do before, 0 if nothing). names learns other names.
// RFC 8829 §5.3.1, RFC 8842 §5.3, RFC 9143 §7.3
func (d *Description) Answering(offer *Description, theirs jingle.Setup, names *Names) *Description {
	rest := d.clone()
	rest.rename(offer, names)
	out := &Description{Version: d.Version}
	for i := range offer.Media {
		want := &offer.Media[i]
		m := rest.Of(want.Mid)
		if m == nil || m.Rejected || want.Rejected || m.RTP.Media != want.RTP.Media {
			m = &Media{Mid: want.Mid, RTP: jingle.Description{Media: want.RTP.Media}}
			m.reject()
		} else {
			m.answer(want, theirs)
		}
		out.Media = append(out.Media, *m)
	}
	bundle := out.known(rest.Bundle)
	out.Bundle = slices.DeleteFunc(out.known(offer.Bundle), func(mid string) bool { return !slices.Contains(bundle, mid) })
	out.agree()
	return out
}

// rename gives sections that the offer does not know the mid of the first of its
// sections of the same medium that has no answer.
// COMPAT: https://github.com/dino/dino/issues/1214
func (d *Description) rename(offer *Description, names *Names) {
	for i := range d.Media {
		m := &d.Media[i]
		if offer.Of(m.Mid) != nil {
			continue
		}
		for j := range offer.Media {
			want := &offer.Media[j]
			if d.Of(want.Mid) != nil || want.Rejected || want.RTP.Media != m.RTP.Media {
				continue
			}
			d.call(m, want.Mid, names)
			break
		}
	}
}

// call gives a section another mid.
func (d *Description) call(m *Media, mid string, names *Names) {
	if at := slices.Index(d.Bundle, m.Mid); at >= 0 {
		d.Bundle[at] = mid
	}
	names.same(m.Mid, mid)
	m.Mid = mid
}

// answer makes of a section one that answers want.
func (m *Media) answer(want *Media, theirs jingle.Setup) {
	m.Direction &= want.Direction.turned()
	f := &m.Way.Fingerprint
	if f.Setup == jingle.ActPass {
		f.Setup = theirs
	}
	// COMPAT: https://github.com/dino/dino/issues/1072: an answer must choose.
	if f.Setup == 0 || f.Setup == jingle.ActPass {
		f.Setup = opposite(want.Way.Fingerprint.Setup)
	}
	m.oneTrack()
}

// opposite is who begins where the other is this one. Who answers one that leaves
// it open begins.
// RFC 5763 §5
func opposite(s jingle.Setup) jingle.Setup {
	if s == jingle.ActiveSetup {
		return jingle.PassiveSetup
	}
	return jingle.ActiveSetup
}

// offering leaves open in every section who begins the handshake, as each new
// offer does.
// RFC 8842 §5.2
func (d *Description) offering() *Description {
	out := d.clone()
	for i := range out.Media {
		if m := &out.Media[i]; !m.Rejected {
			m.Way.Fingerprint.Setup = jingle.ActPass
		}
	}
	return out
}

// rejecting is the description without the sections that the other side's has
// rejected.
func (d *Description) rejecting(others *Description) *Description {
	out := d.clone()
	for i := range out.Media {
		m := &out.Media[i]
		if o := others.Of(m.Mid); o != nil && o.Rejected && !m.Rejected {
			m.reject()
		}
	}
	out.agree()
	return out
}

// reject leaves of a section its place.
func (m *Media) reject() {
	*m = Media{Mid: m.Mid, Rejected: true, RTP: jingle.Description{Media: m.RTP.Media}}
}

// follows tells whether an answer has the sections of its offer. Those that are
// rejected and have no mid get it.
// RFC 8829 §5.3.1
func (d *Description) follows(offer *Description) bool {
	if len(d.Media) != len(offer.Media) {
		return false
	}
	for i := range d.Media {
		m, want := &d.Media[i], &offer.Media[i]
		if m.Mid == "" {
			m.Mid = want.Mid
		}
		if m.Mid != want.Mid || m.RTP.Media != want.RTP.Media || want.Rejected && !m.Rejected {
			return false
		}
	}
	return true
}
