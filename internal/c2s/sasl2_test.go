package c2s

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/sasl"
)

func TestMalformedSASL2IsRefusedAndTheStreamGoesOn(t *testing.T) {
	auth := func(mech, inner string) string {
		return "<authenticate xmlns='" + ns2 + "' mechanism='" + mech + "'>" + inner + "</authenticate>"
	}
	initial := func(s string) string { return "<initial-response>" + s + "</initial-response>" }
	const first = "bixxLG49YWxpY2Uscj1hYmM="
	hash := initial(base64.StdEncoding.EncodeToString([]byte("alice\x00" + strings.Repeat("x", 32))))
	atDoor(t, func(d *door) {
		for _, c := range []struct{ said, want string }{
			{"<authenticate xmlns='" + ns2 + "'/>", "invalid-mechanism"},
			{auth("", ""), "invalid-mechanism"},
			{auth("PLAIN", initial("AGFsaWNlAHNlY3JldA==")), "invalid-mechanism"},
			{auth("SCRAM-SHA-256-PLUS", initial(first)), "invalid-mechanism"},
			{auth("EXTERNAL", initial("")), "invalid-mechanism"},
			{auth("scram-sha-256", initial(first)), "invalid-mechanism"},
			{auth("SCRAM-SHA-256", initial("=")), "incorrect-encoding"},
			{auth("SCRAM-SHA-256", initial("biws\nbj1h")), "malformed-request"},
			{auth("SCRAM-SHA-256", initial("bi*s")), "incorrect-encoding"},
			{auth("SCRAM-SHA-256", initial("biwsbj1hbGljZSxyPWFiYx==")), "incorrect-encoding"},
			{auth("SCRAM-SHA-256", initial("")), "malformed-request"},
			{auth("SCRAM-SHA-256", initial("<x/>")), "malformed-request"},
			{auth("HT-SHA-256-NONE", hash+agentID("a")), "malformed-request"},
			{auth("HT-SHA-256-NONE", hash+"<fast xmlns='urn:xmpp:fast:0'/>"), "malformed-request"},
			{auth("HT-SHA-256-NONE", hash+agentID("a")+"<fast xmlns='urn:xmpp:fast:0'/>"), "not-authorized"},
			{auth("HT-SHA-256-NONE", initial("YWxpY2UA")+agentID("a")+"<fast xmlns='urn:xmpp:fast:0'/>"), "malformed-request"},
			{auth("HT-SHA-256-EXPR", initial("YWxpY2UA")+agentID("a")+"<fast xmlns='urn:xmpp:fast:0'/>"), "invalid-mechanism"},
			{auth("HT-SHA-1-NONE", agentID("a")+"<fast xmlns='urn:xmpp:fast:0'/>"), "invalid-mechanism"},
			{"<response xmlns='" + ns2 + "'/>", "malformed-request"},
			{"<next xmlns='" + ns2 + "' task='UPGR-SCRAM-SHA-256'/>", "malformed-request"},
			{"<task-data xmlns='" + ns2 + "'/>", "malformed-request"},
			{"<success xmlns='" + ns2 + "'/>", "malformed-request"},
			{"<continue xmlns='" + ns2 + "'/>", "malformed-request"},
			{"<abort xmlns='" + ns2 + "'/>", "aborted"},
		} {
			peer := d.comes()
			wants(t, c.said, peer.say(c.said), failure(c.want))
			wants(t, "after "+c.said, peer.signIn("alice", ""), "<success ")
			peer.net.Close()
		}
	})
}

const early = "<iq type='get' id='1'><early xmlns='urn:test'/></iq>"

