package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/control"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
)

// withAccounts runs f on the accounts of a data directory: through the server when
// one answers there, else on the store itself. domain is what the command names; zero for none.
// Only with create is a directory made that is not there.
func withAccounts(ctx context.Context, dir string, domain jid.JID, create bool, f func(control.Accounts) error) error {
	c, err := control.Dial(ctx, dir)
	if err == nil {
		defer c.Close()
		return f(c)
	}
	if err := checkDir(dir); err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !create {
		return fmt.Errorf("there is no data in %s; name the data directory with --data", dir)
	}
	return withStore(ctx, dir, domain, f)
}

func withStore(ctx context.Context, dir string, domain jid.JID, f func(control.Accounts) error) (err error) {
	s, err := sqlite.Open(dir, sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a, err := auth.New(ctx, s, domain, config.Default().Auth)
	if err != nil {
		return err
	}
	var forgot error
	a.OnRemove(auth.Removal{Later: true, Gone: func(bare jid.JID) { forgot = s.Forget(ctx, bare.String()) }})
	return errors.Join(f(a), forgot)
}

// ours are the names of what a data directory holds.
var ours = []string{"mirsal.db", "lock", "tls", "control.sock"}

// checkDir refuses a directory with other things in it and nothing of ours: a
// mistyped --data must not be strewn with files.
func checkDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	mine := func(e fs.DirEntry) bool { return slices.Contains(ours, e.Name()) }
	if len(entries) > 0 && !slices.ContainsFunc(entries, mine) {
		return fmt.Errorf("%s is not a data directory of mirsal: other files are in it", dir)
	}
	return nil
}
