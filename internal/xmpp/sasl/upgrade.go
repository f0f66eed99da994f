package sasl

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// NSUpgrade is the namespace of <upgrade/>, NSScramUpgrade that of <salt/> and <hash/>.
const (
	NSUpgrade      = "urn:xmpp:sasl:upgrade:0"
	NSScramUpgrade = "urn:xmpp:scram-upgrade:0"
)

// upgradePrefix begins the name of a task.
// XEP-0480 §2.1
const upgradePrefix = "UPGR-"

// UpgradeTask is the name of the task that gives an account keys for a mechanism
// without -PLUS; UpgradeMech is the reverse, "" for a name that is none.
func UpgradeTask(mech string) string { return upgradePrefix + mech }

// UpgradeMech is the mechanism of a task, "" for a task that is not known.
func UpgradeMech(task string) string {
	mech, ok := strings.CutPrefix(task, upgradePrefix)
	if _, plus, known := mechanism(mech); !ok || plus || !known {
		return ""
	}
	return mech
}

// Without takes the mechanisms out of a list for which an account has no keys;
// lacks names them without -PLUS.
func Without(mechs, lacks []string) []string {
	return slices.DeleteFunc(slices.Clone(mechs), func(m string) bool {
		return slices.Contains(lacks, strings.TrimSuffix(m, "-PLUS"))
	})
}

// UpgradeChallenge makes a salt for new keys, and the payload of <task-data/>
// that asks the client to compute with it.
// XEP-0480 §3
func UpgradeChallenge(iterations int) (salt, payload []byte) {
	salt = make([]byte, saltSize)
	rand.Read(salt)
	payload = append(payload, "<salt xmlns='"+NSScramUpgrade+"' iterations='"+strconv.Itoa(iterations)+"'>"...)
	payload = base64.StdEncoding.AppendEncode(payload, salt)
	return salt, append(payload, "</salt>"...)
}

// saltSize is the bytes of a salt that we make.
const saltSize = 16

// Salted is the work that an upgrade asks of the client: RFC 5802's
// SaltedPassword. The password must be prepared by Password.
func Salted(mech, password string, salt []byte, iterations int) ([]byte, error) {
	k, plus, ok := mechanism(mech)
	if !ok || plus || iterations > MaxIterations || iterations < 1 {
		return nil, fmt.Errorf("sasl: cannot make keys for %q with %d iterations", mech, iterations)
	}
	return pbkdf2.Key(k.hash, password, salt, iterations, k.hash().Size())
}

// FromSalted makes the keys of a SaltedPassword.
// RFC 5802 §3
func FromSalted(mech string, salted, salt []byte, iterations int) (Keys, error) {
	k, plus, ok := mechanism(mech)
	if !ok || plus || len(salted) != k.hash().Size() {
		return Keys{}, malformed("not a salted password of this mechanism")
	}
	keys, _ := keysOf(k.hash, salted)
	keys.Salt, keys.Iterations = salt, iterations
	return keys, nil
}
