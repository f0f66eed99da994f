package sasl

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestKeysFromASaltedPasswordAreThoseOfThePassword(t *testing.T) {
	for _, mech := range []string{SCRAMSHA1, SCRAMSHA256} {
		salt, payload := UpgradeChallenge(iterations)
		if want := "iterations='4096'>" + base64.StdEncoding.EncodeToString(salt) + "</salt>"; len(salt) != saltSize || !strings.HasSuffix(string(payload), want) {
			t.Errorf("%s", payload)
		}
		salted, err := Salted(mech, alicePassword, salt, iterations)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromSalted(mech, salted, salt, iterations)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Derive(alicePassword, salt, salt, iterations)
		k, _, _ := mechanism(mech)
		if want := k.keys(c); err != nil || !bytes.Equal(got.StoredKey, want.StoredKey) || !bytes.Equal(got.ServerKey, want.ServerKey) {
			t.Error(mech, err)
		}
	}
}

// XEP-0480 §3 prints a salted password of 32 bytes.
func TestSaltedPasswordsOfTheWrongSizeAreRefused(t *testing.T) {
	printed, _ := base64.StdEncoding.DecodeString("BzOnw3Pc5H4bOLlPZ/8JAy6wnTpH05aH21KW2+Xfpaw=")
	if _, err := FromSalted(SCRAMSHA256, printed, []byte("salt"), 4096); err != nil {
		t.Error(err)
	}
	for mech, salted := range map[string][]byte{SCRAMSHA1: printed, SCRAMSHA256: printed[:31], SCRAMSHA256Plus: printed, PLAIN: printed, "": nil} {
		if _, err := FromSalted(mech, salted, []byte("salt"), 4096); err == nil {
			t.Errorf("%q takes %d bytes", mech, len(salted))
		}
	}
	if _, err := Salted(SCRAMSHA1, "x", nil, MaxIterations+1); err == nil {
		t.Error("the client computes for minutes")
	}
}

func TestTasksAreNamedAfterMechanismsWithoutPlus(t *testing.T) {
	for task, mech := range map[string]string{
		"UPGR-SCRAM-SHA-256": SCRAMSHA256, "UPGR-SCRAM-SHA-1": SCRAMSHA1, "UPGR-SCRAM-SHA-1-PLUS": "",
		"SCRAM-SHA-1": "", "UPGR-PLAIN": "", "UPGR-": "", "": "",
	} {
		if got := UpgradeMech(task); got != mech {
			t.Errorf("%q: %q", task, got)
		}
	}
}

func TestPlainIsHeldAgainstTheHashThatIsThere(t *testing.T) {
	w := newWorld(t)
	c := w["alice"]
	c.OnlySHA1, c.SHA256 = true, w[""].SHA256
	w["alice"] = c
	for password, want := range map[string]Condition{alicePassword: "", "nobody knows it": NotAuthorized} {
		x := StartPlain(domain(), w.lookup)
		if _, _, err := x.Next([]byte("\x00alice\x00" + password)); condition(err) != want {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestPlainWaitsForItsTurnAndFailsForAWhileWhenThereIsNone(t *testing.T) {
	w := newWorld(t)
	busy := errors.New("busy")
	for _, user := range []string{"alice", "mallory"} {
		turns := 0
		lookup := func(user string) (Credentials, error) {
			c, err := w.lookup(user)
			c.Do = func(func()) error { turns++; return busy }
			return c, err
		}
		x := StartPlain(domain(), lookup)
		if _, _, err := x.Next([]byte("\x00" + user + "\x00" + alicePassword)); condition(err) != TemporaryAuthFailure || !errors.Is(err, busy) || turns != 1 {
			t.Errorf("%s: %v after %d turns", user, err, turns)
		}
	}
}
