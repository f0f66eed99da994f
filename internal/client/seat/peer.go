//go:build !js

package seat

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// Create makes the connection's end, with the microphone and, if it is open, the camera.
// RelayOnly uses no way but through a relay, and tells of no other.
func (s *Seat) Create(servers []Server, relayOnly bool) error {
	if s.pc != nil || s.audio == nil {
		return errOrder
	}
	api, err := s.api(relayOnly)
	if err != nil {
		return err
	}
	cfg := webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle}
	if relayOnly {
		cfg.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	for _, one := range servers {
		cfg.ICEServers = append(cfg.ICEServers, iceServer(one))
	}
	if s.pc, err = api.NewPeerConnection(cfg); err != nil {
		return err
	}
	s.pc.OnICECandidate(s.candidate)
	s.pc.OnConnectionStateChange(s.state)
	s.pc.OnTrack(s.track)
	if err := s.send(audioKind, s.audio); err != nil {
		return err
	}
	if s.video == nil {
		return nil
	}
	return s.send(videoKind, s.video)
}

func iceServer(s Server) webrtc.ICEServer {
	out := webrtc.ICEServer{URLs: s.URLs, Username: s.Username}
	if s.Credential != "" {
		out.Credential = s.Credential
	}
	return out
}

// The codecs that everybody has who makes calls over XMPP.
// RFC 7874 §3
// RFC 7742 §5
var (
	opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	vp8  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}}
)

// waitForNearer is how long a way without routers is waited for once one through them was found.
const waitForNearer = 250 * time.Millisecond

// waitForDirect is how long a way without a relay is waited for once one through it was found.
func waitForDirect(relayOnly bool) time.Duration {
	if !relayOnly {
		return time.Second
	}
	return 0 // there will be nothing better
}

// api is the library, set up for one call.
func (s *Seat) api(relayOnly bool) (*webrtc.API, error) {
	m := &webrtc.MediaEngine{}
	again := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}
	err := errors.Join(
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8, PayloadType: 96}, webrtc.RTPCodecTypeVideo),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: again, PayloadType: 97}, webrtc.RTPCodecTypeVideo),
	)
	r := &interceptor.Registry{}
	if err = errors.Join(err, webrtc.RegisterDefaultInterceptors(m, r)); err != nil {
		return nil, err
	}
	if s.net, err = newNetwork(s.life, s.cfg.dial); err != nil {
		return nil, err
	}
	var e webrtc.SettingEngine
	e.SetNet(s.net)
	e.LoggerFactory = silent{}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // names of one's own network go nowhere
	e.SetSrflxAcceptanceMinWait(waitForNearer)
	e.SetPrflxAcceptanceMinWait(waitForNearer)
	e.SetRelayAcceptanceMinWait(waitForDirect(relayOnly))
	e.SetIncludeLoopbackCandidate(s.cfg.loopback)
	e.DisableCloseByDTLS(true)                   // the engine says when it ends
	e.SetHandleUndeclaredSSRCWithoutAnswer(true) // an answer may name no sources: Dino's does
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(e)), nil
}

// send adds a track.
func (s *Seat) send(kind int, from source) error {
	codec := opus
	if kind == videoKind {
		codec = vp8
	}
	t, err := webrtc.NewTrackLocalStaticSample(codec, kinds[kind], "mirsal")
	if err != nil {
		return err
	}
	sender, err := s.pc.AddTrack(t)
	if err != nil {
		return err
	}
	s.started(func() { drain(sender) })
	s.started(func() { s.play(kind, t, from) })
	return nil
}

// drain reads what is said about a stream; the library answers to it by itself.
func drain(from interface {
	Read(b []byte) (int, interceptor.Attributes, error)
}) {
	for b := make([]byte, 1500); ; {
		if _, _, err := from.Read(b); err != nil {
			return
		}
	}
}

// Offer makes an offer, and Restart one that finds new ways.
func (s *Seat) Offer() error { return s.offer(false) }

// Restart makes an offer by which both sides look for new ways to each other.
// RFC 8445 §9
func (s *Seat) Restart() error { return s.offer(true) }

func (s *Seat) offer(restart bool) error {
	if s.pc == nil {
		return errOrder
	}
	if err := s.unheard(); err != nil {
		return err
	}
	d, err := s.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return err
	}
	return s.describe(d, d.SDP)
}

// unheard has the library forget an offer that nobody has heard. It knows no way back, so that they are said to have
// answered as they did before.
func (s *Seat) unheard() error {
	before := s.pc.CurrentRemoteDescription()
	if before == nil || s.pc.SignalingState() != webrtc.SignalingStateHaveLocalOffer {
		return nil
	}
	return s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: before.SDP})
}

