package memory

import (
	"context"
	"maps"
	"slices"

	"mirsal/internal/store"
)

func (e *engine) Account(ctx context.Context, name string) (a store.Account, err error) {
	if err := ctx.Err(); err != nil {
		return a, err
	}
	err = e.read(func() error {
		found, ok := e.accounts[name]
		if !ok {
			return store.ErrNotFound
		}
		a = cloneAccount(found)
		return nil
	})
	return a, err
}

func (e *engine) AddAccounts(ctx context.Context, as []store.Account) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		fresh := make(map[string]store.Account)
		for _, a := range as {
			_, there := e.accounts[a.Name]
			_, twice := fresh[a.Name]
			if there || twice {
				return store.ErrExists
			}
			fresh[a.Name] = cloneAccount(a)
		}
		maps.Copy(e.accounts, fresh)
		return nil
	})
}

func (e *engine) SetAccount(ctx context.Context, a store.Account) error {
	return e.changeAccount(ctx, a.Name, func() { e.accounts[a.Name] = cloneAccount(a) })
}

func (e *engine) RemoveAccount(ctx context.Context, name string) error {
	return e.changeAccount(ctx, name, func() { delete(e.accounts, name) })
}

func (e *engine) changeAccount(ctx context.Context, name string, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.write(func() error {
		if _, ok := e.accounts[name]; !ok {
			return store.ErrNotFound
		}
		f()
		return nil
	})
}

func (e *engine) AccountNames(ctx context.Context) (names []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = e.read(func() error {
		names = slices.Sorted(maps.Keys(e.accounts))
		return nil
	})
	return names, err
}

func cloneAccount(a store.Account) store.Account {
	a.SHA1, a.SHA256 = cloneScram(a.SHA1), cloneScram(a.SHA256)
	return a
}
