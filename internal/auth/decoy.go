package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/sasl"
)

// A name that no account has gets keys that look like some account's: as many
// iterations, as long a salt, the same hashes. It borrows them from the account
// that follows it in the order of a keyed hash, so it keeps them while that one
// keeps its password, across restarts too. Known and unknown names cost the same:
// one account is read and one set of decoys is made for either.

// spot is an account's place in the order.
type spot struct {
	hash [8]byte
	name string
}

func (s spot) compare(o spot) int {
	return cmp.Or(bytes.Compare(s.hash[:], o.hash[:]), cmp.Compare(s.name, o.name))
}

func (a *Auth) spot(name string) (s spot) {
	h := sha256.New()
	h.Write(a.secret)
	h.Write([]byte(name))
	copy(s.hash[:], h.Sum(nil))
	s.name = name
	return s
}

// order is the accounts by their spots. Not safe for use by several goroutines.
type order struct {
	spots  []spot
	sorted bool
}

func (o *order) sort() {
	if !o.sorted {
		slices.SortFunc(o.spots, spot.compare)
		o.sorted = true
	}
}

// add puts a spot in; many are sorted together when that is next needed.
func (o *order) add(s spot) {
	if i, there := slices.BinarySearchFunc(o.spots, s, spot.compare); o.sorted && !there {
		o.spots = slices.Insert(o.spots, i, s)
	} else if !o.sorted {
		o.spots = append(o.spots, s)
	}
}

// expect says how many accounts are about to come.
func (a *Auth) expect(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.order.sorted = a.order.sorted && n < 100
}

func (o *order) remove(s spot) {
	o.sort()
	if i, there := slices.BinarySearchFunc(o.spots, s, spot.compare); there {
		o.spots = slices.Delete(o.spots, i, i+1)
	}
}

// at is the account at a spot, or the next one behind it; "" when there are none.
func (o *order) at(s spot) string {
	if len(o.spots) == 0 {
		return ""
	}
	o.sort()
	i, _ := slices.BinarySearchFunc(o.spots, s, spot.compare)
	return o.spots[i%len(o.spots)].name
}

// lender is whose account is read for a name: its own, or the one that it borrows
// from; "" while there are none.
func (a *Auth) lender(name string) string {
	s := a.spot(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.order.at(s)
}

// look reads what a login to a name is checked against. lacks names the mechanisms
// that it has no keys for; decoys stand in their place.
func (a *Auth) look(ctx context.Context, name string) (lacks []string, c sasl.Credentials, err error) {
	lender := a.lender(name)
	acc, err := a.accounts.Account(ctx, lender)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, c, fmt.Errorf("auth: %w", err)
	}
	if err != nil { // no account yet, or one that is being removed
		lender, acc = "", store.Account{SHA1: a.usual(20), SHA256: a.usual(32)}
	}
	if len(acc.SHA1.StoredKey) == 0 {
		lacks, acc.SHA1 = append(lacks, sasl.SCRAMSHA1), a.usual(20)
	}
	if len(acc.SHA256.StoredKey) == 0 {
		lacks, acc.SHA256 = append(lacks, sasl.SCRAMSHA256), a.usual(32)
	}
	c = sasl.Credentials{SHA1: a.decoy("1", name, acc.SHA1), SHA256: a.decoy("256", name, acc.SHA256), Do: a.work.do}
	c.OnlySHA1 = slices.Contains(lacks, sasl.SCRAMSHA256)
	if lender != name || !a.Exists(name) {
		return lacks, c, nil
	}
	if !slices.Contains(lacks, sasl.SCRAMSHA1) {
		c.SHA1 = sasl.Keys(acc.SHA1)
	}
	if !c.OnlySHA1 {
		c.SHA256 = sasl.Keys(acc.SHA256)
	}
	c.Disabled = acc.Disabled
	return lacks, c, nil
}

// usual is the shape of keys that are made today.
func (a *Auth) usual(size int) store.Scram {
	return store.Scram{Salt: make([]byte, saltSize), Iterations: a.cfg.Iterations, StoredKey: make([]byte, size)}
}

// decoy is what a name's keys look like that has none, in the shape of others.
// Nobody can log in with them: who could would have found a preimage of a random hash.
func (a *Auth) decoy(hash, name string, like store.Scram) sasl.Keys {
	salt, key := len(like.Salt), len(like.StoredKey)
	info := hash + "\x00" + name + "\x00" + strconv.Itoa(like.Iterations) + "\x00" + strconv.Itoa(salt)
	b, err := hkdf.Expand(sha256.New, a.secret, info, salt+2*key)
	if err != nil {
		panic(err) // over 8 kB only
	}
	return sasl.Keys{
		Salt: b[:salt:salt], Iterations: like.Iterations,
		StoredKey: b[salt : salt+key : salt+key], ServerKey: b[salt+key:],
	}
}

// Credentials is what a login is checked against: a sasl.Lookup.
func (a *Auth) Credentials(name string) (sasl.Credentials, error) {
	_, c, err := a.look(context.Background(), name)
	return c, err
}

// Lacks names the mechanisms (without -PLUS) that an account has no keys for:
// none, when a password was ever set here. Names without an account have answers too.
func (a *Auth) Lacks(name string) []string {
	lacks, _, _ := a.look(context.Background(), name)
	return lacks
}
