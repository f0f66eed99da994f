package sdp_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/call/sdp"
	"mirsal/internal/xmpp/jingle"
)

// What other programs have fallen over, by where it was reported.

// fed is what a seat is fed of a session-initiate.
func fed(t *testing.T, s jingle.Session) string {
	t.Helper()
	d, err := sdp.FromSession(s, jingle.Initiator, &sdp.Names{})
	if err != nil {
		t.Fatal(err)
	}
	return text(t, d)
}

func TestMovim1231MsidWithBracesAndABlank(t *testing.T) {
	out := fed(t, session(t, "Movim with Firefox"))
	has(t, out, "a=msid:24e45f2b-5a3c-45b5-9d2c-3b2c8b8b9a10 t-1", "a=ssrc:134219770 cname:8c7db19c-9153-48f2-b62b-c1042bc76bbd")
	hasNot(t, out, "{", "}", " \r\n")
}

func TestMonal945WhatFirefoxWritesLeavesWithoutBraces(t *testing.T) {
	s, err := parse(t, fixture(t, "firefox-offer-video")).Session(sdp.Head{Action: jingle.SessionInitiate, SID: "a", Side: jingle.Initiator}, &sdp.Names{})
	if err != nil {
		t.Fatal(err)
	}
	out := string(s.Append(nil))
	hasNot(t, out, "{", "}", " '", ".local")
	if !strings.Contains(out, "name='msid' value='24e45f2b-5a3c-45b5-9d2c-3b2c8b8b9a10 t-0'") {
		t.Errorf("%s", out)
	}
}

func TestMovim957FirefoxAnswersChromium(t *testing.T) {
	x := &sdp.Exchange{Side: jingle.Initiator, SID: "a"}
	must[sdp.Next](t)(x.Offered(fixture(t, "chromium-offer-video")))
	s, err := parse(t, fixture(t, "firefox-answer-video")).Session(sdp.Head{Action: jingle.SessionAccept, SID: "a", Side: jingle.Responder}, &sdp.Names{})
	if err != nil {
		t.Fatal(err)
	}
	feed := must[sdp.Feed](t)(x.Hear(s))
	has(t, feed.SDP, "a=group:BUNDLE 0 1", "a=setup:active", "a=rtpmap:109 opus/48000/2")
	if i, j := strings.Index(feed.SDP, "m=audio"), strings.Index(feed.SDP, "m=video"); i < 0 || j < i {
		t.Errorf("the order of\n%s", feed.SDP)
	}
}

