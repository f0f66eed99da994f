//go:build !js

// Package profile is where an engine lives on a machine with files and sockets:
// a folder with its database, its half-fetched files, and what it trusts beside
// the system. The terminal, bots and tests have it in common.
//
// It is not the engine and decides nothing. Invariants: the folder and all in it
// are readable by their owner alone; one program at a time has a folder open.
package profile

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"mirsal/internal/client"
	"mirsal/internal/client/conn"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/sqlite"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// Profile is an open folder.
type Profile struct {
	folder string
	store  keep.Store
	trust  *tls.Config // nil trusts what the system does
	http   *files.HTTP
	near   atomic.Bool // the account's own server is on this machine
}

// authorities is the file of certificates that are trusted for this profile's
// server beside the system's.
const authorities = "ca.pem"

// Open opens a folder, which is made if need be. Errors are for people;
// keep.ErrInUse where another program has it open.
func Open(folder string) (*Profile, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	p := &Profile{folder: folder}
	if err := p.readTrust(); err != nil {
		return nil, err
	}
	var err error
	if p.store, err = sqlite.Open(folder); err != nil {
		return nil, err
	}
	// what is asked first Policy has allowed, and no answer leads from elsewhere to here
	p.http = files.NewHTTP(files.Policy{PlainLoopback: true}, "mirsal", p.trust)
	return p, nil
}

// Close ends the use of the folder, after the engine's Run has returned.
func (p *Profile) Close() error {
	p.http.Close()
	return p.store.Close()
}

// Trust has the profile trust the authorities in a PEM file from now on: a server
// of one's own that signs its own certificates. Call it before Open.
func Trust(folder, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM", file)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, authorities), pem, 0o600)
}

func (p *Profile) readTrust() error {
	pem, err := os.ReadFile(filepath.Join(p.folder, authorities))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM", filepath.Join(p.folder, authorities))
	}
	p.trust = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return nil
}

// Engine makes the profile's engine; log may be nil.
func (p *Profile) Engine(label string, events func(port.Event), log *slog.Logger) (*client.Engine, error) {
	c := client.Config{Store: p.store, Dialer: p.dialer, Events: events, Files: p, Software: "mirsal chat",
		Label: label, Rand: rand.Reader, Now: time.Now}
	if log != nil {
		c.Log = log
	}
	return client.New(c)
}

// dialer makes the way to a server: wss://… is a WebSocket, HOST:5223 TLS from the
// first byte, any other HOST:PORT STARTTLS, "" what the domain's records say.
func (p *Profile) dialer(address jid.JID, server string) (conn.Dialer, error) {
	if err := checkServer(server); err != nil {
		return nil, err
	}
	p.near.Store(near(address, server))
	if strings.Contains(server, "://") {
		ws := &conn.WebSocket{URL: server}
		ws.TLS = p.trust
		return ws, nil
	}
	return &conn.TCP{Domain: address.Domain(), Addr: server, Direct: strings.HasSuffix(server, ":5223"), TLS: p.trust}, nil
}

// checkServer says what is wrong with what dialer is to connect to.
func checkServer(server string) error {
	if strings.Contains(server, "://") {
		if u, err := url.Parse(server); err != nil || u.Scheme != "wss" || u.Host == "" {
			return fmt.Errorf("the server %q is no address like wss://example.org/ws", server)
		}
		return nil
	}
	host, digits, err := net.SplitHostPort(server)
	if n, bad := strconv.ParseUint(digits, 10, 16); server != "" && (err != nil || host == "" || bad != nil || n == 0) {
		return fmt.Errorf("the server %q is no HOST:PORT, like example.org:5222", server)
	}
	return nil
}

// near tells whether a server is on this very machine.
func near(address jid.JID, server string) bool {
	if u, err := url.Parse(server); err == nil && u.Hostname() != "" {
		return files.Loopback(u.Hostname())
	}
	if host, _, err := net.SplitHostPort(server); err == nil {
		return files.Loopback(host)
	}
	return files.Loopback(cmp.Or(server, address.Domain()))
}

// Open is of client.Files.
func (p *Profile) Open(path string) (io.ReadCloser, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Part is of client.Files.
func (p *Profile) Part(id string) files.Part {
	return files.Disk{Folder: filepath.Join(p.folder, "parts")}.Part(id)
}

// Save is of client.Files. A path that ends with a separator, or is a folder, is
// where a file of the sender's name goes; nothing that is there is replaced.
func (p *Profile) Save(path, name string) (files.Sink, func() string, error) {
	folder := filepath.Join(p.folder, "files")
	if info, err := os.Stat(path); path != "" && err == nil && info.IsDir() {
		folder = path
	} else if path != "" {
		folder, name = filepath.Split(path)
	}
	if folder == "" {
		folder = "."
	}
	s, err := files.Save(folder, name)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Path, nil
}

// HTTP is of client.Files.
func (p *Profile) HTTP() files.Doer { return p.http }

// Policy is of client.Files: plain HTTP only to this very machine, and only where the
// server of the account is on it. Before one is signed in, nowhere.
func (p *Profile) Policy() files.Policy { return files.Policy{PlainLoopback: p.near.Load()} }
