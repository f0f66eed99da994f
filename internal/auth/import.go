package auth

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/sasl"
)

// MaxImport is the most lines of one import.
const MaxImport = 200_000

// login is one line of an import.
type login struct{ name, password string }

// Import makes the accounts of a list with lines name<TAB>password, all or none, and
// returns how many. Lines that are empty are skipped. Errors name the line, never
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
	name, password, ok := strings.Cut(line, "\t")
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
	if _, err := sasl.Password(password); err != nil {
		return login{}, fmt.Errorf("%w: %w", ErrPassword, err)
	}
	return login{name, password}, nil
}

// deriveAll shares the work among the cores.
func (a *Auth) deriveAll(ctx context.Context, logins []login) ([]store.Account, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	accs := make([]store.Account, len(logins))
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(logins) && ctx.Err() == nil; i += workers {
				acc, err := a.derive(logins[i].name, logins[i].password)
				if err != nil {
					cancel(err)
				}
				accs[i] = acc
			}
		})
	}
	wg.Wait()
	return accs, context.Cause(ctx)
}
