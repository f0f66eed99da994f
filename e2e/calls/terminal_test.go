package calls

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/device"
)

// people are two contacts with a profile each.
type people struct {
	*device.Server
	alice, bob string // folders
}

func twoPeople(t *testing.T, args ...string) *people {
	t.Helper()
	p := &people{Server: device.Serve(t, []string{"alice", "bob"}, args...), alice: filepath.Join(t.TempDir(), "alice"), bob: filepath.Join(t.TempDir(), "bob")}
	a, b := signIn(t, p.Server, "alice", p.alice, p.C2S), signIn(t, p.Server, "bob", p.bob, p.C2S)
	meet(t, a, b)
	a.Close()
	b.Close()
	return p
}

const (
	alice = "alice@" + device.Domain
	bob   = "bob@" + device.Domain
)

// heardBoth requires sound and pictures at both ends.
func heardBoth(t *testing.T, phones ...*phone.Phone) {
	t.Helper()
	for _, p := range phones {
		s := p.Counts()
		if s.Audio.Packets < 20 || s.Video.Frames < 3 || s.Video.Whole < 1 || s.Audio.SentFrames < 20 || s.Video.SentFrames < 3 || s.Path == "" {
			t.Errorf("%s has counted %+v", p.Name, s)
		}
	}
}

func TestTwoTerminalsSpeakUntilTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	b := phone.Ready(t, p.Bin, p.bob, "--answer", "--video", "--count", "1")
	a := phone.Dial(t, p.Bin, p.alice, bob, "--video", "--for", "3s")
	a.Exits(0)
	b.Exits(0)
	heardBoth(t, a, b)
	if c := a.State("ended"); c.Why != "hung-up" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.State("ended"); c.Why != "peer-hung-up" {
		t.Errorf("bob's call is %+v", c)
	}
	for _, x := range []*phone.Phone{a, b} {
		for _, kind := range []string{"audio", "video"} {
			x.Until("hearing "+kind, func(l phone.Line) bool { return l.Event == "callHeard" && l.Media == kind })
		}
	}
	log, err := exec.Command(p.Bin, "call", "--log", "--profile", p.bob).CombinedOutput()
	if err != nil || strings.Count(string(log), alice) != 1 || !strings.Contains(string(log), "video") {
		t.Errorf("bob's log is %s (%v)", log, err)
	}
}

func TestTwoTerminalsSpeakUntilTheCalleeHangsUp(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	tape := filepath.Join(t.TempDir(), "tape")
	b := phone.Ready(t, p.Bin, p.bob, "--answer", "--video", "--for", "3s", "--count", "1", "--record", tape)
	a := phone.Dial(t, p.Bin, p.alice, bob, "--video")
	b.Exits(0)
	a.Exits(0)
	heardBoth(t, a, b)
	if c := a.State("ended"); c.Why != "peer-hung-up" {
		t.Errorf("alice's call is %+v", c)
	}
	// what was recorded can be played: the profile that is missing is looked for behind that
	again := exec.Command(p.Bin, "call", "--answer", "--video", "--play", filepath.Join(tape, "audio-1.ogg"), "--play-video", filepath.Join(tape, "video-1.ivf"), "--profile", tape+"none")
	if out, _ := again.CombinedOutput(); !strings.Contains(string(out), "there is no profile") {
		t.Errorf("what was recorded cannot be played: %s", out)
	}
}

func TestACallerGivesUpWhileItRings(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	b := phone.Ready(t, p.Bin, p.bob, "--answer", "--from", "nobody@"+device.Domain)
	a := phone.Dial(t, p.Bin, p.alice, bob)
	a.State("ringing")
	b.State("incoming")
	a.Interrupt()
	a.Exits(7)
	if c := a.State("ended"); c.Why != "cancelled" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.State("ended"); c.Why != "missed" {
		t.Errorf("bob's call is %+v", c)
	}
	b.Interrupt()
	b.Exits(0)
}

func TestADeclinedCallIsOver(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	b := phone.Ready(t, p.Bin, p.bob, "--decline", "--count", "1")
	a := phone.Dial(t, p.Bin, p.alice, bob)
	a.Exits(7)
	b.Exits(0)
	if c := a.State("ended"); c.Why != "rejected" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.State("ended"); c.Why != "declined" {
		t.Errorf("bob's call is %+v", c)
	}
}

func TestAnotherDeviceAnswersAndTheRestFallSilent(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	second := profile(t, p.Server, "bob", filepath.Join(t.TempDir(), "bob-2"))
	silent := phone.Ready(t, p.Bin, second, "--answer", "--from", "nobody@"+device.Domain)
	b := phone.Ready(t, p.Bin, p.bob, "--answer", "--count", "1")
	a := phone.Dial(t, p.Bin, p.alice, bob, "--for", "2s")
	a.Exits(0)
	b.Exits(0)
	if c := silent.State("ended"); c.Why != "answered-elsewhere" {
		t.Errorf("the second device's call is %+v", c)
	}
	if s := a.Counts(); s.Audio.Packets < 20 {
		t.Errorf("alice has heard %+v", s)
	}
}
