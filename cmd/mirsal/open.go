package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

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

// dbName is the database in a data directory.
const dbName = "mirsal.db"

// checkDir refuses a directory of somebody else's: a mistyped --data must not be
// strewn with files. Ours has a database, or nothing but what a first start leaves
// that was cut short.
func checkDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == dbName }) {
		return nil // the store refuses one of another program
	}
	for _, e := range entries {
		if !cutShort(e) {
			return fmt.Errorf("%s is not a data directory of mirsal: it has no %s, but %s; name an empty or new directory with --data", dir, dbName, e.Name())
		}
	}
	return nil
}

// cutShort tells whether a first start may have left this before there was a database.
func cutShort(e fs.DirEntry) bool {
	switch name := e.Name(); name {
	case "lock": // which never has anything in it
		info, err := e.Info()
		return err == nil && info.Mode().IsRegular() && info.Size() == 0
	case "tls":
		return e.IsDir()
	case "control.sock":
		return true
	default:
		return strings.HasPrefix(name, dbName)
	}
}
