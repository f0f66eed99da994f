package clientconn

import (
	"context"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/stanza"
)

// ways are the ways to a server, each over a cord.
func ways(t *testing.T, s *mirsal.Server) map[string]func() (conn.Dialer, *cord) {
	return map[string]func() (conn.Dialer, *cord){
		"starttls": func() (conn.Dialer, *cord) {
			c := lay(t, s.Addr("c2s"))
			return &conn.TCP{Domain: domain, Addr: c.addr, TLS: trusting()}, c
		},
		"direct": func() (conn.Dialer, *cord) {
			c := lay(t, s.Addr("c2s-tls"))
			return &conn.TCP{Domain: domain, Addr: c.addr, Direct: true, TLS: trusting()}, c
		},
		"websocket": func() (conn.Dialer, *cord) {
			c := lay(t, s.Addr("http"))
			ws := &conn.WebSocket{URL: "wss://" + c.addr + "/ws"}
			ws.TLS = trusting()
			return ws, c
		},
		"websocket in clear on this machine": func() (conn.Dialer, *cord) {
			c := lay(t, s.Addr("http-plain"))
			return &conn.WebSocket{URL: "ws://" + c.addr + "/ws"}, c
		},
	}
}

func start(t *testing.T) *mirsal.Server {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--http", "127.0.0.1:0", "--http-plain", "127.0.0.1:0"}})
	s.Accounts(password, "alice", "bob")
	return s
}

// TestWhatIsSaidWhileTheWireIsCutComesOnce has Alice write to Bob while both their
// wires are cut again and again.
func TestWhatIsSaidWhileTheWireIsCutComesOnce(t *testing.T) {
	s := start(t)
	for name, way := range ways(t, s) {
		t.Run(name, func(t *testing.T) {
			const messages, cuts = 300, 6
			da, wireA := way()
			db, wireB := way()
			alice := sit(t, conn.Config{Address: account("alice"), Password: password, Device: "device-a-" + name, Dial: da}, nil)
			bob := sit(t, conn.Config{Address: account("bob"), Password: password, Device: "device-b-" + name, Dial: db}, nil)
			bob.up(1)
			alice.up(1)
			for i := uint64(1); i <= messages; i++ {
				alice.write(i)
				if i%(messages/cuts) == 0 {
					alice.until("something is acknowledged", func() bool { return len(alice.handled) > 0 })
					wireA.cut()
					wireB.cut()
				}
			}
			alice.until("all is acknowledged", func() bool { return len(alice.handled) == messages })
			bob.until("all has come", func() bool { return len(bob.got) >= messages })
			eachOnce(t, bob.got, messages)
			for i, ticket := range sorted(alice.handled) {
				if ticket != uint64(i+1) {
					t.Fatalf("handled: %v", sorted(alice.handled))
				}
			}
			resumed := 0
			for _, up := range alice.ups {
				if up.Resumed {
					resumed++
				}
			}
			if resumed == 0 {
				t.Error("no stream was resumed")
			}
		})
	}
}

