package calls

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
func heardBoth(t *testing.T, phones ...*phone) {
	t.Helper()
	for _, p := range phones {
		s := p.counts()
		if s.Audio.Packets < 20 || s.Video.Frames < 3 || s.Video.Whole < 1 || s.Audio.SentFrames < 20 || s.Video.SentFrames < 3 || s.Path == "" {
			t.Errorf("%s has counted %+v", p.name, s)
		}
	}
}

func TestTwoTerminalsSpeakUntilTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	b := answering(t, p.Bin, p.bob, nil, "--answer", "--video", "--count", "1")
	a := dial(t, p.Bin, p.alice, nil, bob, "--video", "--for", "3s")
	a.exits(0)
	b.exits(0)
	heardBoth(t, a, b)
	if c := a.state("ended"); c.Why != "hung-up" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.state("ended"); c.Why != "peer-hung-up" {
		t.Errorf("bob's call is %+v", c)
	}
	for _, x := range []*phone{a, b} {
		for _, kind := range []string{"audio", "video"} {
			x.until("hearing "+kind, func(l line) bool { return l.event == "callHeard" && l.media == kind })
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
	b := answering(t, p.Bin, p.bob, nil, "--answer", "--video", "--for", "3s", "--count", "1", "--record", tape)
	a := dial(t, p.Bin, p.alice, nil, bob, "--video")
	b.exits(0)
	a.exits(0)
	heardBoth(t, a, b)
	if c := a.state("ended"); c.Why != "peer-hung-up" {
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
	b := answering(t, p.Bin, p.bob, nil, "--answer", "--from", "nobody@"+device.Domain)
	a := dial(t, p.Bin, p.alice, nil, bob)
	a.state("ringing")
	b.state("incoming")
	a.interrupt()
	a.exits(7)
	if c := a.state("ended"); c.Why != "cancelled" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.state("ended"); c.Why != "missed" {
		t.Errorf("bob's call is %+v", c)
	}
	b.interrupt()
	b.exits(0)
}

func TestADeclinedCallIsOver(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	b := answering(t, p.Bin, p.bob, nil, "--decline", "--count", "1")
	a := dial(t, p.Bin, p.alice, nil, bob)
	a.exits(7)
	b.exits(0)
	if c := a.state("ended"); c.Why != "rejected" {
		t.Errorf("alice's call is %+v", c)
	}
	if c := b.state("ended"); c.Why != "declined" {
		t.Errorf("bob's call is %+v", c)
	}
}

func TestAnotherDeviceAnswersAndTheRestFallSilent(t *testing.T) {
	t.Parallel()
	p := twoPeople(t)
	second := profile(t, p.Server, "bob", filepath.Join(t.TempDir(), "bob-2"))
	silent := answering(t, p.Bin, second, nil, "--answer", "--from", "nobody@"+device.Domain)
	b := answering(t, p.Bin, p.bob, nil, "--answer", "--count", "1")
	a := dial(t, p.Bin, p.alice, nil, bob, "--for", "2s")
	a.exits(0)
	b.exits(0)
	if c := silent.state("ended"); c.Why != "answered-elsewhere" {
		t.Errorf("the second device's call is %+v", c)
	}
	if s := a.counts(); s.Audio.Packets < 20 {
		t.Errorf("alice has heard %+v", s)
	}
}
