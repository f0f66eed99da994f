package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// check refuses what cannot work or is not safe.
func (c *Config) check() error {
	for _, err := range []error{
		c.checkWords(), c.checkNumbers(), c.checkTimes(), c.checkSafety(), c.checkNetworks(), c.checkTLS(), c.checkWeb(), c.Contact.check(), c.Services.check(), c.checkComponents(), c.checkUpload(), c.Calls.check(), c.Turn.check(),
	} {
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
	}
	return nil
}

func (c *Config) checkWords() error {
	for _, w := range []struct {
		key, value string
		allowed    []string
	}{
		{"e2ee", c.E2EE, []string{Required, Optional}},
		{"log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}},
		{"log.format", c.Log.Format, []string{"text", "json"}},
		{"store.synchronous", c.Store.Synchronous, []string{"full", "off"}},
		{"pubsub.create", c.Pubsub.Create, []string{Everyone, Admins}},
		{"rooms.create", c.Rooms.Create, []string{Everyone, Admins}},
	} {
		if !slices.Contains(w.allowed, w.value) {
			return fmt.Errorf("%s: %q is none of %q", w.key, w.value, w.allowed)
		}
	}
	if c.Domain == "" || c.Data == "" {
		return fmt.Errorf("domain and data may not be empty")
	}
	return nil
}

func (c *Config) checkNumbers() error {
	for _, n := range []struct {
		key           string
		value, lo, hi int
	}{
		{"c2s.strangers", c.C2S.Strangers, 1, 1 << 20},
		// RFC 6120 §13.12: at least 10,000 bytes
		{"limits.stanza_before_auth", c.Limits.StanzaBeforeAuth, 10_000, 1 << 20},
		{"limits.stanza", c.Limits.Stanza, 10_000, 16 << 20},
		{"limits.queue", c.Limits.Queue, 64 << 10, 1 << 30},
		{"limits.sessions", c.Limits.Sessions, 1, 1000},
		{"limits.hibernated", c.Limits.Hibernated, 0, 1000},
		{"limits.strangers", c.Limits.Strangers, 1, 1 << 20},
		{"limits.connections", c.Limits.Connections, 1, 1 << 20},
		{"limits.handshakes", c.Limits.Handshakes, 1, 1 << 20},
		{"limits.logins", c.Limits.Logins, 1, 1 << 20},
		{"calls.pair", c.Calls.Pair, 0, 1000},
		{"calls.callee", c.Calls.Callee, 0, 1000},
		{"calls.caller", c.Calls.Caller, 0, 1000},
		{"calls.newcomer", c.Calls.Newcomer, 0, 1000},
		{"limits.stanza_rate", c.Limits.StanzaRate, 10, 1 << 20},
		{"limits.byte_rate", c.Limits.ByteRate, 10_000, 1 << 30},
		{"limits.registrations", c.Limits.Registrations, 1, 1 << 20},
		{"auth.iterations", c.Auth.Iterations, 4096, 10_000_000},
		{"archive.page", c.Archive.Page, 1, 1000},
		{"rooms.max_occupants", c.Rooms.MaxOccupants, 2, 1_000_000},
		{"rooms.max_per_account", c.Rooms.MaxPerAccount, 0, 1_000_000},
		{"rooms.history", c.Rooms.History, 0, 100},
	} {
		if n.value < n.lo || n.value > n.hi {
			return fmt.Errorf("%s: %d is not between %d and %d", n.key, n.value, n.lo, n.hi)
		}
	}
	return nil
}

func (c *Config) checkTimes() error {
	const day = 24 * time.Hour
	for _, t := range []struct {
		key    string
		value  Duration
		lo, hi time.Duration
	}{
		{"c2s.negotiation", c.C2S.Negotiation, time.Second, time.Hour},
		{"c2s.write", c.C2S.Write, time.Second, time.Hour},
		{"limits.resumption", c.Limits.Resumption, 0, day},
		{"limits.login_delay", c.Limits.LoginDelay, 0, 10 * time.Second},
		{"auth.invitation", c.Auth.Invitation, time.Hour, 30 * day},
		{"auth.link_wait", c.Auth.LinkWait, 0, 7 * day},
		{"calls.young", c.Calls.Young, 0, 365 * day},
		{"calls.keep", c.Calls.Keep, day, 365 * day},
	} {
		if t.value.Duration < t.lo || t.value.Duration > t.hi {
			return fmt.Errorf("%s: %s is not between %s and %s", t.key, t.value.written(), Duration{t.lo}.written(), Duration{t.hi}.written())
		}
	}
	return nil
}

// checkSafety refuses logins in clear text that anybody but this machine could read.
func (c *Config) checkSafety() error {
	if !c.C2S.RequireTLS && !c.Listen.C2S.Off() && !c.Listen.C2S.Loopback() {
		return fmt.Errorf("c2s.require_tls=false is for a loopback address only, and listen.c2s is %q", c.Listen.C2S)
	}
	if !c.Listen.HTTPPlain.Off() && !c.Listen.HTTPPlain.Loopback() {
		return fmt.Errorf("listen.http_plain is for a loopback address only, and it is %q", c.Listen.HTTPPlain)
	}
	return nil
}

func (c *Config) checkNetworks() error {
	for _, s := range c.Limits.Exempt {
		if _, err := network(s); err != nil {
			return fmt.Errorf("limits.exempt: %w", err)
		}
	}
	return nil
}

func (c *Calls) check() error {
	if len(c.Keys()) != len(c.RulesKeys) {
		return fmt.Errorf("calls.rules_keys: one is no key such as `mirsal call-rules key` prints")
	}
	return nil
}

func (c *Contact) check() error {
	for _, list := range c.Lists() {
		for _, s := range list.Addresses {
			if u, err := url.Parse(s); err != nil || u.Scheme == "" {
				return fmt.Errorf("contact.%s: %q is no address such as mailto:help@example.org", list.Purpose, s)
			}
		}
	}
	return nil
}

// ContactList is the addresses for one purpose.
type ContactList struct {
	Purpose   string // as in XEP-0157 §2, without -addresses
	Addresses []string
}

// Lists are all lists, also empty ones, in the order of their purposes.
func (c *Contact) Lists() []ContactList {
	return []ContactList{
		{"abuse", c.Abuse}, {"admin", c.Admin}, {"feedback", c.Feedback}, {"sales", c.Sales},
		{"security", c.Security}, {"status", c.Status}, {"support", c.Support},
	}
}
