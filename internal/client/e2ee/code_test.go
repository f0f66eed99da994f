package e2ee

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

func TestScannedBothWaysTheLockIsVerified(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "before", b)
	code := b.SafetyCode()
	if want := fmt.Sprintf("xmpp:bob@example.net?omemo-sid-%d=%s", b.ID(), b.Fingerprint()); code != want {
		t.Errorf("the code is %s", code)
	}
	who, s, err := a.Verify(code)
	if err != nil || who != bob {
		t.Fatal(who, err)
	}
	a.do(s)
	if got := a.Lock([]jid.JID{bob}, jid.JID{}); got.State != port.Verified {
		t.Errorf("%+v", got)
	}
	if got := b.Lock([]jid.JID{alice}, jid.JID{}); got.State != port.Locked {
		t.Errorf("the other way, nobody compared: %+v", got)
	}
}

func TestAnOwnUncomparedDeviceKeepsTheLockFromVerified(t *testing.T) {
	w := newWorld(t)
	a, a2, b := w.client(alice), w.client(alice), w.client(bob)
	_, s, _ := a.Verify(b.SafetyCode())
	a.do(s)
	if _, sealed, err := a.write("secret", bob); err != nil || sealed.Lock.State != port.Locked {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	_, s, err := a.Verify(a2.SafetyCode())
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	if _, sealed, err := a.write("secret", bob); err != nil || sealed.Lock.State != port.Verified {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
	if code := a.SafetyCode(); strings.Count(code, sidPrefix) != 2 {
		t.Errorf("the verified device is not in the code: %s", code)
	}
}

func TestACodeOfAnotherKeyChangesNothing(t *testing.T) {
	w, a, p := met(t)
	spy := w.puppet(bob, 101)
	both := p.code() + fmt.Sprintf(";omemo-sid-102=%s", w.puppet(bob, 102).key())
	if _, _, err := a.Verify(strings.Replace(both, p.key(), spy.key(), 1)); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
	if n := len(a.Decisions()); n != 0 {
		t.Errorf("%d decisions", n)
	}
	if _, _, err := a.Verify(fmt.Sprintf("xmpp:bob@example.net?omemo-sid-5=%s", a.Fingerprint())); !errors.Is(err, ErrMismatch) {
		t.Errorf("our own key as Bob's: %v", err)
	}
}

func TestACodeOfNoDeviceThatIsUsedComparesNothing(t *testing.T) {
	w, a, p := met(t)
	gone := fmt.Sprintf("xmpp:bob@example.net?omemo-sid-999=%s", w.puppet(bob, 102).key())
	if _, _, err := a.Verify(gone); !errors.Is(err, ErrNoKey) || len(a.Decisions()) != 0 {
		t.Errorf("%v, %+v", err, a.Decisions())
	}
	if _, _, err := a.Verify(p.code() + gone[strings.Index(gone, "?"):]); err == nil {
		t.Error("two codes in one")
	}
	if _, _, err := a.Verify(p.code() + ";" + gone[strings.Index(gone, "?")+1:]); err != nil {
		t.Errorf("a new device beside a known one: %v", err)
	}
}

func TestACodeComparedBeforeMeetingCountsWhenWeMeet(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	_, s, err := a.Verify(b.SafetyCode())
	if err != nil {
		t.Fatal(err)
	}
	a.do(s)
	if _, sealed, err := a.write("first", bob); err != nil || sealed.Lock.State != port.Verified {
		t.Errorf("%+v, %v", sealed.Lock, err)
	}
}

func TestCodesAreReadAsOthersWriteThem(t *testing.T) {
	w := newWorld(t)
	a := w.client(alice)
	fp := strings.Repeat("ab", 32)
	good := []string{
		"xmpp:bob@example.net?omemo-sid-1=" + fp,
		"XMPP:bob@example.net?omemo-sid-1=" + strings.ToUpper(fp),
		" xmpp://bob@example.net?message;omemo-sid-1=" + fp + ";omemo-sid-2=" + strings.Repeat("cd", 32) + "\n",
		"xmpp:b%6Fb%40example.net?omemo-sid-2147483647=" + fp,
	}
	for _, code := range good {
		if who, keys, err := readCode(code); err != nil || who != bob || len(keys) == 0 {
			t.Errorf("%s: %v, %v, %v", code, who, keys, err)
		}
	}
	bad := []string{
		"", "xmpp:", "bob@example.net?omemo-sid-1=" + fp, "xmpp:bob@example.net", "xmpp:bob@example.net/phone?omemo-sid-1=" + fp,
		"xmpp:bob@example.net?omemo-sid-0=" + fp, "xmpp:bob@example.net?omemo-sid-2147483648=" + fp,
		"xmpp:bob@example.net?omemo-sid-1=" + fp[1:], "xmpp:bob@example.net?omemo-sid-1=" + fp[1:] + "g",
		"xmpp:bob@example.net?omemo-sid-1=" + fp + ";omemo-sid-1=" + fp, "xmpp:%zz?omemo-sid-1=" + fp,
		"xmpp:bob@example.net?omemo-sid-1=" + fp + strings.Repeat(";", 9000),
	}
	for _, code := range bad {
		if _, _, err := a.Verify(code); !errors.Is(err, ErrCode) {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestDecisionsGoOverToANewDevice(t *testing.T) {
	w, a, p := compared(t)
	s, _ := a.SetTrust(bob, p.key(), Verified)
	a.do(s)
	a2 := w.client(alice)
	a2.do(a2.Adopt(append(a.Decisions(), Decision{"@", "x", Verified}, Decision{alice.String(), a2.Fingerprint(), Refused})))
	_, sealed, err := a2.write("from the new one", bob)
	if err != nil || !strings.Contains(fmt.Sprint(sealed.Report.Reached), "bob@example.net 101") {
		t.Errorf("%+v, %v", sealed, err)
	}
	if got := a2.Decisions(); len(got) != 1 || got[0].Fingerprint != p.key() {
		t.Errorf("%+v", got)
	}
}
