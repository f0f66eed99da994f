//go:build !js

package seat

import (
	"slices"
	"strings"
	"testing"
)

// of is a description of audio and, if there is a ufrag for it, of video, as those make it who know no bundles.
func of(setup, audio, video string) string {
	section := func(media, codec, mid, ufrag string) string {
		return "m=" + media + " 9 UDP/TLS/RTP/SAVPF 99\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\na=ice-ufrag:" + ufrag + "\r\na=ice-pwd:NmwqlS5rb0c/sjgVJ5qeeb\r\n" +
			"a=fingerprint:sha-256 " + strings.Repeat("66:", 31) + "66\r\na=setup:" + setup + "\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:99 " + codec + "\r\n"
	}
	out := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + section("audio", "opus/48000/2", "audio", audio)
	if video != "" {
		out += section("video", "VP8/90000", "video", video)
	}
	return out
}

// heard takes what the seat tells.
type heard struct{ sdp string }

func (h *heard) Described(sdp string)   { h.sdp = sdp }
func (h *heard) Address(string, string) {}
func (h *heard) Connected()             {}
func (h *heard) Broken()                {}
func (h *heard) Failed(string)          {}

func newSeat(t *testing.T) (*Seat, *heard) {
	t.Helper()
	h := &heard{}
	s := New(Config{}, h)
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Open(true); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(nil, false); err != nil {
		t.Fatal(err)
	}
	return s, h
}

func TestWhoKnowsNoBundlesIsAnsweredBySound(t *testing.T) {
	for _, video := range []string{"", "iDP1"} {
		s, h := newSeat(t)
		if err := s.Remote(of("actpass", "iDP0", video), true); err != nil {
			t.Fatal(err)
		}
		if err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(h.sdp, "m=audio 9 ") || strings.Contains(h.sdp, "BUNDLE") || (video != "") != strings.Contains(h.sdp, "m=video 0 ") {
			t.Errorf("the answer is %s", h.sdp)
		}
	}
}

func TestWhoKnowsNoBundlesAnswers(t *testing.T) {
	s, h := newSeat(t)
	if err := s.Offer(); err != nil {
		t.Fatal(err)
	}
	answer := of("active", "iDP0", "iDP1")
	for _, m := range []struct{ was, kind string }{{"audio", "m=audio"}, {"video", "m=video"}} {
		_, section, _ := strings.Cut(h.sdp, m.kind)
		codec := strings.Fields(section)[2]
		section, _, _ = strings.Cut(section, "\nm=")
		before, rest, _ := strings.Cut(answer, m.kind)
		mine, after, more := strings.Cut(rest, "\nm=")
		mine = strings.NewReplacer("a=mid:"+m.was, "a=mid:"+midOf(section), "SAVPF 99", "SAVPF "+codec, "rtpmap:99", "rtpmap:"+codec).Replace(mine)
		answer = before + m.kind + mine
		if more {
			answer += "\nm=" + after
		}
	}
	if err := s.Remote(answer, false); err != nil {
		t.Fatalf("%v of %s", err, answer)
	}
}

// nameless is an end whose descriptions name no sources, as Dino's do.
type nameless struct{ *end }

func (n nameless) Described(sdp string) {
	lines := strings.SplitAfter(sdp, "\n")
	n.end.Described(strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "a=ssrc") }), ""))
}

func TestWhoNamesNoSourcesIsHeard(t *testing.T) {
	alice, bob := two(t, Config{}, Config{})
	bob.Seat.to = nameless{bob}
	bob.must(bob.open(false))
	alice.must(alice.open(false), alice.create(nil, false), alice.call)
	alice.counted("sound", func(s Stats) bool { return s.Audio.Packets > 5 })
}
