package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Services are what clients are told of beside this server (XEP-0215).
type Services struct {
	Calls  []string `toml:"calls"`
	Secret string   `toml:"secret"`
	Life   Duration `toml:"life"`
}

// Service is one of them, taken apart.
type Service struct {
	Type      string // stun, stuns, turn or turns
	Host      string // a name or an address, without brackets
	Port      int
	Transport string // udp or tcp
}

// leastSecret is how long a secret has to be, in bytes: it is guessed at by
// whoever has one password made from it.
const leastSecret = 16

// serviceKinds gives each type its port and transport where an address names none.
// RFC 7064 §3.1, RFC 7065 §3.1
var serviceKinds = map[string]Service{
	"stun":  {Type: "stun", Port: 3478, Transport: "udp"},
	"stuns": {Type: "stuns", Port: 5349, Transport: "tcp"},
	"turn":  {Type: "turn", Port: 3478, Transport: "udp"},
	"turns": {Type: "turns", Port: 5349, Transport: "tcp"},
}

// Relays tells whether calls can be relayed by the service, which takes a password.
func (s Service) Relays() bool { return strings.HasPrefix(s.Type, "turn") }

// List takes Calls apart.
func (s *Services) List() ([]Service, error) {
	all := make([]Service, 0, len(s.Calls))
	for _, text := range s.Calls {
		one, err := parseService(text)
		if err != nil {
			return nil, fmt.Errorf("services.calls: %q is not like turn:turn.example.org:3478?transport=udp: %w", text, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func parseService(text string) (s Service, err error) {
	rest, query, _ := strings.Cut(text, "?")
	kind, place, _ := strings.Cut(rest, ":")
	s, ok := serviceKinds[kind]
	if !ok {
		return s, errors.New("it does not begin with stun:, stuns:, turn: or turns: as it has to")
	}
	if s.Host, s.Port, err = hostPort(place, s.Port); err != nil {
		return s, err
	}
	if query != "" {
		name, value, _ := strings.Cut(query, "=")
		if name != "transport" || value != "udp" && value != "tcp" {
			return s, errors.New("the transport is udp or tcp")
		}
		s.Transport = value
	}
	return s, nil
}

// hostPort reads host, host:port or either with an IPv6 address in brackets.
func hostPort(place string, port int) (host string, _ int, err error) {
	u, err := url.Parse("//" + place)
	if err != nil || u.Host != place || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), " <>'\"&") {
		return "", 0, errors.New("there is no host")
	}
	if strings.Contains(u.Hostname(), ":") && net.ParseIP(u.Hostname()) == nil {
		return "", 0, errors.New("the host is no address")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return "", 0, errors.New("the port is not between 1 and 65535")
		}
	}
	return u.Hostname(), port, nil
}

// check refuses services that no client could use.
func (s *Services) check() error {
	list, err := s.List()
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.Relays() && len(s.Secret) < leastSecret {
			return fmt.Errorf("services.secret: a relay (%s:) needs the secret that it shares with this server, of at least %d characters", one.Type, leastSecret)
		}
	}
	if h := s.Life.Hours(); h < 0.1 || h > 7*24 {
		return fmt.Errorf("services.life: %s is not between 6m and 7d", s.Life.Duration)
	}
	return nil
}
