package conn

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
)

func TestOneRequestSignsInBindsAndTurnsEverythingOn(t *testing.T) {
	inBubble(t, func(c *Config) { c.Tag = "mirsal" }, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		request, proof := s.authenticate("SCRAM-SHA-256-PLUS")
		text := string(request.Raw())
		for _, want := range []string{
			"<user-agent id='d3v1ce'><software>test</software></user-agent>", "<tag>mirsal</tag>", "<enable xmlns='urn:xmpp:carbons:2'/>",
			"<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/>",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the request lacks %s: %s", want, text)
			}
		}
		s.success(proof, "alice@example.org/mirsal/1", enabled+"<token xmlns='urn:xmpp:fast:0' token='t0ken' expiry='2030-01-01T00:00:00Z'/>")
		up := event[*Up](w)
		if up.Token == nil || up.Token.Secret != "t0ken" || up.Token.Mechanism != "HT-SHA-256-EXPR" || up.Token.Expiry.Year() != 2030 {
			t.Errorf("the token is %+v", up.Token)
		}
		if !up.Features.Child(nsCSI, "csi").OK() || !up.Bound.Child(nsSM, "enabled").OK() {
			t.Error("the engine is not told what the server does")
		}
	})
}

func TestAServerThatOnlyKnowsRFC6120IsSignedInTo(t *testing.T) {
	inBubble(t, func(c *Config) { c.Tag = "phone" }, nil, func(w *world) {
		s := w.accept()
		s.open(classic)
		s.classic("SCRAM-SHA-256-PLUS")
		s.open("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>")
		s.hear("<iq", "<resource>phone</resource>")
		s.say("<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.org/phone</jid></bind></iq>")
		s.hear("<enable", "resume='true'")
		s.say("<enabled xmlns='urn:xmpp:sm:3' id='sm-id' resume='1'/>")
		if up := event[*Up](w); up.JID.Resource() != "phone" {
			t.Errorf("up as %v", up.JID)
		}
		s.hear("conn-carbons", "urn:xmpp:carbons:2")
		s.nc.Close()
		event[*Down](w)

		s = w.accept()
		s.open(classic)
		s.classic("SCRAM-SHA-256-PLUS")
		s.open("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>")
		s.hear("<resume", "previd='sm-id'", "h='0'")
		s.say("<resumed xmlns='urn:xmpp:sm:3' previd='sm-id' h='1'/>")
		if up := event[*Up](w); !up.Resumed || up.JID.Resource() != "phone" {
			t.Errorf("up as %v, resumed: %v", up.JID, up.Resumed)
		}
	})
}

// classic plays SASL of RFC 6120.
func (s *server) classic(mech string) {
	s.t.Helper()
	auth := s.parse(s.hear("<auth ", "mechanism='"+mech+"'"))
	x, err := sasl.Start(mech, jid.MustParse("example.org"), []sasl.Binding{bound().Binding}, s.credentials)
	if err != nil {
		s.t.Fatal(err)
	}
	out, _, err := x.Next(unb64(s.t, auth.Text()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.say("<challenge xmlns='%s'>%s</challenge>", stream.NSSASL, b64(out))
	if out, _, err = x.Next(unb64(s.t, s.parse(s.hear("<response")).Text())); err != nil {
		s.t.Fatal(err)
	}
	s.say("<success xmlns='%s'>%s</success>", stream.NSSASL, b64(out))
}

func TestNothingOfTheAccountIsSaidInClear(t *testing.T) {
	inBubble(t, func(c *Config) { c.Dial.(*plug).security = Security{StartTLS: true} }, nil, func(w *world) {
		s := w.accept()
		if h := s.hear("open "); strings.Contains(h, "alice") {
			t.Errorf("in clear: %s", h)
		}
		s.say("<stream:stream xmlns='jabber:client' xmlns:stream='%s' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>%s</stream:features>", stream.NS, classic)
		s.hear("<starttls")
		s.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		s.hear("open ", "from='alice@example.org'")
	})
}

func TestAServerWithoutEncryptionIsLeft(t *testing.T) {
	for name, answer := range map[string]string{
		"none offered": "",
		"refused":      "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		"injected":     "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(c *Config) { c.Dial.(*plug).security = Security{StartTLS: true} }, nil, func(w *world) {
				s := w.accept()
				if answer == "" {
					s.open(classic + modern)
				} else {
					s.open("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
					s.hear("<starttls")
					s.say(answer)
				}
				if name == "injected" {
					if d := event[*Down](w); !strings.Contains(d.Err.Error(), "proceed") {
						t.Errorf("down: %v", d.Err)
					}
					return
				}
				if r := event[*Refused](w); r.Err.Reason != Insecure {
					t.Errorf("refused: %v", r.Err)
				}
				if err := <-w.err; reasonOf(err) != Insecure {
					t.Errorf("Run returns %v", err)
				}
			})
		})
	}
}

