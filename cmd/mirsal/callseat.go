package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
)

// media does what the engine says, and tells it where that failed.
func (k *calling) media(ev *port.CallMedia) {
	if ev.Do == "open" && k.seat == nil {
		k.open()
	}
	if k.seat == nil {
		return
	}
	if err := k.step(ev); err != nil {
		k.Do(&port.CallFailed{Call: ev.Call, Text: err.Error()})
	}
}

func (k *calling) step(ev *port.CallMedia) error {
	switch s := k.seat; ev.Do {
	case "open":
		return s.Open(ev.Video)
	case "create":
		return s.Create(servers(ev.Servers), ev.RelayOnly)
	case "offer":
		if ev.Restart {
			return s.Restart()
		}
		return s.Offer()
	case "remote":
		return s.Remote(ev.SDP, ev.Type == "offer")
	case "answer":
		return s.Answer()
	case "address":
		return s.Address(ev.Mid, ev.Candidate)
	case "camera":
		return s.Camera()
	case "mute":
		s.SetMuted(ev.Audio, ev.Video)
	case "close":
		k.close()
	default:
		return fmt.Errorf("%q is nothing that can be done here", ev.Do)
	}
	return nil
}

func servers(list []port.CallServer) (out []seat.Server) {
	for _, s := range list {
		out = append(out, seat.Server{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return out
}

// open takes the seat.
func (k *calling) open() {
	r := reports{do: k.Do, call: k.call.ID, caller: k.mine}
	cfg := k.o.media
	from, out, asJSON := k.from, k.out, k.o.json
	cfg.Heard = func(kind string) {
		after := time.Since(from)
		if !asJSON {
			out.say("%s is heard, after %s\n", kind, after.Round(time.Millisecond))
			return
		}
		raw, err := json.Marshal(callHeard{"callHeard", r.call, kind, after.Milliseconds()})
		if err == nil {
			out.say("%s\n", raw)
		}
	}
	k.seat, k.told = seat.New(cfg, r), time.Now()
}

// close leaves the seat, if it is taken.
func (k *calling) close() {
	if k.seat == nil {
		return
	}
	if err := k.seat.Close(); err != nil {
		fmt.Fprintf(os.Stderr, "mirsal: %s\n", err)
	}
	k.last = k.seat.Stats()
	k.seat = nil
}

// reports tells the engine what the seat finds out.
type reports struct {
	do     func(port.Command)
	call   string
	caller bool
}

func (r reports) Described(sdp string) { r.do(&port.CallDescribed{Call: r.call, SDP: sdp}) }
func (r reports) Address(mid, candidate string) {
	r.do(&port.CallAddress{Call: r.call, Mid: mid, Candidate: candidate})
}
func (r reports) Connected() { r.do(&port.CallConnected{Call: r.call}) }

// Broken is told by the caller alone: if both did, their offers would cross. Who is called makes sure that
// he can be told of another way.
func (r reports) Broken() {
	if r.caller {
		r.do(&port.CallNetwork{Call: r.call})
	} else {
		r.do(&port.Attend{Here: true})
	}
}

func (r reports) Failed(text string) { r.do(&port.CallFailed{Call: r.call, Text: text}) }
