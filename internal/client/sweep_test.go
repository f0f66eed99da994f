package client

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
)

// shelf is a disk that can be swept.
type shelf struct {
	disk
	mu     sync.Mutex // guards what follows
	kept   []string
	forgot []string
}

func (k *shelf) Keep(ids []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = slices.Clone(ids)
	return nil
}

func (k *shelf) Forget(path string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot = append(k.forgot, path)
	return nil
}

// fetched has a file of a line be here.
func (d *desk) fetched(chat, path string) string {
	d.t.Helper()
	lines := d.must(&port.History{Chat: chat, Limit: 1}).(*port.Page).Messages
	id := lines[0].ID
	d.engine.post(func() {
		d.engine.change(d.engine.lines.SetFile(id, timeline.File{Name: "cat.png", URL: "https://example.org/cat.png", State: "here", Path: path}))
	})
	d.wait()
	return id
}

func TestAFileGoesWithItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &shelf{}
		d := sit(t, keep.NewMemory())
		d.engine.Files = k
		d.signIn()
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='1'><body>cat</body></message>")
		d.fetched(bob, "/files/cat.png")
		d.gets("<message type='chat' from='" + bob + "/x' id='2'><retract xmlns='urn:xmpp:message-retract:1' id='1'/></message>")
		same(t, "the line", d.lines(bob), "!retracted")
		same(t, "removed", k.forgot, "/files/cat.png")
		d.enter(tea)
		d.gets("<message type='groupchat' from='" + tea + "/carol' id='1'><body>tea</body></message>")
		d.fetched(tea, "/files/tea.png")
		d.must(&port.LeaveRoom{Address: tea})
		d.wait()
		same(t, "removed", k.forgot, "/files/cat.png", "/files/tea.png")
		d.stop()
	})
}

func TestWhatIsLeftOfDownloadsIsSweptAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, store := &shelf{}, keep.NewMemory()
		d := sit(t, store)
		d.engine.Files = k
		d.signIn()
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='1'><body>cat</body></message>")
		here := d.fetched(bob, "")
		var b keep.Batch
		for _, id := range []string{here, "of a message that was taken back"} {
			if err := files.PutDownload(&b, files.Download{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Apply(&b); err != nil {
			t.Fatal(err)
		}
		d.engine.post(d.engine.sweepParts)
		d.wait()
		same(t, "kept", k.kept, here)
		left, err := files.Downloads(store)
		if len(left) != 1 || err != nil {
			t.Errorf("%+v, %v", left, err)
		}
		d.stop()
	})
}
