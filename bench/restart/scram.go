package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// keyring remembers the key that a password gives with a salt, as clients do: the
// work of deriving it is not what comes back after a restart. RFC 5802 §3
type keyring struct {
	password string

	mu   sync.Mutex // held while a key is derived
	keys map[string][]byte
}

func (k *keyring) derive(newHash func() hash.Hash, size int, salt []byte, rounds int) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := fmt.Sprintf("%d:%d:%x", size, rounds, salt)
	if key := k.keys[name]; key != nil {
		return key, nil
	}
	key, err := pbkdf2.Key(newHash, k.password, salt, rounds, size)
	if err == nil {
		k.keys[name] = key
	}
	return key, err
}

// scram is one exchange without channel binding, which not every server offers.
type scram struct {
	newHash func() hash.Hash
	size    int
	first   string // client-first-message-bare
	nonce   string
	server  string // the signature to expect
}

func newScram(mechanism, user string) *scram {
	s := &scram{newHash: sha256.New, size: sha256.Size, nonce: rand.Text()}
	if mechanism == "SCRAM-SHA-1" {
		s.newHash, s.size = sha1.New, sha1.Size
	}
	s.first = "n=" + user + ",r=" + s.nonce
	return s
}

// answer is the final message for the server's first.
func (s *scram) answer(challenge string, keys *keyring) (string, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(challenge, ",") {
		if key, value, ok := strings.Cut(part, "="); ok {
			fields[key] = value
		}
	}
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	if err != nil {
		return "", err
	}
	rounds, err := strconv.Atoi(fields["i"])
	if err != nil || !strings.HasPrefix(fields["r"], s.nonce) {
		return "", fmt.Errorf("a bad challenge: %q", challenge)
	}
	salted, err := keys.derive(s.newHash, s.size, salt, rounds)
	if err != nil {
		return "", err
	}
	return s.prove(salted, challenge, "c=biws,r="+fields["r"]), nil
}

func (s *scram) prove(salted []byte, challenge, final string) string {
	transcript := s.first + "," + challenge + "," + final
	key := s.mac(salted, "Client Key")
	stored := s.newHash()
	stored.Write(key)
	for i, b := range s.mac(stored.Sum(nil), transcript) {
		key[i] ^= b
	}
	s.server = b64(string(s.mac(s.mac(salted, "Server Key"), transcript)))
	return final + ",p=" + b64(string(key))
}

func (s *scram) mac(key []byte, text string) []byte {
	m := hmac.New(s.newHash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
