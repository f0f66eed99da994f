package auth

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/sasl"
)

// MaxImport is the most lines of one import.
const MaxImport = 200_000

// login is one line of an import: a password, or keys made of one elsewhere.
type login struct {
	name, password string
	sha1, sha256   sasl.Keys
}

// Import makes the accounts of a list with lines name<TAB>password, or
// name<TAB>keys as readKeys says, all or none, and returns how many. Lines that are empty are skipped. Errors name the line, never
// what stands in its password. It keeps every core busy for some milliseconds a line.
func (a *Auth) Import(ctx context.Context, r io.Reader) (int, error) {
	logins, err := a.readLogins(r)
	if err != nil {
		return 0, err
	}
	accs, err := a.deriveAll(ctx, logins)
	if err != nil || len(accs) == 0 {
		return 0, err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if err := a.insert(ctx, accs...); err != nil {
		return 0, err
	}
	return len(accs), nil
}

// readLogins checks everything that can be checked before the long work.
func (a *Auth) readLogins(r io.Reader) ([]login, error) {
	var logins []login
	seen := map[string]int{}
	lines := bufio.NewScanner(r) // refuses lines over 64 KiB
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" {
			continue
		}
		if len(logins) == MaxImport {
			return nil, fmt.Errorf("over %d accounts in one import", MaxImport)
		}
		l, err := a.readLogin(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if first, twice := seen[l.name]; twice {
			return nil, fmt.Errorf("line %d: %w: %s is on line %d already", n, ErrExists, l.name, first)
		}
		seen[l.name] = n
		logins = append(logins, l)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	return logins, nil
}

func (a *Auth) readLogin(line string) (login, error) {
	name, secret, ok := strings.Cut(line, "\t")
	if !ok {
		return login{}, fmt.Errorf("%w: no tab between name and password", ErrName)
	}
	name, err := a.Name(name)
	if err != nil {
		return login{}, err
	}
	if a.Exists(name) {
		return login{}, fmt.Errorf("%w: %s", ErrExists, name)
	}
	return readSecret(login{name: name}, secret)
}

// readSecret reads what stands behind the name: keys, one for each hash at most,
// or a password.
func readSecret(l login, secret string) (login, error) {
	if !strings.HasPrefix(secret, "scram-sha-") {
		if _, err := sasl.Password(secret); err != nil {
			return l, fmt.Errorf("%w: %w", ErrPassword, err)
		}
		l.password = secret
		return l, nil
	}
	for field := range strings.SplitSeq(secret, "\t") {
		hash, rest, _ := strings.Cut(field, ":")
		at, size := &l.sha1, 20
		if hash == "scram-sha-256" {
			at, size = &l.sha256, 32
		} else if hash != "scram-sha-1" {
			return l, fmt.Errorf("%w: keys for a hash that is not known", ErrPassword)
		}
		if at.StoredKey != nil {
			return l, fmt.Errorf("%w: two keys for one hash", ErrPassword)
		}
		keys, err := readKeys(rest, size)
		if err != nil {
			return l, err
		}
		*at = keys
	}
	return l, nil
}

// readKeys reads iterations:salt:stored key:server key (RFC 5802 §3) for a hash of
// size bytes. The salt is in base64, the keys are too, or in hexadecimal.
func readKeys(s string, size int) (k sasl.Keys, err error) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 {
		return k, fmt.Errorf("%w: keys are written scram-sha-256:ITERATIONS:SALT:STORED KEY:SERVER KEY", ErrPassword)
	}
	k.Iterations, err = strconv.Atoi(parts[0])
	var errs [3]error
	k.Salt, errs[0] = base64.StdEncoding.DecodeString(parts[1])
	k.StoredKey, errs[1] = readKey(parts[2], size)
	k.ServerKey, errs[2] = readKey(parts[3], size)
	if errors.Join(err, errors.Join(errs[:]...)) != nil {
		// what stands there is as good as a password: it goes into no message
		return sasl.Keys{}, fmt.Errorf("%w: keys that cannot be read", ErrPassword)
	}
	return k, checkKeys(k)
}

func readKey(s string, size int) (key []byte, err error) {
	if len(s) == 2*size {
		return hex.DecodeString(s)
	}
	if key, err = base64.StdEncoding.DecodeString(s); err == nil && len(key) != size {
		err = ErrPassword
	}
	return key, err
}

// accountOf is what a line makes; for a password it takes some milliseconds.
func (a *Auth) accountOf(l login) (store.Account, error) {
	if l.password != "" {
		return a.deriveNow(l.name, l.password)
	}
	return store.Account{Name: l.name, Created: time.Now().Unix(), SHA1: store.Scram(l.sha1), SHA256: store.Scram(l.sha256)}, nil
}

// deriveAll shares the work among the cores.
func (a *Auth) deriveAll(ctx context.Context, logins []login) ([]store.Account, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	accs := make([]store.Account, len(logins))
	workers := cap(a.work.slots)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(logins) && ctx.Err() == nil; i += workers {
				var err error
				busy := a.work.wait(ctx, func() { accs[i], err = a.accountOf(logins[i]) })
				if err := cmp.Or(busy, err); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return accs, context.Cause(ctx)
}