// Answer answers the offer that Remote brought. Who has waited for the handshake when the call began says so in
// later answers too, where the library forgets it: the handshake is not done anew.
// RFC 8842 §5.3
func (s *Seat) Answer() error {
	if s.pc == nil {
		return errOrder
	}
	d, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	s.answered = true
	told := d.SDP
	if s.alone {
		told = withoutBundle(told)
	}
	if s.passive {
		told = strings.ReplaceAll(told, "a=setup:active", "a=setup:passive")
	}
	return s.describe(d, told)
}

// describe takes a description of ours, and tells it; then the addresses.
func (s *Seat) describe(d webrtc.SessionDescription, told string) error {
	s.mu.Lock()
	s.described = false
	s.mu.Unlock()
	if err := s.pc.SetLocalDescription(d); err != nil {
		return err
	}
	s.to.Described(told)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.described = true
	for _, f := range s.found {
		s.to.Address(f[0], f[1])
	}
	s.found = nil
	return nil
}

// candidate hears of an address of ours; nil is the last.
func (s *Seat) candidate(c *webrtc.ICECandidate) {
	mid, line := "", ""
	if c != nil {
		init := c.ToJSON()
		line = init.Candidate
		if init.SDPMid != nil {
			mid = *init.SDPMid
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.described {
		s.to.Address(mid, line)
		return
	}
	s.found = append(s.found, [2]string{mid, line})
}

// mostEarly bounds the addresses that are kept until the description is there.
const mostEarly = 100

// Remote takes their description: an offer or an answer.
func (s *Seat) Remote(sdp string, offer bool) error {
	if s.pc == nil {
		return errOrder
	}
	kind := webrtc.SDPTypeAnswer
	if offer {
		kind = webrtc.SDPTypeOffer
	}
	sdp, s.alone = oneWay(sdp)
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return err
	}
	if !offer && !s.answered {
		s.answered, s.passive = true, strings.Contains(sdp, "a=setup:active")
	}
	for _, c := range s.early {
		s.add(c)
	}
	s.early = nil
	return nil
}

// Address takes an address of theirs; one that cannot be used is left out.
func (s *Seat) Address(mid, candidate string) error {
	if s.pc == nil {
		return errOrder
	}
	c := webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid}
	switch {
	case s.pc.RemoteDescription() != nil:
		s.add(c)
	case len(s.early) < mostEarly:
		s.early = append(s.early, c)
	}
	return nil
}

func (s *Seat) add(c webrtc.ICECandidateInit) { _ = s.pc.AddICECandidate(c) }

// Camera opens the camera in mid-call; an Offer tells the other side.
func (s *Seat) Camera() error {
	if s.pc == nil || s.video != nil {
		return errOrder
	}
	if err := s.Open(true); err != nil {
		return err
	}
	return s.send(videoKind, s.video)
}

// state hears how the connection is.
func (s *Seat) state(now webrtc.PeerConnectionState) {
	switch now {
	case webrtc.PeerConnectionStateConnected:
		s.mu.Lock()
		if !s.begun {
			s.begun = true
			close(s.connected)
		}
		s.mu.Unlock()
		s.to.Connected()
	case webrtc.PeerConnectionStateDisconnected:
		s.to.Broken()
	case webrtc.PeerConnectionStateFailed:
		s.to.Failed("there is no way to the other side")
	}
}

// track hears of a stream of theirs.
func (s *Seat) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	kind := slices.Index(kinds[:], t.Kind().String())
	if kind < 0 {
		return
	}
	s.started(func() { drain(r) })
	s.started(func() { s.hear(kind, t) })
	if kind == videoKind {
		s.started(func() { s.wantWhole(t) })
	}
}

// wholeEvery is how often a whole picture is asked for: what is recorded can be looked at
// from any place.
const wholeEvery = 3 * time.Second

// wantWhole asks for whole pictures, the first at once.
// RFC 4585 §6.3.1
func (s *Seat) wantWhole(t *webrtc.TrackRemote) {
	tick := time.NewTicker(wholeEvery)
	defer tick.Stop()
	for {
		ask := &rtcp.PictureLossIndication{MediaSSRC: uint32(t.SSRC())}
		if s.pc.WriteRTCP([]rtcp.Packet{ask}) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-s.life.Done():
			return
		}
	}
}

// silent is a log for what the library would say: addresses of people, at a pace that the
// other side chooses.
type silent struct{}

func (silent) NewLogger(string) logging.LeveledLogger { return silent{} }
func (silent) Trace(string)                           {}
func (silent) Tracef(string, ...any)                  {}
func (silent) Debug(string)                           {}
func (silent) Debugf(string, ...any)                  {}
func (silent) Info(string)                            {}
func (silent) Infof(string, ...any)                   {}
func (silent) Warn(string)                            {}
func (silent) Warnf(string, ...any)                   {}
func (silent) Error(string)                           {}
func (silent) Errorf(string, ...any)                  {}
