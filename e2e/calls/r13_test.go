package calls

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/device"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/jingletest"
	"mirsal/internal/xmpp/xtok"
)

// readers are the packages that read what a caller says of media, and their counters what R13 is about.
var readers = []string{
	"github.com/pion/sdp/v3", "github.com/pion/ice/v4", "github.com/pion/dtls/v3", "github.com/pion/rtp", "github.com/pion/rtcp",
	"github.com/pion/srtp/v3", "github.com/pion/stun/v4", "github.com/pion/webrtc/v4", "github.com/pion/interceptor", "mirsal/internal/client/call/sdp",
}

// TestNothingReadsACallThatNobodyAccepted is R13 in the process of who is called, and attacks it as whoever runs its
// server could: with recorded calls that were changed, MIRSAL_CALLS of them, also behind invitations that ring. What
// these have run of the packages that read media is what a process runs in which nobody calls: their beginning.
// In a second process one call more is accepted behind them, and all of these packages have work.
func TestNothingReadsACallThatNobodyAccepted(t *testing.T) {
	calls := 2_000
	if n, err := strconv.Atoi(os.Getenv("MIRSAL_CALLS")); err == nil {
		calls = n
	}
	w := newWatched(t)
	idle := w.run("nobody@"+device.Domain, nil)
	attacked := w.run("nobody@"+device.Domain, func(b *phone.Phone) {
		rang := w.attack(calls, 1)
		if n := incoming(b); n < rang/2 {
			t.Errorf("%d calls have rung of %d that were whole: the attack does not reach the engine", n, rang)
		}
	})
	for _, p := range readers {
		for _, block := range slices.Sorted(maps.Keys(attacked[p])) {
			if !idle[p][block] {
				t.Errorf("%s was run, and nobody has accepted anything", block)
			}
		}
		t.Logf("%-32s begins with %d blocks", p, len(idle[p]))
	}
	accepted := w.run("carol@"+device.Domain, func(b *phone.Phone) {
		w.attack(min(calls, 2_000), 2)
		c := phone.Dial(t, w.Bin, w.carol, bob, "--video", "--for", "2s")
		c.Exits(0)
		heard := b.Until("the end of carol's call", func(l phone.Line) bool { return l.Event == "callStats" })
		if heard.Stats.Audio.Packets == 0 || heard.Stats.Video.Frames == 0 {
			t.Errorf("bob has heard %+v of carol", heard.Stats)
		}
	})
	for _, p := range readers {
		if n, was := len(accepted[p]), len(idle[p]); n <= was+5 {
			t.Errorf("%s: %d blocks were run with a call that was accepted, %d without: the counters do not count", p, n, was)
		}
	}
}

// incoming is how many calls have rung.
func incoming(p *phone.Phone) (n int) {
	for _, l := range p.Said() {
		if l.Call.State == "incoming" {
			n++
		}
	}
	return n
}

// watched is a server with bob, whose process counts what it runs and whose connection is between's.
type watched struct {
	*device.Server
	*between
	t          *testing.T
	bin        string // counts
	bob, carol string // folders
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{Server: device.Serve(t, []string{"alice", "bob", "carol"}), t: t, bin: filepath.Join(t.TempDir(), "counting"), bob: filepath.Join(t.TempDir(), "bob"), carol: filepath.Join(t.TempDir(), "carol")}
	w.between = newBetween(t, w.Server)
	// the program itself is counted too: without that nothing is written at its end
	build := exec.Command("go", "build", "-cover", "-coverpkg=github.com/pion/...,mirsal/internal/client/call/sdp,mirsal/cmd/mirsal", "-o", w.bin, "mirsal/cmd/mirsal")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build -cover: %v\n%s", err, out)
	}
	both, err := os.ReadFile(w.CA)
	if err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(w.ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.ca, append(both, one...), 0o600); err != nil {
		t.Fatal(err)
	}
	a := signIn(t, w.Server, "alice", filepath.Join(t.TempDir(), "alice"), w.C2S)
	c := signIn(t, w.Server, "carol", w.carol, w.C2S)
	behind := *w.Server
	behind.CA = w.ca
	b := signIn(t, &behind, "bob", w.bob, w.url())
	for _, other := range []*device.Local{a, c} {
		meet(t, other, b)
		other.Close()
	}
	b.Close()
	return w
}

