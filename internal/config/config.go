// Package config holds everything that an operator can choose, with its
// defaults and its documentation: default.toml, which `mirsal config` prints, is
// the manual. It opens nothing and knows no feature.
//
// Invariants: the server runs with no file; what Load returns is checked and not
// changed afterwards; a key that is not known is an error; default.toml parses
// to exactly Default() and names every key.
package config

import (
	"crypto/ed25519"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

//go:embed default.toml
var manual string

// Manual is the annotated default configuration.
func Manual() string { return manual }

// Config is a whole configuration. default.toml says what each key means.
type Config struct {
	Domain string `toml:"domain"`
	Data   string `toml:"data"`
	E2EE   string `toml:"e2ee"` // Required or Optional
	// PublicURL is https://host or https://host:port, or empty.
	PublicURL string `toml:"public_url"`

	Listen   Listen   `toml:"listen"`
	HTTP     HTTP     `toml:"http"`
	Web      Web      `toml:"web"`
	TLS      TLS      `toml:"tls"`
	C2S      C2S      `toml:"c2s"`
	Limits   Limits   `toml:"limits"`
	Auth     Auth     `toml:"auth"`
	Register Register `toml:"register"`
	Archive  Archive  `toml:"archive"`
	Pubsub   Pubsub   `toml:"pubsub"`
	Rooms    Rooms    `toml:"rooms"`
	Store    Store    `toml:"store"`
	Contact  Contact  `toml:"contact"`
	Services Services `toml:"services"`
	Calls    Calls    `toml:"calls"`
	Turn     Turn     `toml:"turn"`
	Push     Push     `toml:"push"`
	Upload   Upload   `toml:"upload"`
	Outage   Outage   `toml:"outage"`
	Log      Log      `toml:"log"`
	// Components are secrets by host name.
	Components map[string]string `toml:"components"`
}

// Calls is for one-to-one calls.
type Calls struct {
	Strangers   bool     `toml:"strangers"`
	Unannounced bool     `toml:"unannounced"`
	Loopback    bool     `toml:"loopback"`
	Pair        int      `toml:"pair"`
	Callee      int      `toml:"callee"`
	Caller      int      `toml:"caller"`
	Newcomer    int      `toml:"newcomer"`
	Young       Duration `toml:"young"`
	Keep        Duration `toml:"keep"`
	Rules       string   `toml:"rules"`
	RulesKeys   []string `toml:"rules_keys"`
}

// Keys are those of who may sign rules; Load has checked them.
func (c *Calls) Keys() (list []ed25519.PublicKey) {
	for _, s := range c.RulesKeys {
		if k, err := base64.StdEncoding.DecodeString(s); err == nil && len(k) == ed25519.PublicKeySize {
			list = append(list, k)
		}
	}
	return list
}

// Push is for notifications to devices that are away.
type Push struct {
	Web          bool `toml:"web"`
	Sender       bool `toml:"sender"`
	Body         bool `toml:"body"`
	AllowPrivate bool `toml:"allow_private"`
}

// Values of E2EE.
const (
	Required = "required"
	Optional = "optional"
)

// Listen says where the server listens.
type Listen struct {
	C2S       Address `toml:"c2s"`
	C2STLS    Address `toml:"c2s_tls"`
	HTTP      Address `toml:"http"`
	HTTPPlain Address `toml:"http_plain"`
	Ops       Address `toml:"ops"`
	Component Address `toml:"component"`
	Turn      Address `toml:"turn"`
	Turns     Address `toml:"turns"`
}

// Web is for the screen that browsers are shown.
type Web struct {
	Enabled bool `toml:"enabled"`
}

// TLS says where the certificate comes from: given files, ACME, or neither, which means
// the own CA.
type TLS struct {
	Cert          string `toml:"cert"`
	Key           string `toml:"key"`
	ACME          bool   `toml:"acme"`
	ACMETerms     bool   `toml:"acme_terms"`
	ACMEEmail     string `toml:"acme_email"`
	ACMEDirectory string `toml:"acme_directory"`
	ACMECA        string `toml:"acme_ca"`
}

// C2S is for client connections.
type C2S struct {
	RequireTLS  bool     `toml:"require_tls"`
	Negotiation Duration `toml:"negotiation"`
	Write       Duration `toml:"write"`
	Strangers   int      `toml:"strangers"`
}

// Limits bound what one connection or account may cost. Sizes are in bytes.
type Limits struct {
	Enabled          bool     `toml:"enabled"`
	StanzaBeforeAuth int      `toml:"stanza_before_auth"`
	Stanza           int      `toml:"stanza"`
	Queue            int      `toml:"queue"`
	Sessions         int      `toml:"sessions"`
	Hibernated       int      `toml:"hibernated"`
	Resumption       Duration `toml:"resumption"`

	Exempt        []string `toml:"exempt"`
	Strangers     int      `toml:"strangers"`
	Connections   int      `toml:"connections"`
	Handshakes    int      `toml:"handshakes"`
	Logins        int      `toml:"logins"`
	LoginDelay    Duration `toml:"login_delay"`
	StanzaRate    int      `toml:"stanza_rate"`
	ByteRate      int      `toml:"byte_rate"`
	Registrations int      `toml:"registrations"`
}

// Networks are the exempt ones; Load has checked them.
func (l *Limits) Networks() (list []netip.Prefix) {
	for _, s := range l.Exempt {
		if p, err := network(s); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// network reads a network such as 10.0.0.0/8, or one address.
func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is no network such as 10.0.0.0/8 or 2001:db8::/32", s)
	}
	return p.Masked(), nil
}

// Auth is for accounts and invitations.
type Auth struct {
	Iterations int      `toml:"iterations"`
	Plain      bool     `toml:"plain"`
	Invitation Duration `toml:"invitation"`
	LinkWait   Duration `toml:"link_wait"`
	// UsersMayInvite is for people who have no account yet.
	UsersMayInvite bool `toml:"users_may_invite"`
}

// Register is for in-band registration.
type Register struct {
	Open bool `toml:"open"`
}

// Rooms is for the service at conference.DOMAIN.
type Rooms struct {
	Enabled       bool   `toml:"enabled"`
	Create        string `toml:"create"` // Everyone or Admins
	MaxOccupants  int    `toml:"max_occupants"`
	MaxPerAccount int    `toml:"max_per_account"`
	History       int    `toml:"history"`
}

// Pubsub is for the service at pubsub.DOMAIN.
type Pubsub struct {
	Create string `toml:"create"`
}

// Values of Pubsub.Create.
const (
	Everyone = "everyone"
	Admins   = "admins"
)

// Archive is for the message archive.
type Archive struct {
	Keep Keep `toml:"keep"`
	Page int  `toml:"page"`
}

// Store is for the database.
type Store struct {
	Synchronous string `toml:"synchronous"` // full or off
}

// Outage is for the file that tells when the server is not there (XEP-0455).
type Outage struct {
	URL string `toml:"url"` // of a file elsewhere; "" for our own
}

// Contact lists addresses (URIs) that the server publishes (XEP-0157).
type Contact struct {
	Abuse    []string `toml:"abuse"`
	Admin    []string `toml:"admin"`
	Feedback []string `toml:"feedback"`
	Sales    []string `toml:"sales"`
	Security []string `toml:"security"`
	Status   []string `toml:"status"`
	Support  []string `toml:"support"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
	// Profiles are served at the ops address.
	Profiles bool `toml:"profiles"`
}

// Default is the configuration of a server that is told nothing.
func Default() Config {
	none := []string{}
	return Config{
		Domain: "localhost", Data: "./mirsal-data", E2EE: Required,
		Listen: Listen{C2S: ":5222", C2STLS: ":5223", HTTP: ":5443", HTTPPlain: "127.0.0.1:5280", Ops: "127.0.0.1:5281", Component: "off", Turn: "off", Turns: "off"},
		HTTP:   HTTP{TrustedProxies: none, Forwarded: XForwarded},
		Web:    Web{Enabled: true},
		C2S: C2S{
			RequireTLS: true, Negotiation: Duration{time.Minute}, Write: Duration{time.Minute}, Strangers: 4096,
		},
		Limits: Limits{
			Enabled: true, StanzaBeforeAuth: 16 << 10, Stanza: 256 << 10, Queue: 1 << 20,
			Sessions: 20, Hibernated: 10, Resumption: Duration{10 * time.Minute},
			Exempt: []string{"127.0.0.0/8", "::1/128"}, Strangers: 256, Connections: 50, Handshakes: 50,
			Logins: 20, LoginDelay: Duration{3 * time.Second}, StanzaRate: 200, ByteRate: 1 << 20, Registrations: 10,
		},
		Auth:    Auth{Iterations: 10_000, Invitation: Duration{7 * 24 * time.Hour}},
		Pubsub:  Pubsub{Create: Everyone},
		Rooms:   Rooms{Enabled: true, Create: Everyone, MaxOccupants: 10_000, MaxPerAccount: 50, History: 20},
		Archive: Archive{Keep: Keep{Days: 30}, Page: 250},
		Store:   Store{Synchronous: "full"},
		Contact: Contact{none, none, none, none, none, none, none},
		Upload:  defaultUpload(),
		Log:     Log{Level: "info", Format: "text"}, Components: map[string]string{},
		Calls: Calls{Pair: 6, Callee: 20, Caller: 60, Newcomer: 10, Young: Duration{7 * 24 * time.Hour}, Keep: Duration{30 * 24 * time.Hour}, RulesKeys: none},
		Push:  Push{Web: true},
		Turn:  defaultTurn(),
		Services: Services{
			Calls: none, Life: Duration{24 * time.Hour},
		},
	}
}

// Address is host:port, :port for every interface, or "off". Port 0 lets the system choose.
type Address string

// Off tells whether there is to be no such listener.
func (a Address) Off() bool { return a == "off" }

// Loopback tells whether only this machine can reach the address.
func (a Address) Loopback() bool {
	host, _, err := net.SplitHostPort(string(a))
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// UnmarshalText reads an address.
func (a *Address) UnmarshalText(b []byte) error {
	s := string(b)
	if s != "off" {
		_, port, err := net.SplitHostPort(s)
		if err != nil {
			return fmt.Errorf("%q is neither host:port nor off", s)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%q has no port between 0 and 65535", s)
		}
	}
	*a = Address(s)
	return nil
}

// Duration is a time such as "90s", "10m", "36h" or "7d".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	s := string(b)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return fmt.Errorf("%q is no number of days", s)
		}
		d.Duration = time.Duration(n) * 24 * time.Hour
		return nil
	}
	if d.Duration, err = time.ParseDuration(s); err != nil || d.Duration < 0 {
		return fmt.Errorf("%q is no duration such as 90s, 10m, 36h or 7d", s)
	}
	return nil
}

// written is the duration as people write it, in the largest unit of which it is
// a whole number.
func (d Duration) written() string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d.Duration >= unit.of && d.Duration%unit.of == 0 {
			return strconv.FormatInt(int64(d.Duration/unit.of), 10) + unit.name
		}
	}
	return d.String()
}

// Keep is how long the archive keeps messages.
type Keep struct {
	Days      int  // 0 when Delivered
	Delivered bool // until they are delivered, and some days of grace
}

// UnmarshalText reads a number of days or the word delivered.
func (k *Keep) UnmarshalText(b []byte) error {
	if string(b) == "delivered" {
		*k = Keep{Delivered: true}
		return nil
	}
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 1 || n > 36500 {
		return fmt.Errorf("%q is neither a number of days nor delivered", b)
	}
	*k = Keep{Days: n}
	return nil
}