// TestATokenAndASessionOutliveTheProgram signs in by password once; then the token
// does, and the session goes on with what came while nobody was there.
func TestATokenAndASessionOutliveTheProgram(t *testing.T) {
	s := start(t)
	for name, way := range ways(t, s) {
		t.Run(name, func(t *testing.T) {
			da, _ := way()
			db, _ := way()
			cfg := conn.Config{Address: account("bob"), Password: password, Device: "device-b-" + name, Dial: db}
			bob := sit(t, cfg, nil)
			if up := bob.up(1); up.Token == nil {
				t.Fatal("no token")
			} else if bound := up.Token.Mechanism == "HT-SHA-256-EXPR"; bound == strings.Contains(name, "clear") {
				t.Errorf("the token is for %s", up.Token.Mechanism)
			}
			alice := sit(t, conn.Config{Address: account("alice"), Password: password, Device: "device-a-" + name, Dial: da}, nil)
			alice.up(1)
			alice.write(1)
			bob.until("the first message", func() bool { return len(bob.got) == 1 })
			bob.end()
			alice.write(2)
			alice.until("the second is acknowledged", func() bool { return len(alice.handled) == 2 })

			cfg.Password, cfg.Token = "", bob.token
			again := sit(t, cfg, bob.saved)
			if up := again.up(1); !up.Resumed {
				t.Error("not resumed")
			}
			again.until("what came meanwhile", func() bool { return len(again.got) == 1 && again.got[0] == text(2) })
			again.c.Leave(t.Context())
			if err := <-again.done; err != nil {
				t.Errorf("Run returns %v", err)
			}
			third := sit(t, cfg, again.c.Saved(conn.Mark{}))
			if up := third.up(1); up.Resumed {
				t.Error("a session that was left is resumed")
			}
			reply, err := third.c.Ask(t.Context(), conn.Request{To: account("bob").DomainOnly(), Type: stanza.Get, Payload: []byte("<ping xmlns='urn:xmpp:ping'/>")})
			if err != nil || reply.From != account("bob").DomainOnly() {
				t.Errorf("asked the server: %v, %v", reply, err)
			}
			if _, err := third.c.Ask(t.Context(), conn.Request{Type: stanza.Get, Payload: []byte("<query xmlns='jabber:iq:roster'/>")}); err != nil {
				t.Errorf("asked the account: %v", err)
			}
		})
	}
}

func TestWhatAKilledServerMayHaveLostIsSaidAgainAndKeptOnce(t *testing.T) {
	s := start(t)
	addr := lay(t, s.Addr("c2s"))
	alice := sit(t, conn.Config{Address: account("alice"), Password: password, Device: "device-a", Dial: dialer(func() string { return addr.addr })}, nil)
	bob := sit(t, conn.Config{Address: account("bob"), Password: password, Device: "device-b", Dial: dialer(func() string { return addr.addr })}, nil)
	alice.up(1)
	bob.up(1)
	for i := uint64(1); i <= 20; i++ {
		alice.write(i)
	}
	alice.until("something is acknowledged", func() bool { return len(alice.handled) > 0 })
	s.Kill()
	addr.cut()
	for i := uint64(21); i <= 40; i++ {
		alice.write(i)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	addr.move(s.Addr("c2s"))
	alice.c.Kick()
	alice.until("all is acknowledged", func() bool { return len(alice.handled) == 40 })
	bob.up(2)
	eachOnce(t, bob.archive(), 40)
}

func TestAWrongPasswordIsFinal(t *testing.T) {
	s := start(t)
	p := sit(t, conn.Config{Address: account("alice"), Password: "wrong", Dial: dialer(func() string { return s.Addr("c2s") })}, nil)
	if err := <-p.done; err == nil || err.(*conn.Refusal).Reason != conn.Rejected {
		t.Errorf("Run returns %v", err)
	}
	strict := sit(t, conn.Config{Address: account("alice"), Password: password, Dial: &conn.TCP{Domain: domain, Addr: s.Addr("c2s")}}, nil)
	if err := <-strict.done; err == nil || err.(*conn.Refusal).Reason != conn.BadCertificate {
		t.Errorf("with a certificate that nobody signed Run returns %v", err)
	}
}

func TestTheSameDeviceTwiceEndsTheFirst(t *testing.T) {
	s := start(t)
	cfg := conn.Config{Address: account("alice"), Password: password, Device: "twin", Dial: dialer(func() string { return s.Addr("c2s") })}
	first := sit(t, cfg, nil)
	first.up(1)
	second := sit(t, cfg, nil)
	second.up(1)
	if err := <-first.done; err == nil || err.(*conn.Refusal).Reason != conn.Replaced {
		t.Errorf("Run returns %v", err)
	}
}

// dialer connects by STARTTLS to an address that may change.
type dialer func() string

func (d dialer) Dial(ctx context.Context) (conn.Transport, error) {
	return (&conn.TCP{Domain: domain, Addr: d(), TLS: trusting()}).Dial(ctx)
}
