package wasm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// mostBrotli is what the engine may weigh on the way to a browser, in bytes: docs/decisions/0017.
const mostBrotli = 1_650_000

func TestTheEngineIsSmallEnough(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(dist(t), "sizes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sizes struct{ Bytes, Brotli, Gzip int }
	if err := json.Unmarshal(raw, &sizes); err != nil {
		t.Fatal(err)
	}
	t.Logf("engine.wasm has %+v", sizes)
	if sizes.Brotli > mostBrotli || sizes.Brotli < mostBrotli/4 {
		t.Errorf("by Brotli the engine has %d bytes, %d are allowed", sizes.Brotli, mostBrotli)
	}
}

// times are when a page was first so, in milliseconds.
type times struct{ Waiting, Loading, Running, Connecting, Online float64 }

// TestStartUpIsTimed writes down how long it takes from the engine's first bytes to
// being signed in, by the device.Password and then by the token. What it may take is a matter
// of the machine: bench/results has what it took.
func TestStartUpIsTimed(t *testing.T) {
	s := device.Serve(t, []string{"alice"})
	alice := browse(t, "").open("1", "alice").signIn(s)
	for range 5 {
		alice.again()
		alice.Synced()
		var at times
		alice.run("() => times", nil, &at)
		if at.Loading == 0 || at.Online < at.Running {
			t.Fatalf("the page tells %+v", at)
		}
		t.Logf("by the token: from the first bytes, running after %.0f ms, signed in after %.0f ms",
			at.Running-at.Loading, at.Online-at.Loading)
	}
}

// TestCatchUpBringsEverythingOnce has many messages come while the browser is away:
// MIRSAL_MANY of them, or enough for three pages of the archive.
func TestCatchUpBringsEverythingOnce(t *testing.T) {
	many := 250
	if n, err := strconv.Atoi(os.Getenv("MIRSAL_MANY")); err == nil {
		many = n
	}
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	bob.says(alice.Address, "before", port.Delivered)
	alice.hears("before")
	alice.run("() => engine.stop()", nil, nil)
	alice.becomes("ended")
	for i := range many - 1 {
		bob.Must(&port.Send{Chat: alice.Address, Text: fmt.Sprint("away ", i)})
	}
	bob.says(alice.Address, fmt.Sprint("away ", many-1), port.Sent)
	alice.reload(true)
	alice.becomes("running")
	began := time.Now()
	alice.SyncedWithin(patience + time.Duration(many)*20*time.Millisecond)
	took := time.Since(began)
	t.Logf("%d messages in %v: %.0f a second", many, took.Round(time.Millisecond), float64(many)/took.Seconds())

	seen, before := 0, ""
	for more := true; more; {
		page := alice.Must(&port.History{Chat: bob.Address, Limit: 200, Before: before}).(*port.Page)
		for i := len(page.Messages) - 1; i >= 0; i-- {
			m := page.Messages[i]
			if m.Notice != "" || m.Text == "before" {
				continue
			}
			if want := fmt.Sprint("away ", many-1-seen); m.Text != want {
				t.Fatalf("got %q (%s), want %q", m.Text, m.Unreadable, want)
			}
			seen++
		}
		if more = page.More && len(page.Messages) > 0; more {
			before = page.Messages[0].ID
		}
	}
	if seen != many {
		t.Errorf("%d messages are there, want %d", seen, many)
	}
}
