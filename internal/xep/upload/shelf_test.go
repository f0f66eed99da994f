package upload

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"mirsal/internal/xmpp/jid"
)

// removeAccount does what auth does.
func (h *house) removeAccount(bare string) {
	h.T.Helper()
	if err := h.kv.RemoveOwner(h.T.Context(), bare); err != nil {
		h.T.Fatal(err)
	}
	for _, f := range h.Host.AccountGone {
		f(jid.MustParse(bare))
	}
}

func TestTheFilesOfARemovedAccountAreGone(t *testing.T) {
	run(t, config(), func(h *house) {
		alice, bob := h.Login("alice@example.org/a"), h.Login("bob@example.org/b")
		gets := []string{h.send(alice, "one"), h.send(alice, "two")}
		stays := h.send(bob, "his")
		put, _ := h.slot(alice, "a", 4, "")
		begun, _ := h.slot(alice, "a", 4, "")
		r, w := io.Pipe()
		late := make(chan int)
		go func() { late <- h.declared(begun, 4, r) }()
		synctest.Wait()
		h.removeAccount("alice@example.org")
		if status := h.put(put, "text"); status != http.StatusNotFound {
			t.Error("a slot goes on:", status)
		}
		_, _ = w.Write([]byte("text"))
		w.Close()
		if status := <-late; status != http.StatusForbidden {
			t.Error("what was on its way is kept:", status)
		}
		for _, get := range gets {
			if status, _ := h.got(get); status != http.StatusNotFound {
				t.Error(status)
			}
		}
		if _, text := h.got(stays); text != "his" || h.left() != 1 || h.entries() != 2 || h.u.promised != 0 {
			t.Error(text, h.left(), h.entries(), h.u.promised)
		}
		// the name is somebody else's now
		if got := h.told(h.Login("alice@example.org/new")); got != "0 0" {
			t.Error(got)
		}
	})
}

func TestTheNextStartRemovesWhatACrashHasLeft(t *testing.T) {
	run(t, config(), func(h *house) {
		ctx := t.Context()
		alice := h.Login("alice@example.org/a")
		get := h.send(alice, "stays")
		// a blob without an entry, an entry without a record, a record without a blob
		name := func(c string) string { return strings.Repeat(c, 64) }
		for _, key := range []string{name("a"), name("b")} {
			if err := h.blob.Put(ctx, key, 1, strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		err := errors.Join(h.u.index.Put(ctx, "", byKey(name("b")), []byte("alice@example.org")),
			h.u.index.Put(ctx, "", byOwner(jid.MustParse("alice@example.org"), name("b")), nil))
		if err != nil {
			t.Fatal(err)
		}
		h.u.Start()
		synctest.Wait()
		if _, text := h.got(get); text != "stays" || h.left() != 1 || h.entries() != 2 {
			t.Error(text, h.left(), h.entries())
		}
	})
}

func TestTheQuotaIsKnownAfterARestart(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		h.send(alice, strings.Repeat("x", 700))
		clear(h.u.accounts) // what a restart forgets
		if got := h.told(alice); got != "700 1" {
			t.Error(got)
		}
	})
}
