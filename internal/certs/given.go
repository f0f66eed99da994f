package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"syscall"
	"time"

	"mirsal/internal/xmpp/jid"
)

// pair are the files of a given certificate. Only Keep's goroutine touches the stamps.
type pair struct {
	cert, key string

	read, seen [2]stamp // as they were when last read, and at the last look
}

// stamp tells one content of a file from the next: its time, size and place.
type stamp struct {
	mod      time.Time
	size     int64
	dev, ino uint64 // a file or link put in its place
}

// stampOf of a file that cannot be seen is zero.
func stampOf(path string) stamp {
	st, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	s := stamp{mod: st.ModTime(), size: st.Size()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		s.dev, s.ino = uint64(sys.Dev), sys.Ino
	}
	return s
}

// changed tells whether the files are others than those last read, and the same as
// at the last look: whoever replaces them writes one after the other.
func (p *pair) changed() bool {
	now := [2]stamp{stampOf(p.cert), stampOf(p.key)}
	settled := now == p.seen
	p.seen = now
	if !settled || now == p.read {
		return false
	}
	p.read = now
	return true
}

// read loads the files and refuses what is worse than what is in use.
func (c *Certs) read(now time.Time) (tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.files.cert, c.files.key)
	if err != nil {
		return cert, err
	}
	old := c.current.Load().leaf
	if old == nil || unfit(old.cert.Leaf, c.domain, now) != nil {
		return cert, nil // there is nothing better
	}
	if err := unfit(cert.Leaf, c.domain, now); err != nil {
		return cert, fmt.Errorf("%s %w", c.files.cert, err)
	}
	return cert, nil
}

// unfit says why clients of the domain will refuse a certificate, as far as can be
// told without knowing whom they trust; nil when they need not.
func unfit(cert *x509.Certificate, domain jid.JID, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("is out of date since %s", cert.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("is not good before %s; is the clock right?", cert.NotBefore.UTC().Format(time.DateTime))
	}
	if err := cert.VerifyHostname(ASCII(domain)); err != nil {
		return fmt.Errorf("does not name %s", domain)
	}
	return nil
}
