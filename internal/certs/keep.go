package certs

import (
	"context"
	"crypto/x509"
	"maps"
	"sync"
	"time"
)

// How often files are looked at, and an own certificate's age.
const (
	lookEvery = 10 * time.Second
	ownEvery  = 12 * time.Hour
)

// Keep keeps the certificate good until ctx ends: it renews, reads files that
// changed, and warns of an end that comes near. It is called once.
func (c *Certs) Keep(ctx context.Context) {
	var run sync.WaitGroup
	defer run.Wait()
	if c.issuer != nil {
		run.Go(func() { c.issuer.keep(ctx, c) })
	}
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	k := keeper{Certs: c, owned: time.Now()}
	for now := time.Now(); ; {
		k.look(now)
		select {
		case now = <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// keeper is what Keep remembers between two looks.
type keeper struct {
	*Certs
	owned time.Time // when the own certificate's age was looked at
	begun bool
}

func (k *keeper) look(now time.Time) {
	if !k.begun {
		k.begun = true
		k.first(now)
	}
	if k.due(now) {
		if err := k.Renew(now); err != nil {
			k.log.Error("the certificate cannot be renewed; the one in use stays", "err", err)
		} else if k.files != nil {
			k.log.Info("the certificate was read again", "ends", k.current.Load().leaf.cert.Leaf.NotAfter)
		}
	}
	k.alarm(now)
}

// first says what is wrong with a certificate from the beginning. Its end is
// told by the alarms.
func (k *keeper) first(now time.Time) {
	if k.files != nil {
		k.files.read = [2]stamp{stampOf(k.files.cert), stampOf(k.files.key)}
		k.files.seen = k.files.read
	}
	if l := k.current.Load().leaf; l != nil && now.Before(l.cert.Leaf.NotAfter) {
		if err := unfit(l.cert.Leaf, k.domain, now); err != nil {
			k.log.Error("clients will refuse the certificate: it " + err.Error())
		}
	}
}

func (k *keeper) due(now time.Time) bool {
	switch {
	case k.files != nil:
		return k.files.changed()
	case k.ca != nil && now.Sub(k.owned) >= ownEvery:
		k.owned = now
		return true
	}
	return false
}

// Severity is how near the end of a certificate is.
type Severity int

// The severities.
const (
	Fine   Severity = iota
	Soon            // 14 days, or a fifth of its life when that is less
	Urgent          // 3 days, or a fifteenth
	Over
)

// SeverityOf tells how near a certificate's end is. Those of a short life are not
// expected to be renewed weeks before.
func SeverityOf(cert *x509.Certificate, now time.Time) Severity {
	const day = 24 * time.Hour
	life, left := cert.NotAfter.Sub(cert.NotBefore), cert.NotAfter.Sub(now)
	switch {
	case left <= 0:
		return Over
	case left < min(3*day, life/15):
		return Urgent
	case left < min(14*day, life/5):
		return Soon
	}
	return Fine
}

// alarm is what was last said of a certificate, so that it is not said every
// few seconds.
type alarm struct {
	severity Severity
	at       time.Time
}

// alarmAgain is after how long the same alarm is raised again.
const alarmAgain = 24 * time.Hour

// alarm logs each certificate whose end is near: a warning, then an error, when it
// begins and every day.
func (c *Certs) alarm(now time.Time) {
	for name, l := range c.current.Load().all(ASCII(c.domain)) {
		cert := l.cert.Leaf
		s, was := SeverityOf(cert, now), c.alarms[name]
		if s == was.severity && now.Sub(was.at) < alarmAgain {
			continue
		}
		c.alarms[name] = alarm{s, now}
		if s == Fine {
			continue
		}
		say, what := c.log.Warn, "the certificate ends soon, and nothing has renewed it"
		if s >= Urgent {
			say = c.log.Error
		}
		if s == Over {
			what = "the certificate has ended: clients refuse it"
		}
		say(what, "name", name, "ends", cert.NotAfter.UTC(), "remedy", c.remedy(name))
	}
}

func (c *Certs) remedy(name string) string {
	switch {
	case c.files != nil:
		return "put a new certificate into " + c.files.cert + " and its key into " + c.files.key
	case c.issuer != nil:
		if why := c.issuer.complaint(name); why != "" {
			return "what failed last: " + why
		}
		return "the lines of the last days tell why it cannot be renewed; mirsal doctor helps"
	}
	return "the lines of the last days tell why it cannot be renewed"
}

// all are the certificates by name; one that serves every name is under domain.
func (t *table) all(domain string) map[string]*leaf {
	if t.leaf == nil || t.names[domain] != nil {
		return t.names
	}
	all := maps.Clone(t.names)
	if all == nil {
		all = map[string]*leaf{}
	}
	all[domain] = t.leaf
	return all
}