func TestThePasswordIsShownAsSafelyAsCanBe(t *testing.T) {
	unbound := bound()
	unbound.Binding = sasl.Binding{}
	proxied := Security{Private: true, Binding: bound().Binding}
	plus := []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
	for _, c := range []struct {
		name  string
		offer offer
		sec   Security
		mech  string
		flag  string
	}{
		{"bound", offer{mechs: plus, bindings: []string{"tls-exporter"}}, bound(), "SCRAM-SHA-256-PLUS", "p"},
		{"bound, and nothing said of how", offer{mechs: plus}, bound(), "SCRAM-SHA-256-PLUS", "p"},
		{"binding of another kind", offer{mechs: plus, bindings: []string{"tls-server-end-point"}}, bound(), "SCRAM-SHA-256", "n"},
		{"a browser", offer{mechs: plus, bindings: []string{"tls-exporter"}}, unbound, "SCRAM-SHA-256", "n"},
		{"behind a proxy", offer{mechs: plus[1:2]}, proxied, "SCRAM-SHA-256", "n"},
		{"-PLUS taken out", offer{mechs: plus[1:2]}, bound(), "SCRAM-SHA-256", "y"},
		{"a bound weaker hash", offer{mechs: plus[:2], bindings: []string{"tls-exporter"}}, bound(), "SCRAM-SHA-1-PLUS", "p"},
		{"only in clear", offer{mechs: []string{"PLAIN", "DIGEST-MD5", "EXTERNAL", "ANONYMOUS"}}, bound(), "", ""},
	} {
		mech, b, ok := c.offer.mechanism(c.sec)
		flag := "n"
		switch {
		case !ok:
			flag = ""
		case strings.HasSuffix(mech, "-PLUS"):
			flag = "p"
		case b.Type != "":
			flag = "y"
		}
		if mech != c.mech || flag != c.flag {
			t.Errorf("%s: %s with flag %s, want %s with %s", c.name, mech, flag, c.mech, c.flag)
		}
	}
}

func TestWhoTakesMechanismsOutOfTheOfferIsFoundOut(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.accept()
		s.open(strings.Replace(modern, "<mechanism>SCRAM-SHA-1</mechanism>", "", 1))
		e := s.parse(s.hear("<authenticate"))
		x, err := sasl.Start("SCRAM-SHA-256-PLUS", jid.MustParse("example.org"), []sasl.Binding{bound().Binding}, s.credentials)
		if err != nil {
			w.t.Fatal(err)
		}
		x.Offered([]string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}, []string{"tls-exporter"})
		out, _, err := x.Next(unb64(t, e.Child(stream.NSSASL2, "initial-response").Text()))
		if err != nil {
			w.t.Fatal(err)
		}
		s.say("<challenge xmlns='urn:xmpp:sasl:2'>%s</challenge>", b64(out))
		if r := event[*Refused](w); r.Err.Reason != Insecure {
			t.Errorf("refused: %v", r.Err)
		}
	})
}

func TestAServerThatProvesNothingIsNotBelieved(t *testing.T) {
	for name, proof := range map[string]string{"nothing": "", "a wrong one": b64([]byte("v=" + b64(make([]byte, 32)))), "no base64": "!"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, nil, func(w *world) {
				s := w.accept()
				s.open(modern)
				s.authenticate("SCRAM-SHA-256-PLUS")
				s.success(proof, "alice@example.org/r", enabled+"<token xmlns='urn:xmpp:fast:0' token='evil' expiry='2030-01-01T00:00:00Z'/>")
				if name == "no base64" {
					event[*Down](w)
				} else if r := event[*Refused](w); r.Err.Reason != Insecure {
					t.Errorf("refused: %v", r.Err)
				}
				if w.c.token != nil || w.c.issued != nil {
					t.Error("its token is kept")
				}
			})
		})
	}
}

