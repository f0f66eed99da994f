package removal

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/server"
	"mirsal/internal/store"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
)

const (
	domain   = "example.org"
	password = "one good secret"
	// gone is the account that goes, marker a word that only it wrote for itself.
	gone   = "quetzalcoatl"
	marker = "featheredserpent"
)

// place is a server on a folder.
type place struct {
	*server.Server
	t     *testing.T
	cfg   config.Config
	store *watched
}

// open starts the server on its folder.
func (p *place) open() {
	p.t.Helper()
	s, err := sqlite.Open(p.cfg.Data, sqlite.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.store = &watched{s, map[string]*store.Bucket{}}
	if p.Server, err = server.Start(context.Background(), p.cfg, server.Options{Store: p.store, Log: slog.New(slog.DiscardHandler)}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) close() {
	p.t.Helper()
	if err := p.Server.Close(); err != nil {
		p.t.Error(err)
	}
}

func newPlace(t *testing.T) *place {
	t.Helper()
	here := "127.0.0.1:0"
	cfg, err := config.Load("", []string{
		"domain=" + domain, "data=" + filepath.Join(t.TempDir(), "data"), "auth.iterations=4096", "e2ee=optional", "upload.min_free=0",
		"limits.enabled=false", "listen.c2s=" + here, "listen.c2s_tls=off", "listen.http=" + here, "listen.http_plain=off", "listen.ops=off",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, cfg: cfg}
	p.open()
	for _, name := range []string{gone, "bob", "root"} {
		if _, err := p.Auth.Add(t.Context(), name, password); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Auth.SetAdmin(t.Context(), "root", true); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestARemovedAccountIsNowhereAnyMore: whoever removes it, and whether a server
// runs then.
func TestARemovedAccountIsNowhereAnyMore(t *testing.T) {
	for way, remove := range map[string]func(p *place){
		"in-band": (*place).inBand, "by an administrator": (*place).byAdmin, "without a server": (*place).withoutServer,
	} {
		t.Run(way, func(t *testing.T) {
			p := newPlace(t)
			p.live()
			p.close() // what is in memory goes to disk
			p.open()
			before, err := p.store.mentions(t.Context(), gone)
			if err != nil {
				t.Fatal(err)
			}
			p.store.filled(t, before)
			if len(p.rows()) == 0 {
				t.Error("its archive is empty before")
			}
			if err := p.store.plant(t.Context(), gone+"@"+domain, marker); err != nil {
				t.Fatal(err)
			}
			remove(p)
			p.nothingLeft()
			p.close()
			p.noFileHas(marker)
			p.open()
			defer p.close()
			p.nothingLeft()
			p.comesBack()
		})
	}
}

// rows are what the archive has for the account.
func (p *place) rows() []store.Row {
	p.t.Helper()
	rows, _, err := p.store.Page(p.t.Context(), store.Query{Owner: gone + "@" + domain, Limit: 100})
	if err != nil {
		p.t.Fatal(err)
	}
	return rows
}

func (p *place) nothingLeft() {
	p.t.Helper()
	left, err := p.store.mentions(p.t.Context(), gone)
	if err != nil {
		p.t.Fatal(err)
	}
	p.store.clean(p.t, left)
	if left, err = p.store.mentions(p.t.Context(), marker); err != nil || len(left) > 0 {
		p.t.Error(left, err)
	}
	if rows := p.rows(); len(rows) > 0 {
		p.t.Errorf("%d messages are in its archive", len(rows))
	}
	if _, err := p.store.Account(p.t.Context(), gone); !errors.Is(err, store.ErrNotFound) {
		p.t.Error("there is an account:", err)
	}
}

// noFileHas looks into every file of the data folder, and at its name.
func (p *place) noFileHas(word string) {
	p.t.Helper()
	err := filepath.WalkDir(p.cfg.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(word)) || strings.Contains(path, gone) {
			p.t.Errorf("%s is in %s", word, path)
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}

// inBand removes it as its owner does, in his client.
// XEP-0077#usecases-cancel
func (p *place) inBand() {
	c := p.login(gone, "phone")
	c.send("<iq type='set' id='end'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	c.until(func() bool { return c.last.Attr("id") == "end" })
	p.await("the removal", func() bool {
		_, err := p.store.Account(p.t.Context(), gone)
		return errors.Is(err, store.ErrNotFound)
	})
	p.await("the end of it", func() bool { return len(p.removals()) == 0 })
}

// removals are those that are not over.
func (p *place) removals() []store.Item {
	items, err := p.store.buckets["server"].Scan(p.t.Context(), "", store.Range{Prefix: "removed/"})
	if err != nil {
		p.t.Fatal(err)
	}
	return items
}

// byAdmin removes it by the command of XEP-0133.
func (p *place) byAdmin() {
	c := p.login("root", "desk")
	c.ask("set", domain, "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#delete-user'>"+
		"<x xmlns='jabber:x:data' type='submit'><field var='accountjids'><value>"+gone+"@"+domain+"</value></field></x></command>")
	c.Kill()
}

// withoutServer removes it as the command line does when no server runs; the next
// start ends the removal.
func (p *place) withoutServer() {
	p.close()
	ctx := p.t.Context()
	s, err := sqlite.Open(p.cfg.Data, sqlite.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	a, err := auth.New(ctx, s, jid.JID{}, p.cfg.Auth)
	if err != nil {
		p.t.Fatal(err)
	}
	a.OnRemove(auth.Removal{Later: true, Gone: func(bare jid.JID) { err = s.Forget(ctx, bare.String()) }})
	if err := errors.Join(a.Remove(ctx, gone), err, s.Close()); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

// await waits for what is done behind an answer.
func (p *place) await(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("waited in vain for %s", what)
		}
	}
}