// run is a life of bob's process, in which something happens, and the blocks that it ran of each of readers.
func (w *watched) run(from string, happens func(bob *phone.Phone)) map[string]map[string]bool {
	w.t.Helper()
	dir := w.t.TempDir()
	w.t.Setenv("GOCOVERDIR", dir)
	b := phone.Ready(w.t, w.bin, w.bob, "--answer", "--from", from, "--video", "--stats", "0") // it counts once, at the end of a call
	if happens != nil {
		happens(b)
	}
	b.Interrupt()
	b.Exits(0)
	return w.ran(dir)
}

var block = regexp.MustCompile(`^(.+/[^/]+\.go):(\S+) \d+ (\d+)$`)

// ran reads the counters.
func (w *watched) ran(dir string) map[string]map[string]bool {
	w.t.Helper()
	file := filepath.Join(dir, "profile")
	if out, err := exec.Command("go", "tool", "covdata", "textfmt", "-i="+dir, "-o="+file).CombinedOutput(); err != nil {
		w.t.Fatalf("go tool covdata: %v\n%s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	all, known := map[string]map[string]bool{}, map[string]int{}
	for _, p := range readers {
		all[p] = map[string]bool{}
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := block.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		for _, p := range readers {
			if strings.HasPrefix(m[1], p+"/") {
				known[p]++
				if m[3] != "0" {
					all[p][m[1]+":"+m[2]] = true
				}
			}
		}
	}
	for _, p := range readers {
		if known[p] < 20 {
			w.t.Fatalf("%s has %d blocks: it is not counted", p, known[p])
		}
	}
	return all
}

var sid = regexp.MustCompile(` sid="[^"]*"`)

// attack says to bob's client what mutated calls of alice's are, so many that are XML, and now and then an invitation that is
// whole, so that some belong to a call that rings. All of them are taken back: one call rings at a time. It returns how many
// invitations were whole.
func (w *watched) attack(calls int, seed uint64) (whole int) {
	w.t.Helper()
	to := w.between.attack(true)
	defer w.between.attack(false)
	a := &attacker{w: w, to: to, mutator: jingletest.New(w.t, "../../internal/xmpp/jingle/testdata/exchanges", seed)}
	for a.said < calls {
		if a.said%25 == 0 {
			a.takeBack()
			whole++
			a.propose(jingle.Invite{Kind: jingle.Propose, ID: fmt.Sprintf("live-%d-%d", seed, whole), Audio: true, Video: whole%2 == 0}.Append(nil))
		}
		a.mutated()
		if a.said%200 == 0 {
			w.settled(int(seed)<<32 + a.said)
		}
	}
	a.takeBack()
	w.settled(int(seed)<<32 + calls + 1)
	return whole
}

// attacker says what nobody has sent.
type attacker struct {
	w       *watched
	to      string // bob's client
	mutator *jingletest.Mutator
	said    int
	rings   []string // calls that ring, or may
}

const evil = alice + "/evil"

// propose says an invitation.
func (a *attacker) propose(raw []byte) {
	e, err := xtok.Parse(raw, xtok.Limits{})
	if err != nil {
		a.w.t.Fatal(err)
	}
	if v, err := jingle.ParseInvite(e); err == nil && v.Kind == jingle.Propose {
		a.rings = append(a.rings, v.ID)
	}
	a.message(raw)
}

// takeBack takes all back that rings.
func (a *attacker) takeBack() {
	for _, id := range a.rings {
		a.message(jingle.Invite{Kind: jingle.Retract, ID: id}.Append(nil))
	}
	a.rings = nil
}

// mutated says one thing more, if it is XML: no stream could carry what is not.
func (a *attacker) mutated() {
	raw := a.mutator.Next()
	e, err := xtok.Parse(raw, xtok.Limits{Size: 1 << 19, Depth: 64, Attrs: 64, Name: 256, Prefixes: 64, Nodes: 20_000})
	if err != nil {
		return
	}
	a.said++
	if e.NS() == jingle.NSInvite {
		a.propose(raw)
		return
	}
	if len(a.rings) > 0 && a.said%2 == 0 {
		raw = sid.ReplaceAll(raw, []byte(` sid="`+a.rings[0]+`"`))
	}
	a.w.say(fmt.Appendf(nil, "<iq xmlns='jabber:client' type='set' id='evil-%d' from='%s' to='%s'>%s</iq>", a.said, evil, a.to, raw))
}

func (a *attacker) message(payload []byte) {
	a.w.say(fmt.Appendf(nil, "<message xmlns='jabber:client' type='chat' from='%s' to='%s'>%s</message>", evil, a.to, payload))
}
