package auth

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/sasl"
)

// keysOf is what another server may keep of a password.
func keysOf(t testing.TB, hash, password string, saltSize int) string {
	t.Helper()
	salt := []byte(strings.Repeat("s", saltSize))
	c, err := sasl.Derive(password, salt, salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	k := c.SHA1
	if hash == "scram-sha-256" {
		k = c.SHA256
	}
	b := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s:4096:%s:%s:%s", hash, b(salt), b(k.StoredKey), b(k.ServerKey))
}

// logInBy says what a client hears that uses one mechanism.
func logInBy(t *testing.T, a *Auth, mech, name, password string) error {
	t.Helper()
	x, err := sasl.Start(mech, a.Domain(), nil, a.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sasl.NewClient(mech, name, password, sasl.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := c.Next(nil)
	challenge, _, err := x.Next(first)
	if err != nil {
		return err
	}
	final, _, err := c.Next(challenge)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = x.Next(final)
	return err
}

func logInPlain(a *Auth, name, password string) error {
	_, _, err := sasl.StartPlain(a.Domain(), a.Credentials).Next([]byte("\x00" + name + "\x00" + password))
	return err
}

func TestAnAccountOfOneHashOpensByThatHashUntilItIsUpgraded(t *testing.T) {
	for hash, mechs := range map[string][2]string{
		"scram-sha-1": {sasl.SCRAMSHA1, sasl.SCRAMSHA256}, "scram-sha-256": {sasl.SCRAMSHA256, sasl.SCRAMSHA1},
	} {
		t.Run(hash, func(t *testing.T) {
			has, lacks := mechs[0], mechs[1]
			a := open(t, memory.New())
			if n, err := a.Import(t.Context(), strings.NewReader("alice\t"+keysOf(t, hash, "secret", 36)+"\n")); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if got := a.Lacks("alice"); len(got) != 1 || got[0] != lacks {
				t.Fatal(got)
			}
			if err := errors.Join(logInBy(t, a, has, "alice", "secret"), logInPlain(a, "alice", "secret")); err != nil {
				t.Error(err)
			}
			if logInBy(t, a, has, "alice", "wrong") == nil || logInPlain(a, "alice", "wrong") == nil || logInBy(t, a, lacks, "alice", "secret") == nil {
				t.Error("let in by what is not there")
			}
			salt, _ := sasl.UpgradeChallenge(5000)
			salted, err := sasl.Salted(lacks, "secret", salt, 5000)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Upgrade(t.Context(), "alice", lacks, salted, salt, 5000); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(logInBy(t, a, has, "alice", "secret"), logInBy(t, a, lacks, "alice", "secret"), logInPlain(a, "alice", "secret")); err != nil {
				t.Error(err)
			}
			if a.Lacks("alice") != nil {
				t.Error("it still lacks something")
			}
		})
	}
}

func TestAnUpgradeReplacesNoKeysAndTakesNoBadOnes(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	if _, err := a.Import(t.Context(), strings.NewReader("bob\t"+keysOf(t, "scram-sha-1", "secret", 8)+"\n")); err != nil {
		t.Fatal(err)
	}
	good := make([]byte, 32)
	for name, err := range map[string]error{
		"keys that are there":   a.Upgrade(t.Context(), "alice", sasl.SCRAMSHA256, good, []byte("salt"), 5000),
		"the other hash":        a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA1, good[:20], []byte("salt"), 5000),
		"a short password":      a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA256, good[:20], []byte("salt"), 5000),
		"no salt":               a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA256, good, nil, 5000),
		"too few iterations":    a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA256, good, []byte("salt"), 4095),
		"too many iterations":   a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA256, good, []byte("salt"), sasl.MaxIterations+1),
		"an unknown mechanism":  a.Upgrade(t.Context(), "bob", "BLOOP2", good, []byte("salt"), 5000),
		"a mechanism with PLUS": a.Upgrade(t.Context(), "bob", sasl.SCRAMSHA256Plus, good, []byte("salt"), 5000),
	} {
		if !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := logIn(t, a, "alice", "secret"); err != nil {
		t.Error(err)
	}
	// bob's keys are unknown names' keys, perhaps; theirs cannot be replaced
	if err := a.Upgrade(t.Context(), "mallory", sasl.SCRAMSHA256, good, []byte("salt"), 5000); err == nil {
		t.Error("an account came to be")
	}
}

func TestKeysMayBeWrittenInHexadecimal(t *testing.T) {
	a := open(t, memory.New())
	fields := strings.Split(keysOf(t, "scram-sha-1", "secret", 36), ":")
	for i, f := range fields[3:] {
		b, _ := base64.StdEncoding.DecodeString(f)
		fields[3+i] = hex.EncodeToString(b)
	}
	line := "alice\t" + strings.Join(fields, ":") + "\t" + keysOf(t, "scram-sha-256", "secret", 16) + "\n"
	if _, err := a.Import(t.Context(), strings.NewReader(line)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(logInBy(t, a, sasl.SCRAMSHA1, "alice", "secret"), logInBy(t, a, sasl.SCRAMSHA256, "alice", "secret")); err != nil || a.Lacks("alice") != nil {
		t.Error(err)
	}
}

func TestKeysThatCannotBeReadAreNamedByTheirLineAndNotShown(t *testing.T) {
	good := keysOf(t, "scram-sha-1", "secret", 16)
	for name, keys := range map[string]string{
		"another hash":          strings.Replace(good, "sha-1", "sha-512", 1),
		"a key is missing":      good[:strings.LastIndex(good, ":")],
		"too few iterations":    strings.Replace(good, "4096", "1000", 1),
		"iterations in words":   strings.Replace(good, "4096", "many", 1),
		"too many iterations":   strings.Replace(good, "4096", "99999999", 1),
		"no salt":               "scram-sha-1:4096::" + strings.SplitN(good, ":", 4)[3],
		"a long salt":           keysOf(t, "scram-sha-1", "secret", maxSalt+1),
		"a key of another size": strings.Replace(keysOf(t, "scram-sha-256", "secret", 16), "sha-256", "sha-1", 1),
		"one hash twice":        good + "\t" + good,
		"something behind":      good + "\tsecret",
	} {
		a := open(t, memory.New())
		_, err := a.Import(t.Context(), strings.NewReader("bob\tx\nalice\t"+keys+"\n"))
		if !errors.Is(err, ErrPassword) || !strings.HasPrefix(err.Error(), "line 2") || a.Count() != 0 {
			t.Errorf("%s: %v", name, err)
		}
		if key := strings.Split(good, ":")[3]; err != nil && (strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: the message shows it: %v", name, err)
		}
	}
}