// What may come while an attempt is under way is its next step, or its end.
func TestNothingElseHappensDuringAnAttempt(t *testing.T) {
	atDoor(t, func(d *door) {
		for _, said := range []string{
			"<message to='bob@example.org'><body>x</body></message>", "<presence/>", oldBind,
			early, "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "<x xmlns='urn:test'/>", "<enable xmlns='urn:xmpp:sm:3'/>",
			"<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", bind,
		} {
			c := d.comes()
			c.begin("SCRAM-SHA-1", "alice", "")
			wants(t, said, c.say(said), "<not-authorized ")
			if !c.gone() {
				t.Errorf("%s: the stream goes on", said)
			}
		}
		for _, said := range []string{
			"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdz</response>", "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
			"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWFiYw==</auth>",
		} {
			c := d.comes()
			_, final := c.begin("SCRAM-SHA-1", "alice", "")
			wants(t, said, c.say(said), "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><malformed-request/>")
			wants(t, said, c.say(response(final)), failure("malformed-request"))
		}
	})
}

// A token's count and the rest of what SASL2 asks for hold whatever the last
// step is wrapped in.
func TestAnAttemptOfSASL2CannotEndAsOneOfSASL(t *testing.T) {
	atDoor(t, func(d *door) {
		token := d.tokenFor("phone")
		fast := agentID("phone") + "<fast xmlns='urn:xmpp:fast:0' count='7'/>"
		c := d.comes()
		wants(t, "count 7", c.say(showToken("alice", token, fast)), "<success ")
		c.net.Close()
		x, err := sasl.NewTokenClient(sasl.HTSHA256None, "alice", []byte(token), sasl.Binding{})
		if err != nil {
			t.Fatal(err)
		}
		c = d.comes()
		wants(t, "without a first message", c.say("<authenticate xmlns='"+ns2+"' mechanism='HT-SHA-256-NONE'>"+fast+"</authenticate>"), "<challenge ")
		shown := base64.StdEncoding.EncodeToString(x.First())
		wants(t, "the same count again", c.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"+shown+"</response>"), "<malformed-request")
		wants(t, "afterwards", c.say(oldBind), "<not-authorized ")
	})
}

func TestAnAttemptThatBeganInClearEndsWithStartTLS(t *testing.T) {
	atDoor(t, func(d *door) {
		d.srv.Stop()
		tls := d.srv.cfg
		d.srv = New(d.Router, d.auth, tls)
		plain := d.mute()
		go plain.net.Write([]byte(hello + "<authenticate xmlns='" + ns2 + "' mechanism='SCRAM-SHA-1'/>" + startTLS))
		c := secured(t, plain)
		c.say(hello)
		// a first message that must not be taken for the answer to the challenge in clear
		wants(t, "inside TLS", c.say(response([]byte("n,,n=alice,r=abc"))), failure("malformed-request"))
		c.net.Close()
	})
}

func TestTasksAreDoneInOrderOrNotAtAll(t *testing.T) {
	const next = "<next xmlns='" + ns2 + "' task='UPGR-SCRAM-SHA-256'/>"
	data := func(hash string) string {
		return "<task-data xmlns='" + ns2 + "'><hash xmlns='urn:xmpp:scram-upgrade:0'>" + hash + "</hash></task-data>"
	}
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	atDoor(t, func(d *door) {
		for name, c := range map[string]struct {
			said []string // all but the last are answered with task data
			want string
		}{
			"data before it is asked for":   {[]string{data(good)}, "malformed-request"},
			"another task":                  {[]string{"<next xmlns='" + ns2 + "' task='UPGR-SCRAM-SHA-1'/>"}, "malformed-request"},
			"no task":                       {[]string{"<next xmlns='" + ns2 + "'/>"}, "malformed-request"},
			"next twice":                    {[]string{next, next}, "malformed-request"},
			"no data":                       {[]string{next, "<task-data xmlns='" + ns2 + "'/>"}, "malformed-request"},
			"data that is no base64":        {[]string{next, data("!")}, "incorrect-encoding"},
			"a short hash":                  {[]string{next, data("AAAA")}, "malformed-request"},
			"a long hash":                   {[]string{next, data(strings.Repeat("AAAA", 1000))}, "malformed-request"},
			"a step of the mechanism":       {[]string{response(nil)}, "malformed-request"},
			"another attempt":               {[]string{"<authenticate xmlns='" + ns2 + "' mechanism='SCRAM-SHA-1'/>"}, "malformed-request"},
			"broken off":                    {[]string{"<abort xmlns='" + ns2 + "'/>"}, "aborted"},
			"broken off in the middle":      {[]string{next, "<abort xmlns='" + ns2 + "'/>"}, "aborted"},
			"success claimed by the client": {[]string{next, "<success xmlns='" + ns2 + "'/>"}, "malformed-request"},
		} {
			p := d.comes()
			wants(t, name, p.signIn("old", bind+"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>"), "<continue ")
			for i, said := range c.said {
				want := "<task-data "
				if i == len(c.said)-1 {
					want = failure(c.want)
				}
				wants(t, name, p.say(said), want)
			}
			wants(t, name+", then bound", p.say(oldBind), "<not-authorized ")
		}
		for name, said := range map[string]string{
			"an iq": oldBind, "what may be asked before": early, "a message": "<message><body>x</body></message>",
			"SASL": "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>",
		} {
			p := d.comes()
			p.signIn("old", "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>")
			if s := p.say(said); !strings.Contains(s, "<not-authorized ") && !strings.Contains(s, "<malformed-request") {
				t.Errorf("%s during a task: %s", name, s)
			}
		}
		if len(d.sessions("old")) > 0 || len(d.auth.Lacks("old")) != 1 {
			t.Error("somebody got in, or made keys")
		}
	})
}

func TestADeviceWithoutAnIDGetsNoToken(t *testing.T) {
	atDoor(t, func(d *door) {
		for _, agent := range []string{"", "<user-agent/>", agentID("")} {
			s := d.comes().signIn("alice", agent+wantToken+bind)
			wants(t, agent, s, "<success ")
			if strings.Contains(s, "token=") {
				t.Errorf("%q: got %s", agent, s)
			}
		}
	})
}

// Tags become part of an address that others see; those that cannot are refused
// before anything is bound, and nothing of the attempt stays.
func TestHostileTagsAndAgents(t *testing.T) {
	long := strings.Repeat("a", 1023)
	atDoor(t, func(d *door) {
		for tag, want := range map[string]string{
			"phone":                       "<bound ",
			"a/b/c":                       "<bound ",
			"&lt;x/&gt;&apos;&quot;&amp;": "<bound ",
			"  ":                          "",
			"a&#9;b":                      failure("malformed-request"),
			"x&#x7f;y":                    failure("malformed-request"),
			long:                          failure("malformed-request"),
			"a\u202eb":                    "",
			"\u200b\ufeff":                "",
		} {
			c := d.comes()
			s := c.signIn("alice", agentID("i")+"<bind xmlns='urn:xmpp:bind:0'><tag>"+tag+"</tag></bind>")
			if !strings.Contains(s, "<bound ") && !strings.Contains(s, failure("malformed-request")) {
				t.Errorf("%.20q: neither bound nor refused: %s", tag, s)
			}
			wants(t, tag, s, want)
			c.net.Close()
		}
		big := strings.Repeat("\u202e\U0001f4a9", 500)
		s := d.comes().signIn("alice", "<user-agent id='"+long+"'><software>"+big+"</software><device>"+big+"</device></user-agent>"+bind)
		wants(t, "a large user agent", s, "<bound ")
		list, err := d.auth.Devices(t.Context(), "alice")
		for _, one := range list {
			if len([]rune(one.Software)) > 64 || len([]rune(one.Name)) > 64 || strings.ContainsRune(one.Name, '\u202e') {
				t.Errorf("kept as %q", one.Name)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func TestARefusedBindingLeavesNothingOfItsDevice(t *testing.T) {
	atDoor(t, func(d *door) {
		c := d.comes()
		wants(t, "a bad tag", c.signIn("alice", agentID("phone")+"<bind xmlns='urn:xmpp:bind:0'><tag>&#9;</tag></bind>"), failure("malformed-request"))
		wants(t, "without a binding", c.signIn("bob", ""), "<success ")
		wants(t, "bob", c.say(oldBind), "<jid>bob@example.org/")
		if s := d.sessions("bob"); len(s) != 1 || s[0].Device == d.auth.DeviceID("alice", auth.Agent{ID: "phone"}) {
			t.Error("bob's session is alice's phone")
		}
	})
	atDoor(t, func(d *door) {
		c := d.comes()
		c.signIn("alice", agentID("phone")+"<bind xmlns='urn:xmpp:bind:0'><tag>&#9;</tag></bind>")
		c.login2("bob")
		if s := d.sessions("bob"); len(s) != 1 || s[0].Device == d.auth.DeviceID("alice", auth.Agent{ID: "phone"}) {
			t.Error("bob's session is alice's phone")
		}
	})
}

func TestUnknownInlineElementsAndASecondBindAreIgnored(t *testing.T) {
	atDoor(t, func(d *door) {
		s := d.comes().signIn("alice", "<bind xmlns='urn:xmpp:bind:0'><tag>one</tag><x xmlns='urn:test'/><enable xmlns='urn:xmpp:sm:3' resume='true'/>"+
			"<enable xmlns='urn:xmpp:sm:3'/></bind><bind xmlns='urn:xmpp:bind:0'><tag>two</tag></bind><y xmlns='urn:test'/>")
		wants(t, "the first enable", s, "<enabled ")
		wants(t, "the second enable", s, "<unexpected-request ")
		if all := d.sessions("alice"); len(all) != 1 || !strings.HasPrefix(all[0].JID.Resource(), "one/") || strings.Count(s, "<bound ") != 1 {
			t.Errorf("%d sessions: %s", len(all), s)
		}
	})
}

func TestWhereResumptionFailsTheBindingStands(t *testing.T) {
	atDoor(t, func(d *door) {
		for _, id := range []string{"", "x", strings.Repeat("0", 32)} {
			c := d.comes()
			s := c.signIn("alice", bind+"<resume xmlns='urn:xmpp:sm:3' h='0' previd='"+id+"'/>")
			if fail, bound := strings.Index(s, "<failed "), strings.Index(s, "<bound "); fail < 0 || bound < fail {
				t.Errorf("%q: %s", id, s)
			}
			if strings.Count(s, "<success ") != 1 {
				t.Errorf("%q: %s", id, s)
			}
			c.say("</stream:stream>")
		}
		for _, h := range []string{"", "-1", "x", "4294967296"} {
			c := d.comes()
			s := c.signIn("alice", bind+"<resume xmlns='urn:xmpp:sm:3' h='"+h+"' previd='x'/>")
			wants(t, "h "+h, s, "<bad-format ")
			if strings.Contains(s, "<success ") || !c.gone() {
				t.Errorf("%q: %s", h, s)
			}
		}
		if n := len(d.sessions("alice")); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

func TestTooManySessionsAreRefusedInsideBind2(t *testing.T) {
	atDoor(t, func(d *door) {
		for range 20 {
			wants(t, "room", d.comes().signIn("alice", bind), "<bound ")
		}
		c := d.comes()
		s := c.signIn("alice", "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>")
		if s != failure("temporary-auth-failure") || len(d.sessions("alice")) != 20 {
			t.Errorf("%d sessions, got %s", len(d.sessions("alice")), s)
		}
		wants(t, "another account", c.signIn("bob", bind), "<bound ")
	})
}

// Of two logins of one device at once one stays: the later.
func TestTwoLoginsOfOneDeviceAtOnceLeaveOne(t *testing.T) {
	for _, tags := range [][2]string{{"a", "a"}, {"a", "b"}} {
		atDoor(t, func(d *door) {
			var peers [2]*peer
			for i := range peers {
				peers[i] = d.comes()
				_, final := peers[i].begin("SCRAM-SHA-1", "alice", agentID("phone")+"<bind xmlns='urn:xmpp:bind:0'><tag>"+tags[i]+"</tag></bind>")
				defer func() { go peers[i].net.Close() }()
				go peers[i].net.Write([]byte(response(final)))
			}
			time.Sleep(time.Second)
			if peers[0].gone() == peers[1].gone() || len(d.sessions("alice")) != 1 {
				t.Errorf("%q: %d sessions; gone: %v and %v", tags, len(d.sessions("alice")), peers[0].gone(), peers[1].gone())
			}
		})
	}
}

func TestAnEarlierLoginDoesNotEndALaterOne(t *testing.T) {
	atDoor(t, func(d *door) {
		ended := func(tag string) (*conn, *peer) {
			c := d.comes()
			wants(t, tag, c.signIn("alice", agentID(tag)+"<bind xmlns='urn:xmpp:bind:0'><tag>"+tag+"</tag></bind>"), "<bound ")
			for open := range d.srv.open {
				if open.session != nil && strings.HasPrefix(open.session.JID.Resource(), tag) {
					return open, c
				}
			}
			t.Fatal("no session")
			return nil, nil
		}
		first, _ := ended("a")
		later, peer := ended("b")
		later.session.Device = first.device // as if both had bound before either looked
		first.replace(first.session, &request{agent: auth.Agent{ID: "x"}})
		if peer.gone() {
			t.Error("the later login was ended by the earlier one")
		}
		later.device = first.device
		later.replace(later.session, &request{agent: auth.Agent{ID: "x"}})
		if synctest.Wait(); len(d.sessions("alice")) != 1 || peer.gone() {
			t.Error("the earlier login stays")
		}
	})
}

// A change between the proof and the session is seen, wherever it falls.
func TestASignInIsOvertakenByAChange(t *testing.T) {
	password := func(d *door) {
		if err := d.auth.Passwd(d.T.Context(), "alice", "other"); err != nil {
			d.T.Error(err)
		}
	}
	revoked := func(d *door) { d.revoke("phone") }
	for name, change := range map[string]func(d *door){"password": password, "device": revoked} {
		for _, then := range []string{"bind 2, before it is noted", "bind 2, after", "bind, after"} {
			atDoor(t, func(d *door) {
				token := d.tokenFor("phone")
				once := func() {
					d.auth.before, d.auth.after = nil, nil
					change(d)
				}
				c, inner := d.comes(), bind
				switch then {
				case "bind 2, before it is noted":
					d.auth.before = once
				case "bind 2, after":
					d.auth.after = once
				default:
					inner = ""
				}
				s := c.say(showToken("alice", token, agentID("phone")+"<fast xmlns='urn:xmpp:fast:0'/>"+inner))
				if inner == "" {
					wants(t, then, s, "<success ")
					change(d)
					s = c.say(oldBind)
				}
				if n := len(d.sessions("alice")); n != 0 || !strings.Contains(s, "not-authorized") {
					t.Errorf("%s changed, %s: %d sessions, told %s", name, then, n, s)
				}
			})
		}
	}
}

func TestARevokedDeviceWithALongIDIsOff(t *testing.T) {
	atDoor(t, func(d *door) {
		long := strings.Repeat("i", 200)
		token := d.tokenFor(long)
		c := d.comes()
		wants(t, "sign-in", c.say(showToken("alice", token, agentID(long)+"<fast xmlns='urn:xmpp:fast:0'/>")), "<success ")
		if err := d.auth.Revoke(t.Context(), "alice", d.auth.DeviceID("alice", auth.Agent{ID: long[:128]})); err != nil {
			t.Fatal(err)
		}
		c.say(oldBind)
		if n := len(d.sessions("alice")); n != 0 {
			t.Error("a device that was revoked before it bound stays")
		}
	})
}

// A session is its device's: another one that knew its id would go on with it
// after its own access ended.
func TestADeviceResumesItsOwnSessionsOnly(t *testing.T) {
	atDoor(t, func(d *door) {
		token := d.tokenFor("thief")
		c := d.comes()
		s := c.signIn("alice", agentID("phone")+"<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>")
		_, id, _ := strings.Cut(s, "<enabled xmlns='urn:xmpp:sm:3' id='")
		id, _, _ = strings.Cut(id, "'")
		resume := "<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + id + "'/>"
		fast := agentID("thief") + "<fast xmlns='urn:xmpp:fast:0'/>"
		wants(t, "inline", d.comes().say(showToken("alice", token, fast+resume)), "<item-not-found ")
		other := d.comes()
		other.say(showToken("alice", token, fast))
		wants(t, "after success", other.say(resume), "<item-not-found ")
		if c.gone() {
			t.Error("the phone was disconnected")
		}
		wants(t, "the phone itself", d.comes().signIn("alice", agentID("phone")+resume), "<resumed ")
		wants(t, "in the old way", d.comes().resumeOld("alice", resume), "<item-not-found ")
		wants(t, "saying nothing of itself", d.comes().signIn("alice", resume), "<item-not-found ")
	})
}

func TestARevokedDeviceResumesNothing(t *testing.T) {
	atDoor(t, func(d *door) {
		token := d.tokenFor("phone")
		fast := agentID("phone") + "<fast xmlns='urn:xmpp:fast:0'/>"
		c := d.comes()
		s := c.say(showToken("alice", token, fast+"<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>"))
		_, id, _ := strings.Cut(s, "<enabled xmlns='urn:xmpp:sm:3' id='")
		id, _, _ = strings.Cut(id, "'")
		c.net.Close()
		back := d.comes()
		wants(t, "the token", back.say(showToken("alice", token, fast)), "<success ")
		d.revoke("phone")
		wants(t, "a sleeping session", back.say("<resume xmlns='urn:xmpp:sm:3' h='0' previd='"+id+"'/>"), "<item-not-found ")
		wants(t, "the token", d.comes().say(showToken("alice", token, fast)), failure("credentials-expired"))
		if n := len(d.sessions("alice")); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// Whoever adds <fast/> to a password has shown the password all the same.
func TestAPasswordBesideFastIsKnown(t *testing.T) {
	atDoor(t, func(d *door) {
		wants(t, "sign-in", d.comes().signIn("alice", agentID("phone")+"<fast xmlns='urn:xmpp:fast:0'/>"), "<success ")
		list, err := d.auth.Devices(t.Context(), "alice")
		if err != nil || len(list) != 1 || !list[0].Password {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestAnotherAccountInFromIsRefused(t *testing.T) {
	atDoor(t, func(d *door) {
		for from, want := range map[string]string{
			"alice@example.org": "<success ", "alice@example.org/x": "<success ", "example.org": "<success ",
			"bob@example.org": failure("invalid-authzid"), "alice@example.com": failure("invalid-authzid"),
		} {
			c := d.dial()
			c.say(strings.Replace(hello, " to=", " from='"+from+"' to=", 1))
			wants(t, from, c.signIn("alice", bind), want)
		}
		token := d.tokenFor("phone")
		fast := agentID("phone") + "<fast xmlns='urn:xmpp:fast:0'/>"
		wants(t, "another's name", d.comes().say(showToken("bob", token, fast)), failure("not-authorized"))
		wants(t, "another device", d.comes().say(showToken("alice", token, agentID("other")+"<fast xmlns='urn:xmpp:fast:0'/>")), failure("not-authorized"))
	})
}

// An account that was disabled, or has keys for one hash only, is told what a
// name that nobody has is told, until its password is proved.
func TestAPeculiarAccountIsToldWhatNobodyIsTold(t *testing.T) {
	atDoor(t, func(d *door) {
		acc, err := d.store.Account(t.Context(), "bob")
		acc.Disabled = true
		if err == nil {
			err = d.store.SetAccount(t.Context(), acc)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, mech := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			told := map[string]string{}
			for _, name := range []string{"alice", "bob", "old", "nobody"} {
				c := d.comes()
				_, final := c.begin(mech, name, bind)
				before, proof, _ := strings.Cut(string(final), ",p=")
				told[name] = c.say(response([]byte(before + ",p=" + strings.Repeat("A", len(strings.TrimRight(proof, "="))) + strings.Repeat("=", strings.Count(proof, "=")))))
			}
			if want := failure("not-authorized"); told["alice"] != want || told["bob"] != want || told["old"] != want || told["nobody"] != want {
				t.Errorf("%s: %q", mech, told)
			}
		}
		wants(t, "with the password", d.comes().signIn("bob", bind), failure("account-disabled"))
		if len(d.sessions("bob")) > 0 {
			t.Error("a disabled account is in")
		}
	})
}
