package extdisco

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const secret = "0123456789abcdef"

func service(kind, host string, port int, transport string) Service {
	return Service{Type: kind, Host: host, Port: port, Transport: transport, Restricted: strings.HasPrefix(kind, "turn")}
}

func services() []Service {
	return []Service{
		service("stun", "a.example.org", 3478, "udp"), service("turn", "a.example.org", 3478, "udp"),
		service("turn", "a.example.org", 3479, "tcp"), service("turns", "b.example.org", 443, "tcp"),
	}
}

func run(t *testing.T, list []Service, f func(w *coretest.World, s *Services, ask func(payload string) string)) {
	t.Helper()
	var s *Services
	coretest.Run(t, func(w *coretest.World) {
		s = New(w.Router, list, secret, time.Hour)
		s.Register(w.Host)
	}, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		f(w, s, func(payload string) string {
			alice.Send("<iq type='get' id='q' to='example.org'>" + payload + "</iq>")
			return alice.Got()
		})
	})
}

// values are the values of an attribute, in order.
func values(text, name string) (all []string) {
	for {
		_, rest, ok := strings.Cut(text, " "+name+"='")
		if !ok {
			return all
		}
		v, after, _ := strings.Cut(rest, "'")
		all, text = append(all, v), after
	}
}

func TestARelayCanCheckThePasswordAndLearnsNothingOfTheAccount(t *testing.T) {
	run(t, services(), func(_ *coretest.World, _ *Services, ask func(string) string) {
		got := ask("<services xmlns='" + ns + "'/>")
		users, passwords := values(got, "username"), values(got, "password")
		if len(users) != 3 || strings.Count(got, "<service ") != 4 || strings.Count(got, "restricted='true'") != 3 {
			t.Fatal(got)
		}
		for i, user := range users {
			mac := hmac.New(sha1.New, []byte(secret))
			mac.Write([]byte(user))
			if passwords[i] != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
				t.Error("a relay would refuse " + user)
			}
			until, rest, _ := strings.Cut(user, ":")
			if n, _ := strconv.ParseInt(until, 10, 64); n != time.Now().Add(time.Hour).Unix() || len(rest) < 16 {
				t.Error("good for another time: " + user)
			}
			if strings.Contains(user, "alice") {
				t.Error("the account is told: " + user)
			}
		}
		if again := values(ask("<services xmlns='"+ns+"'/>"), "username"); slices.ContainsFunc(again, func(u string) bool { return slices.Contains(users, u) }) {
			t.Error("a user name came twice")
		}
	})
}

func TestTheServersOwnRelayMakesItsPasswordsForTheAccount(t *testing.T) {
	coretest.Run(t, func(w *coretest.World) {
		s := New(w.Router, []Service{service("turn", "b.example.org", 3478, "udp")}, secret, time.Hour)
		s.Own([]Service{service("stun", "a.example.org", 3478, "udp"), service("turn", "a.example.org", 3478, "udp")}, 2*time.Hour, func(account jid.JID, until time.Time) (string, string) {
			return "for " + account.String() + until.Format(" 15:04"), "password"
		})
		s.Register(w.Host)
	}, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		alice.Send("<iq type='get' id='q' to='example.org'><services xmlns='" + ns + "'/></iq>")
		got := alice.Got()
		if hosts := values(got, "host"); !slices.Equal(hosts, []string{"a.example.org", "a.example.org", "b.example.org"}) {
			t.Error(hosts)
		}
		if users := values(got, "username"); len(users) != 2 || users[0] != "for alice@example.org"+time.Now().UTC().Add(2*time.Hour).Format(" 15:04") || strings.Contains(users[1], "for") {
			t.Error(users)
		}
	})
}

func TestServicesOfOneTypeAreSelected(t *testing.T) {
	run(t, services(), func(_ *coretest.World, _ *Services, ask func(string) string) {
		got := ask("<services xmlns='" + ns + "' type='turn'/>")
		if strings.Count(got, "<service ") != 2 || !strings.Contains(got, "<services xmlns='"+ns+"' type='turn'>") {
			t.Error(got)
		}
		if got := ask("<services xmlns='" + ns + "' type='a&apos;b'/>"); !strings.Contains(got, "type='a&apos;b'></services>") {
			t.Error(got)
		}
	})
}

func TestCredentialsAreForServicesThatTakeThem(t *testing.T) {
	run(t, services(), func(_ *coretest.World, _ *Services, ask func(string) string) {
		for service, want := range map[string]int{
			"<service host='a.example.org' type='turn'/>":             2,
			"<service host='a.example.org' type='turn' port='3479'/>": 1,
			"<service host='a.example.org' type='stun'/>":             0,
			"<service host='c.example.org' type='turn'/>":             0,
			"<service host='a.example.org'/>":                         0,
			"":                                                        0,
		} {
			got := ask("<credentials xmlns='" + ns + "'>" + service + "</credentials>")
			if strings.Count(got, "password=") != want || strings.Contains(got, "type='error'") != (want == 0) {
				t.Errorf("%s: %s", service, got)
			}
		}
	})
}

func TestOnlyAccountsOfThisServerAreTold(t *testing.T) {
	run(t, services(), func(w *coretest.World, s *Services, _ func(string) string) {
		w.Absent = append(w.Absent, "ghost")
		payload, _ := xtok.Parse([]byte("<services xmlns='"+ns+"'/>"), xtok.Limits{})
		for _, who := range []string{"alice@other.example/a", "ghost@example.org/a", "other.example", "example.org"} {
			q := &core.Query{Head: stanza.Head{Kind: stanza.IQ, Type: stanza.Get, From: jid.MustParse(who)}, Payload: payload}
			for _, f := range []core.IQFunc{s.services, s.credentials} {
				if b, err := f(q); err == nil || stanza.AsError(err).Condition != stanza.Forbidden {
					t.Errorf("%s is told %s, %v", who, b, err)
				}
			}
		}
	})
}

func TestWithoutServicesTheFeatureIsNotThere(t *testing.T) {
	run(t, nil, func(w *coretest.World, _ *Services, ask func(string) string) {
		if got := ask("<services xmlns='" + ns + "'/>"); !strings.Contains(got, "service-unavailable") {
			t.Error(got)
		}
		if slices.Contains(w.Host.DiscoAt(core.Server).Features, ns) {
			t.Error("the feature is announced")
		}
	})
}
