package engine

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// What follows is done by whoever runs the server: it reads and changes every
// stanza. What it could do to keys is tested in internal/client/e2ee; here is what a
// person sees of it.

// pair are two contacts, behind a server that lies, who have talked.
func pair(t *testing.T) (w *sea, alice, bob *swimmer) {
	t.Helper()
	w = newSea(t, "alice", "bob")
	alice, bob = w.enter("alice", "alice"), w.enter("bob", "bob")
	alice.chat, bob.chat = bob.Address, alice.Address
	device.Meet(alice.Device, bob.Device)
	alice.Says(alice.chat, "before", port.Sent)
	bob.Hears(bob.chat, "before")
	bob.Says(bob.chat, "and back", port.Sent)
	alice.Hears(alice.chat, "and back")
	return w, alice, bob
}

// to changes the messages that one account is sent, and nothing else.
func to(address string, change func(frame []byte) [][]byte) lie {
	return func(client string, frame []byte) [][]byte {
		if client != address || !bytes.HasPrefix(frame, []byte("<message")) {
			return [][]byte{frame}
		}
		return change(frame)
	}
}

var encrypted = regexp.MustCompile(`(?s)<encrypted .*</encrypted>`)

// TestAMessageWhoseEncryptionWasStrippedIsSaidToBeInTheClear is attack 39.
func TestAMessageWhoseEncryptionWasStrippedIsSaidToBeInTheClear(t *testing.T) {
	t.Parallel()
	w, alice, bob := pair(t)
	w.between.mood.set(to(bob.Address, func(frame []byte) [][]byte {
		return [][]byte{encrypted.ReplaceAll(frame, []byte("<body>send me the money</body>"))}
	}), nil)
	alice.Says(alice.chat, "hello", port.Sent)
	m := bob.Hears(bob.chat, "send me the money")
	if m.Lock.State != port.Open || m.Lock.Why == "" {
		t.Errorf("bob has %+v", m)
	}
	w.between.mood.set(nil, nil)
	if m := bob.Says(bob.chat, "encrypted still", port.Sent); m.Lock.State != port.Locked {
		t.Errorf("bob's answer is %+v", m)
	}
	alice.Hears(alice.chat, "encrypted still")
}

// TestAMessagePlayedAgainIsShownOnce is attack 40: whatever name and place in the
// archive the server gives it.
func TestAMessagePlayedAgainIsShownOnce(t *testing.T) {
	t.Parallel()
	w, alice, bob := pair(t)
	ids := regexp.MustCompile(` id='[^']*'`)
	w.between.mood.set(to(bob.Address, func(frame []byte) [][]byte {
		n := 0
		again := ids.ReplaceAllFunc(frame, func(id []byte) []byte {
			n++
			return []byte(" id='played-again-" + strings.Repeat("x", n) + "'")
		})
		return [][]byte{frame, frame, again}
	}), nil)
	alice.Says(alice.chat, "once", port.Sent)
	w.between.mood.set(nil, nil)
	alice.Says(alice.chat, "afterwards", port.Sent)
	bob.Hears(bob.chat, "afterwards")
	var texts []string
	for _, m := range bob.History(bob.chat) {
		texts = append(texts, m.Text)
		if m.Unreadable != "" {
			t.Errorf("bob has %+v", m)
		}
	}
	if got := strings.Join(texts, ", "); got != "before, and back, once, afterwards" {
		t.Errorf("bob has %s", got)
	}
}

// TestADeviceThatTheServerAddsIsAnAlertAndReadsNothing is attack 41: bob's key was
// compared, and the server puts one more device on his list.
func TestADeviceThatTheServerAddsIsAnAlertAndReadsNothing(t *testing.T) {
	t.Parallel()
	w, alice, bob := pair(t)
	code := bob.Must(&port.SafetyCode{}).(*port.Code)
	alice.Must(&port.Verify{Code: code.Text})
	if m := alice.Says(alice.chat, "verified", port.Sent); m.Lock.State != port.Verified {
		t.Errorf("alice's message is %+v", m)
	}
	spy := w.stranger("bob")
	alice.Until("being told of a device", func(ev port.Event) bool {
		a, ok := ev.(*port.KeyAlert)
		return ok && a.Address == bob.Address
	})
	m := alice.Says(alice.chat, "not for spies", port.Sent)
	if m.Lock.State != port.Changed {
		t.Errorf("alice's message is %+v", m)
	}
	bob.Hears(bob.chat, "not for spies")
	for _, m := range spy.History(alice.Address) {
		if strings.Contains(m.Text, "spies") {
			t.Errorf("the spy reads %+v", m)
		}
	}
}

// stranger is a device that whoever runs the server adds to an account: it has the
// password, and none of the account's other devices knows it.
func (w *sea) stranger(account string) *swimmer {
	w.t.Helper()
	return w.enter(account, account+"-stranger")
}

// TestADeviceListThatIsKeptBackIsSeenWhereTextsAreMissing: the server does not tell alice that bob
// has a second device. It gets nothing, and says so rather than showing nothing.
func TestADeviceListThatIsKeptBackIsSeenWhereTextsAreMissing(t *testing.T) {
	t.Parallel()
	w, alice, bob := pair(t)
	w.between.mood.set(func(client string, frame []byte) [][]byte {
		if client == alice.Address && (bytes.Contains(frame, []byte("axolotl.devicelist")) || bytes.Contains(frame, []byte("omemo:2:devices"))) {
			return nil
		}
		return [][]byte{frame}
	}, nil)
	tablet := w.enter("bob", "bob-tablet")
	alice.Says(alice.chat, "to one device", port.Sent)
	bob.Hears(bob.chat, "to one device")
	m := tablet.Message("what it cannot read", func(m port.Message) bool { return m.Chat == alice.Address && m.Unreadable == "not-for-us" })
	if m.Lock.State != port.Broken {
		t.Errorf("the tablet has %+v", m)
	}
}

// TestATamperedMessageIsSaidToBe changes one letter of what was encrypted.
func TestATamperedMessageIsSaidToBe(t *testing.T) {
	t.Parallel()
	w, alice, bob := pair(t)
	payload := regexp.MustCompile(`<payload>.`)
	w.between.mood.set(to(bob.Address, func(frame []byte) [][]byte {
		return [][]byte{payload.ReplaceAllFunc(frame, func(b []byte) []byte {
			letter := byte('A')
			if b[len(b)-1] == letter {
				letter = 'B'
			}
			return append(bytes.Clone(b[:len(b)-1]), letter)
		})}
	}), nil)
	alice.Says(alice.chat, "to be changed", port.Sent)
	m := bob.Message("a message", func(m port.Message) bool { return m.Chat == bob.chat && !m.Mine && m.Text != "before" })
	if m.Lock.State != port.Broken || m.Unreadable == "" || m.Text != "" {
		t.Errorf("bob has %+v", m)
	}
}