func TestDino1072AnAnswerNeverLeavesTheHandshakeOpen(t *testing.T) {
	offer := fixture(t, "chromium-offer-audio")
	// The other side's: in the grammar there is none, and what is composed has none.
	d := parse(t, offer).Answering(parse(t, offer), 0, &sdp.Names{})
	has(t, text(t, d), "a=setup:active")
	// Our seat's.
	w := call(t)
	_, feed := w.offers(w.caller, w.callee, offer)
	_, err := w.callee.Answered(w.answerTo(feed.SDP, func(d *sdp.Description) { d.Media[0].Way.Fingerprint.Setup = jingle.ActPass }))
	var refused *jingle.Refusal
	if !errors.As(err, &refused) {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestDino1214ContentsNamedDifferently(t *testing.T) {
	x := &sdp.Exchange{Side: jingle.Initiator, SID: "a"}
	next := must[sdp.Next](t)(x.Offered(fixture(t, "chromium-offer-video")))
	s := over(t, next.Sessions[0])
	s.Action = jingle.SessionAccept
	slices.Reverse(s.Contents)
	s.Contents[0].Name, s.Contents[1].Name = "webcam", "this-is-the-audio-content"
	s.Groups[0].Names = []string{"webcam", "this-is-the-audio-content"}
	for i := range s.Contents {
		s.Contents[i].Creator = jingle.Responder
		way := *s.Contents[i].Transport
		way.Fingerprint.Setup = jingle.ActiveSetup
		s.Contents[i].Transport = &way
	}
	feed := must[sdp.Feed](t)(x.Hear(s))
	parts := sections(feed.SDP)
	if len(parts) != 3 || !strings.HasPrefix(parts[1], "audio 9") || !strings.HasPrefix(parts[2], "video 9") {
		t.Fatalf("%s", feed.SDP)
	}
	has(t, parts[1]+"\r\n", "a=mid:0")
	has(t, parts[2]+"\r\n", "a=mid:1")
	has(t, feed.SDP, "a=group:BUNDLE 0 1")
	// Its addresses go by its names.
	late := found("webcam", s.Contents[0].Transport.Ufrag)
	late.Contents[0].Creator = jingle.Responder
	if feed = must[sdp.Feed](t)(x.Hear(late)); len(feed.Addresses) != 1 || feed.Addresses[0].Mid != "1" {
		t.Errorf("%+v", feed)
	}
}

func TestSiskin167WhoAnswersNamesHimselfTheCreator(t *testing.T) {
	x := &sdp.Exchange{Side: jingle.Initiator, SID: "abc"}
	must[sdp.Next](t)(x.Offered(strings.NewReplacer("a=mid:0", "a=mid:audio", "BUNDLE 0", "BUNDLE audio").Replace(fixture(t, "chromium-offer-audio"))))
	feed := must[sdp.Feed](t)(x.Hear(session(t, "Siskin, accept")))
	// It says that only the initiator sends.
	has(t, feed.SDP, "a=mid:audio", "a=recvonly", "a=setup:active")
}

func TestAnAnswerWithoutAContentRejectsItsSection(t *testing.T) {
	x := &sdp.Exchange{Side: jingle.Initiator, SID: "a"}
	next := must[sdp.Next](t)(x.Offered(fixture(t, "chromium-offer-video")))
	s := over(t, next.Sessions[0])
	s.Action, s.Contents, s.Groups = jingle.SessionAccept, s.Contents[:1], nil
	s.Contents[0].Transport.Fingerprint.Setup = jingle.PassiveSetup
	feed := must[sdp.Feed](t)(x.Hear(s))
	if !strings.Contains(feed.SDP, "m=video 0 ") || strings.Contains(feed.SDP, "BUNDLE") {
		t.Errorf("%s", feed.SDP)
	}
	has(t, feed.SDP, "a=setup:passive")
}

func TestAnAnswerSendsOnlyWhatIsReceived(t *testing.T) {
	offer := parse(t, strings.Replace(fixture(t, "chromium-offer-audio"), "a=sendrecv", "a=sendonly", 1))
	d := parse(t, fixture(t, "chromium-offer-audio")).Answering(offer, jingle.ActiveSetup, &sdp.Names{})
	out := text(t, d)
	has(t, out, "a=recvonly")
	hasNot(t, out, "a=ssrc", "a=msid")
}

// aTalk and Siskin say nothing of it; a browser refuses a section without.
func TestRTCPIsOnTheSamePortWhetherItIsSaidOrNot(t *testing.T) {
	has(t, fed(t, session(t, "Movim with Firefox")), "a=rtcp-mux")
}

// Dino's offers have no group: each content has its own way.
func TestWithoutAGroupThereIsNoBundle(t *testing.T) {
	out := fed(t, open(session(t, "dino.txt: initiate")))
	hasNot(t, out, "BUNDLE", "component", "crypto")
	has(t, out, "a=mid:audio", "a=mid:video", "a=ice-options:trickle")
	if _, err := sdp.FromSession(session(t, "dino.txt: initiate"), jingle.Initiator, &sdp.Names{}); !errors.Is(err, sdp.ErrSealed) {
		t.Errorf("of a sealed fingerprint: %v", err)
	}
}

func TestCodecsAsLibwebrtcTakesThem(t *testing.T) {
	s := session(t, "stanza.js, initiate")
	a, v := s.Contents[0].Description, s.Contents[1].Description
	a.Payloads = append(a.Payloads,
		jingle.Payload{ID: 72, Name: "PCMU", Clock: 8000, Channels: 1},                                                    // RTCP's
		jingle.Payload{ID: 100, Name: "OPUS", Clock: 16000, Channels: 1},                                                  // whatever it has
		jingle.Payload{ID: 101, Name: "speex", Channels: 1},                                                               // no clock
		jingle.Payload{ID: 13, Name: "CN", Channels: 1},                                                                   // the number says it
		jingle.Payload{ID: 63, Name: "red", Clock: 48000, Channels: 2, Parameters: []jingle.Parameter{{Name: "111/111"}}}, // a value for a name
	)
	a.Payloads = append(a.Payloads,
		jingle.Payload{ID: 9, Name: "speex", Clock: 8000, Channels: 1}, // G722's
		jingle.Payload{ID: 8, Name: "PCMA", Clock: 8000, Channels: 2},
		jingle.Payload{ID: 114, Name: "L16", Clock: 48000, Channels: 255},
	)
	v.Payloads = append(v.Payloads,
		jingle.Payload{ID: 111, Name: "VP9", Clock: 90000, Channels: 1}, // is opus in the bundle
		jingle.Payload{ID: 112, Name: "rtx", Clock: 90000, Channels: 1, Parameters: []jingle.Parameter{{Name: "apt", Value: "111"}}},
		jingle.Payload{ID: 113, Name: "AV1", Channels: 1},
	)
	v.Extensions = append(v.Extensions, jingle.Extension{ID: 1, URI: "urn:other", Senders: jingle.Both}, jingle.Extension{ID: 15, URI: "urn:a", Senders: jingle.Both},
		jingle.Extension{ID: 300, URI: "urn:b", Senders: jingle.Both}, jingle.Extension{ID: 9, URI: "urn:3gpp:video-orientation", Senders: jingle.Both})
	out := fed(t, s)
	has(t, out, "a=rtpmap:100 opus/48000/2", "a=rtpmap:13 CN/8000", "a=fmtp:63 111/111", "a=rtpmap:113 AV1/90000", "a=rtcp-fb:102 trr-int 100")
	hasNot(t, out, ":72 ", "speex", "PCMA", "L16", "VP9", "a=rtpmap:112", "urn:other", "a=extmap:15", "a=extmap:300", "a=extmap:9")
}

func TestASectionHasOneTrack(t *testing.T) {
	s := session(t, "stanza.js, initiate")
	a, v := s.Contents[0].Description, s.Contents[1].Description
	v.Sources = append([]jingle.Source{{SSRC: 1145569249}}, v.Sources...)
	v.Sources[0], v.Sources[1] = v.Sources[1], v.Sources[0]
	v.Sources = append(v.Sources, jingle.Source{SSRC: a.Sources[0].SSRC}, jingle.Source{})
	v.SourceGroups = append(v.SourceGroups, jingle.SourceGroup{Semantics: "SIM", SSRCs: []uint32{3883348418, 1145569249}},
		jingle.SourceGroup{Semantics: "FID", SSRCs: []uint32{3883348418, 77}})
	out := fed(t, s)
	has(t, out, "a=ssrc-group:FID 3883348418 1145569248", "a=ssrc:3883348418 cname:u3LAp+BOnJSyXEld", "a=ssrc:1145569248 cname:u3LAp+BOnJSyXEld")
	hasNot(t, out, "SIM", "1145569249", "ssrc:0 ")
	if strings.Count(out, "a=ssrc:2992613145 ") != 1 {
		t.Errorf("one source in two sections:\n%s", out)
	}
}

func TestNamesOfOthersBecomeMidsAndBack(t *testing.T) {
	var names sdp.Names
	s := session(t, "two pictures")
	s.Contents[0].Name, s.Contents[1].Name = "a;b=c|d", "this-is-the-video-content"
	d, err := sdp.FromSession(s, jingle.Initiator, &names)
	if err != nil {
		t.Fatal(err)
	}
	has(t, text(t, d), "a=mid:c0", "a=mid:c1")
	for i, mid := range []string{"c0", "c1"} {
		if creator, name := names.Content(mid, jingle.Responder); creator != jingle.Initiator || name != s.Contents[i].Name {
			t.Errorf("%s is %s of the %s", mid, name, creator)
		}
	}
	// Both sides may call a content the same.
	s.Contents, s.Action = s.Contents[:1], jingle.ContentAdd
	s.Contents[0].Creator = jingle.Responder
	if d, err = sdp.FromSession(s, jingle.Responder, &names); err != nil || d.Media[0].Mid != "c2" {
		t.Errorf("%v %+v", err, d)
	}
	for range 100 {
		s.Contents[0].Name += "x"
		if len(s.Contents[0].Name) > 60 {
			s.Contents[0].Name = "y" + s.Contents[0].Name[30:]
		}
		if _, err = sdp.FromSession(s, jingle.Responder, &names); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("names without end")
	}
}

func TestCandidates(t *testing.T) {
	const good = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"
	for line, want := range map[string]string{
		good:        good + " generation 0",
		"a=" + good: good + " generation 0",
		good + " generation 3 ufrag x network-id 1 network-cost 10":                 good + " generation 3",
		"candidate:1 1 UDP 1 ::ffff:192.0.2.1 5000 typ relay raddr 0.0.0.0 rport 0": "candidate:1 1 udp 1 192.0.2.1 5000 typ relay raddr 0.0.0.0 rport 0 generation 0",
		"candidate:1 1 tcp 1 2001:db8::1 9 typ host tcptype active":                 "candidate:1 1 tcp 1 2001:db8::1 9 typ host tcptype active generation 0",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ srflx raddr x.local rport 9":        "candidate:1 1 udp 1 192.0.2.1 5000 typ srflx generation 0",
		"candidate:1 1 udp 1 0b3b5a0e.local 5000 typ host":                          "",
		"candidate:1 1 tcp 1 192.0.2.1 9 typ host":                                  "",
		"candidate:1 1 udp 1 192.0.2.1 9 typ host tcptype active":                   "",
		"candidate:1 1 ssltcp 1 192.0.2.1 443 typ relay":                            "",
		"candidate:1 2 udp 1 192.0.2.1 5000 typ host":                               "",
		"candidate:1 1 udp 1 127.0.0.1 5000 typ host":                               "",
		"candidate:1 1 udp 1 ::1 5000 typ host":                                     "",
		"candidate:1 1 udp 1 0.0.0.0 5000 typ host":                                 "",
		"candidate:1 1 udp 1 192.0.2.1 0 typ host":                                  "",
		"candidate:1 1 udp 1 fe80::1%eth0 5000 typ host":                            "",
		"":                                       "error",
		"candidate:":                             "error",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ": "error",
		"candidate:1 1 udp 0 192.0.2.1 5000 typ host":                                "error",
		"candidate:1 1 udp 4294967295 192.0.2.1 5000 typ host":                       "error",
		"candidate:1 1 udp 1 192.0.2.1 70000 typ host":                               "error",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ other":                               "error",
		"candidate:1 1 udp 1 192.0.2.1 5000 kind host":                               "error",
		"candidate:a.b 1 udp 1 192.0.2.1 5000 typ host":                              "error",
		"candidate:1 1 udp 1 <x> 5000 typ host":                                      "error",
		good + " rport 99999":                                                        "error",
		good + " generation 256":                                                     "error",
		good + "\r\na=x":                                                             "error",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ host" + strings.Repeat(" a b", 1000): "error",
		"candidate:" + strings.Repeat("1", 33) + " 1 udp 1 192.0.2.1 5000 typ host":  "error",
	} {
		c, ok, err := sdp.ParseCandidate(line, false)
		got := ""
		switch {
		case err != nil:
			got = "error"
		case ok:
			got = sdp.Line(c)
		}
		if got != want {
			t.Errorf("%s:\n%q, want\n%q", line, got, want)
		}
	}
	if _, ok, _ := sdp.ParseCandidate("candidate:1 1 udp 1 127.0.0.1 5000 typ host", true); !ok {
		t.Error("the loopback, though it is wanted")
	}
	a, _, _ := sdp.ParseCandidate(good, false)
	b, _, _ := sdp.ParseCandidate(strings.Replace(good, "5000", "5001", 1), false)
	if a.ID == b.ID || a.ID == "" {
		t.Errorf("ids %q and %q", a.ID, b.ID)
	}
}