func TestASuccessForSomebodyElseIsNone(t *testing.T) {
	for _, who := range []string{"mallory@example.org/r", "alice@example.com/r", "", "alice@example.org"} {
		t.Run(who, func(t *testing.T) {
			inBubble(t, nil, nil, func(w *world) {
				s := w.accept()
				s.open(modern)
				_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
				s.success(proof, who, enabled)
				if d := event[*Down](w); d.Err.Reason != Misbehaved {
					t.Errorf("down: %v", d.Err)
				}
			})
		})
	}
}

func TestFailuresAreToldInWordsAndOnlySomeAreFinal(t *testing.T) {
	for _, c := range []struct {
		condition string
		reason    Reason
		final     bool
	}{
		{"not-authorized", Rejected, true},
		{"account-disabled", AccountGone, true},
		{"credentials-expired", Revoked, true},
		{"temporary-auth-failure", Busy, false},
		{"invalid-mechanism", NoMechanism, true},
		{"malformed-request", Misbehaved, false},
	} {
		t.Run(c.condition, func(t *testing.T) {
			inBubble(t, nil, nil, func(w *world) {
				s := w.accept()
				s.open(modern)
				s.hear("<authenticate")
				s.say("<failure xmlns='urn:xmpp:sasl:2'><%s xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>words of the\nserver</text></failure>", c.condition)
				var r *Refusal
				if c.final {
					r = event[*Refused](w).Err
				} else {
					r = event[*Down](w).Err
				}
				if r.Reason != c.reason || !strings.Contains(r.Words, "words of the server") {
					t.Errorf("refused: %v", r)
				}
			})
		})
	}
}

func TestStreamErrorsAreTold(t *testing.T) {
	for _, c := range []struct {
		inner  string
		reason Reason
		final  bool
	}{
		{"<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", Replaced, true},
		{"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", Policy, false},
		{"<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", HostUnknown, false},
		{"<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", Revoked, false},
		{"<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", Unreachable, false},
		{"<no-such-thing xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", Misbehaved, false},
		{"", Misbehaved, false},
	} {
		inBubble(t, nil, nil, func(w *world) {
			s := w.signIn()
			s.say("<stream:error>%s</stream:error>", c.inner)
			var r *Refusal
			if c.final {
				r = event[*Refused](w).Err
			} else {
				r = event[*Down](w).Err
			}
			if r.Reason != c.reason {
				t.Errorf("%s is %v", c.inner, r)
			}
		})
	}
}

func TestATokenSignsInAndIsReplaced(t *testing.T) {
	inBubble(t, func(c *Config) {
		c.Token, c.Password = &Token{Mechanism: "HT-SHA-256-EXPR", Secret: "t0ken"}, ""
	}, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		proof := s.token("t0ken", "")
		s.success(proof, "alice@example.org/r", enabled+"<token xmlns='urn:xmpp:fast:0' token='next' expiry='2030-01-01T00:00:00Z'/>")
		up := event[*Up](w)
		if up.Token == nil || up.Token.Secret != "next" || up.Token.Mechanism != "HT-SHA-256-EXPR" {
			t.Fatalf("the token is %+v", up.Token)
		}
		w.c.Kept(up.Token)
		w.lose(s)
		s = w.accept()
		s.open(modern)
		s.token("next", "<resume ")
	})
}

// Shown and then lost with the program, it would make the former one look stolen.
func TestATokenIsShownOnceItIsKept(t *testing.T) {
	inBubble(t, func(c *Config) {
		c.Token, c.Password = &Token{Mechanism: "HT-SHA-256-EXPR", Secret: "t0ken"}, ""
	}, nil, func(w *world) {
		var former *Token
		for _, next := range []string{"one", "two"} {
			s := w.accept()
			s.open(modern)
			proof := s.token("t0ken", "")
			s.success(proof, "alice@example.org/r", enabled+"<token xmlns='urn:xmpp:fast:0' token='"+next+"' expiry='2030-01-01T00:00:00Z'/>")
			up := event[*Up](w)
			w.c.Kept(former) // what is not the latest is none any more
			former = up.Token
			if next == "two" {
				w.c.Kept(up.Token)
			}
			w.lose(s)
		}
		s := w.accept()
		s.open(modern)
		s.token("two", "")
	})
}

