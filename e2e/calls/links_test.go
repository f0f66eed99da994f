package calls

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// callLinks has `mirsal call` say something about links.
func callLinks(t *testing.T, bin, profile string, args ...string) []port.CallLink {
	t.Helper()
	out, err := exec.Command(bin, append([]string{"call", "--json", "--profile", profile}, args...)...).Output()
	var list port.CallLinkList
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
	return list.Links
}

func TestAStrangerCallsByALinkOnceAndThroughRelaysAlone(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"bob", "carol"}, "--set", "listen.turn=127.0.0.1:0", "--set", "turn.relay_address="+device.OwnAddress(t),
		"--set", "turn.allow_private=true", "--set", "turn.host=localhost")
	b, c := filepath.Join(t.TempDir(), "bob"), filepath.Join(t.TempDir(), "carol")
	signIn(t, s, "bob", b, s.C2S).Close()
	signIn(t, s, "carol", c, s.C2S).Close()
	made := callLinks(t, s.Bin, b, "--new-link", "1h")
	if len(made) != 1 || !strings.HasPrefix(made[0].URI, "xmpp:"+bob+"?call;link=") {
		t.Fatalf("bob's link is %+v", made)
	}
	answers := phone.Ready(t, s.Bin, b, "--answer", "--video", "--count", "1")
	calls := phone.Dial(t, s.Bin, c, "--link", made[0].URI, "--video", "--for", "3s")
	calls.Exits(0)
	answers.Exits(0)
	heardBoth(t, answers, calls)
	if rang := answers.State("incoming"); !rang.Link || rang.Chat != "carol@"+device.Domain {
		t.Errorf("bob sees %+v", rang)
	}
	for _, p := range []*phone.Phone{answers, calls} {
		if s := p.Counts(); s.Path != "relay-relay" {
			t.Errorf("%s has gone by %s", p.Name, s.Path)
		}
	}
	if left := callLinks(t, s.Bin, b, "--links"); len(left) != 0 {
		t.Errorf("it is not used up: %+v", left)
	}
	again := callLinks(t, s.Bin, b, "--new-link", "168h")
	if left := callLinks(t, s.Bin, b, "--end-link", again[0].ID); len(left) != 0 {
		t.Errorf("it is not revoked: %+v", left)
	}
}
