package turn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Credentials makes user names and passwords of limited life, and knows its own
// again. It keeps nothing but its key; any goroutine may use it.
//
// A user name is the time until which it is good, in Unix seconds, a colon, and who
// it is for, sealed so that no two look alike and nobody on the way can tell whose
// they are. The password is an HMAC of the whole name: neither the time nor the
// account can be changed.
type Credentials struct {
	seal cipher.Block
	mac  []byte
	tag  []byte
}

// who is an account, hashed with our key.
type who [8]byte

// claim is what a user name says; it is true once the password has proved right.
type claim struct {
	account who
	until   time.Time
}

// NewCredentials uses a secret key of 32 bytes; who has it can make passwords.
func NewCredentials(key []byte) *Credentials {
	block, err := aes.NewCipher(derive(key, "seal"))
	if err != nil {
		panic(err) // the key derived has the right size
	}
	return &Credentials{seal: block, mac: derive(key, "password"), tag: derive(key, "account")}
}

func derive(key []byte, what string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("mirsal turn " + what))
	return h.Sum(nil)
}

func (c *Credentials) who(account string) (w who) {
	h := hmac.New(sha256.New, c.tag)
	h.Write([]byte(account))
	copy(w[:], h.Sum(nil))
	return w
}

var names = base32.StdEncoding.WithPadding(base32.NoPadding)

// Issue makes a user name and a password for an account, good until a time, which
// is cut to whole seconds.
func (c *Credentials) Issue(account string, until time.Time) (user, password string) {
	var b [aes.BlockSize]byte
	rand.Read(b[:8])
	w := c.who(account)
	copy(b[8:], w[:])
	c.seal.Encrypt(b[:], b[:])
	user = strconv.FormatInt(until.Unix(), 10) + ":" + names.EncodeToString(b[:])
	return user, c.password(user)
}

func (c *Credentials) password(user string) string {
	h := hmac.New(sha256.New, c.mac)
	h.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Made tells whether a password is the one that we made for a user name. It takes the same time
// wherever they differ, and says nothing of whether it is still good.
func (c *Credentials) Made(user, password string) bool {
	_, ok := c.read(user)
	return hmac.Equal([]byte(password), []byte(c.password(user))) && ok
}

// Lengths of the two parts of a user name.
const (
	digitsMost = 12
	sealedSize = 26
)

// read takes a user name apart. It proves nothing: anybody can make one up.
func (c *Credentials) read(user string) (claim, bool) {
	digits, sealed, ok := strings.Cut(user, ":")
	if !ok || len(digits) == 0 || len(digits) > digitsMost || len(sealed) != sealedSize || digits[0] < '1' || digits[0] > '9' {
		return claim{}, false
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return claim{}, false
	}
	b, err := names.DecodeString(sealed)
	if err != nil || len(b) != aes.BlockSize {
		return claim{}, false
	}
	c.seal.Decrypt(b, b)
	return claim{account: who(b[8:]), until: time.Unix(seconds, 0)}, true
}