// token plays the showing of a token, in a request that has the words in it.
func (s *server) token(secret, words string) (proof string) {
	s.t.Helper()
	e := s.parse(s.hear("<authenticate", "mechanism='HT-SHA-256-EXPR'", "<fast xmlns='urn:xmpp:fast:0'/>", words))
	x, err := sasl.StartToken("HT-SHA-256-EXPR", jid.MustParse("example.org"), []sasl.Binding{bound().Binding}, func(string) ([]sasl.Token, error) {
		return []sasl.Token{{ID: "1", Secret: []byte(secret)}}, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	out, done, err := x.Next(unb64(s.t, e.Child(stream.NSSASL2, "initial-response").Text()))
	if err != nil || !done {
		s.t.Fatal("the client's token: ", err)
	}
	return b64(out)
}

func TestATokenThatIsRefusedGivesWayToThePassword(t *testing.T) {
	const refused = "<failure xmlns='urn:xmpp:sasl:2'><credentials-expired xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
	old := &Token{Mechanism: "HT-SHA-256-EXPR", Secret: "old"}
	inBubble(t, func(c *Config) { c.Token = old }, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		s.token("old", "")
		s.say(refused)
		event[*TokenRefused](w)
		_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
		s.success(proof, "alice@example.org/r", enabled)
		event[*Up](w)
	})
	inBubble(t, func(c *Config) { c.Token, c.Password = old, "" }, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		s.token("old", "")
		s.say(refused)
		event[*TokenRefused](w)
		if r := event[*Refused](w); r.Err.Reason != Revoked {
			t.Errorf("refused: %v", r.Err)
		}
	})
}

func TestATokenIsNotShownOnAChannelItIsNotMadeFor(t *testing.T) {
	inBubble(t, func(c *Config) {
		c.Token = &Token{Mechanism: "HT-SHA-256-EXPR", Secret: "t0ken"}
		c.Dial.(*plug).security = Security{Private: true}
	}, nil, func(w *world) {
		s := w.accept()
		s.open(modern)
		s.hear("<authenticate", "mechanism='SCRAM-SHA-256'", "HT-SHA-256-NONE")
	})
}

func TestAnAttemptThatComesToNothingEnds(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		w.accept()
		began := time.Now()
		if d := event[*Down](w); d.Err.Reason != Unreachable || time.Since(began) > 31*time.Second {
			t.Errorf("after %v: %v", time.Since(began), d.Err)
		}
	})
}

func TestAServerThatSendsTooMuchBeforeItIsKnownIsLeft(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.accept()
		s.hear("open ")
		go s.nc.Write([]byte("<stream:stream xmlns='jabber:client' xmlns:stream='" + stream.NS + "' version='1.0'><stream:features>" + strings.Repeat("<a/>", 20000)))
		if d := event[*Down](w); d.Err.Reason != Misbehaved {
			t.Errorf("down: %v", d.Err)
		}
		s.nc.Close()
	})
}

func TestAServerMaySendUsElsewhereWithinItsDomainOnly(t *testing.T) {
	for at, want := range map[string]bool{
		"node2.example.org:5333": true, "example.org": true, "evil.example": false, "example.org.evil.example": false,
		"evilexample.org": false, "[::1]:5222": false, "10.0.0.1": false, "": false,
	} {
		t.Run(at, func(t *testing.T) {
			inBubble(t, nil, nil, func(w *world) {
				s := w.accept()
				s.hear("open ")
				s.say("<stream:stream xmlns='jabber:client' xmlns:stream='%s' version='1.0'><stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</see-other-host></stream:error></stream:stream>", stream.NS, at)
				began := time.Now()
				if !want {
					if event[*Down](w); time.Since(began) > 0 {
						t.Error("the client went there")
					}
					return
				}
				s = w.accept()
				if time.Since(began) > 0 {
					t.Error("not at once")
				}
				s.hear("open ")
				s.say("<stream:stream xmlns='jabber:client' xmlns:stream='%s' version='1.0'><stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</see-other-host></stream:error></stream:stream>", stream.NS, at)
				event[*Down](w) // not twice
			})
		})
	}
}

func TestLeavingBreaksASignInOff(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		w.accept()
		w.c.Leave(context.Background())
		synctest.Wait()
		if err := <-w.err; err != nil {
			t.Errorf("Run returns %v", err)
		}
	})
}
