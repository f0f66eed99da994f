package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const store = "<store xmlns='urn:xmpp:hints'/>"

// invites is a message about a call.
func invites(from, kind, id, inside string) string {
	return "<message from='" + from + "' to='" + me + "' type='chat' id='x'><" + kind + " xmlns='urn:xmpp:jingle-message:0' id='" + id + "'>" + inside + "</" + kind + ">" + store + "</message>"
}

const audio = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"

func copied(direction, message string) string {
	open, rest, _ := strings.Cut(message, " ")
	return "<message from='" + me + "'><" + direction + " xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" + open + " xmlns='jabber:client' " + rest + "</forwarded></" + direction + "></message>"
}

// ofCalls are the states, and the words to the seat, that were told since the last time.
func (d *desk) ofCalls() (out []string) {
	for _, ev := range d.told {
		switch ev := ev.(type) {
		case *port.CallChanged:
			words := ev.Call.State + " " + ev.Call.Why
			out = append(out, strings.TrimSpace(words))
		case *port.CallMedia:
			out = append(out, "seat: "+strings.TrimSpace(ev.Do+" "+ev.Type))
		}
	}
	d.told = nil
	return out
}

func (d *desk) callLog() []port.Call {
	d.t.Helper()
	return d.must(&port.ListCalls{Limit: 100}).(*port.CallList).Calls
}

// invited are the kinds of what was said about calls since the last time, and to whom.
func (d *desk) invited() (out []string) {
	d.t.Helper()
	for _, raw := range d.take("urn:xmpp:jingle-message:0") {
		e := parse(d.t, raw)
		v, ok, err := jingle.InviteIn(e)
		if !ok || err != nil || !strings.Contains(raw, store) || !e.AttrIs("type", "chat") {
			d.t.Fatalf("%v in %s", err, raw)
		}
		out = append(out, v.Kind.String()+" "+e.Attr("to"))
	}
	return out
}

// requested are the actions that were asked for since the last time.
func (d *desk) requested() (out []jingle.Session) {
	d.t.Helper()
	for _, q := range d.questions("urn:xmpp:jingle:1") {
		s, err := jingle.ParseSession(parse(d.t, string(q.Payload)))
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// described is a description as Chromium writes them, shortened.
func described(setup string) string {
	return "v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n" +
		"a=fingerprint:sha-256 " + ourPrint + "\r\na=setup:" + setup + "\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
}

var ourPrint, theirPrint = strings.Repeat("0A:", 31) + "0A", strings.Repeat("0B:", 31) + "0B"

// offers is a request of theirs with an open fingerprint.
func offers(action, id string) string { return sealedOffers(action, id, "actpass", "") }

func sealedOffers(action, id, setup, seal string) string {
	print := "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='" + setup + "'>" + theirPrint + "</fingerprint>"
	if seal != "" {
		print = "<fingerprint xmlns='" + jingle.NSSealed + "' hash='sha-256' setup='" + setup + "'>" + seal + "</fingerprint>"
	}
	return "<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='" + id + "'><content creator='initiator' name='0'>" +
		"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='111' name='opus' clockrate='48000' channels='2'/><rtcp-mux/></description>" +
		"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='wxyz' pwd='bbbbbbbbbbbbbbbbbbbbbbbb'>" + print + "</transport></content></jingle>"
}

func asks(from, payload string) string {
	return "<iq type='set' id='q' from='" + from + "' to='" + me + "/here'>" + payload + "</iq>"
}

func TestAContactsCallRingsAndIsTaken(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.take("")
		d.told = nil
		d.gets(invites(bob+"/b", "propose", "c1", audio))
		same(t, "told", d.ofCalls(), "incoming")
		same(t, "said", d.invited(), "ringing "+bob+"/b")
		call := d.callLog()[0]
		if call.Chat != bob || call.Mine || call.Video || call.State != "incoming" {
			t.Errorf("the call is %+v", call)
		}
		d.told = nil
		d.must(&port.AnswerCall{Call: call.ID, Seat: "tab"})
		same(t, "told", d.ofCalls(), "answering", "seat: open")
		if said := d.take("proceed"); len(said) != 1 || !strings.Contains(said[0], fmt.Sprintf("<device xmlns='%s' id='%d'/>", jingle.NSSealed, d.engine.keys.ID())) {
			t.Errorf("said %q", said)
		}
		d.gets(asks(bob+"/b", offers("session-initiate", "c1")))
		same(t, "told", d.ofCalls(), "connecting", "seat: create", "seat: remote offer", "seat: answer")
		if got := d.take("type='result'"); len(got) != 1 {
			t.Errorf("answered %q", got)
		}
		d.questions("")
		d.must(&port.CallDescribed{Call: call.ID, SDP: described("active")})
		if got := d.requested(); len(got) != 1 || got[0].Action != jingle.SessionAccept {
			t.Fatalf("asked %+v", got)
		}
		d.told = nil
		time.Sleep(time.Second)
		d.must(&port.CallConnected{Call: call.ID})
		time.Sleep(10 * time.Second)
		d.gets(asks(bob+"/b", "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='c1'><reason><success/></reason></jingle>"))
		same(t, "told", d.ofCalls(), "active", "seat: close", "ended peer-hung-up")
		same(t, "lines", d.lines(bob), "!call")
		if log := d.callLog(); len(log) != 1 || log[0].Why != "peer-hung-up" || log[0].Ended.Sub(log[0].Answered) != 10*time.Second || log[0].Lock.State != port.Open {
			t.Errorf("the log is %+v", log)
		}
		if answers := d.do(&port.HangUpCall{Call: call.ID}); port.FailureOf(answers[0]) == nil {
			t.Error("a call that is over is hung up")
		}
	})
}

func TestWhoMayNotRingIsNotAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.take("")
		d.told = nil
		d.gets(invites(eve+"/x", "propose", "c1", audio), invites(eve+"/x", "propose", "c2", audio), invites(eve+"/x", "retract", "c2", ""))
		same(t, "said", d.take(""))
		log := d.callLog()
		if len(log) != 1 || log[0].Silent != "stranger" || log[0].Count != 2 || log[0].Chat != eve {
			t.Errorf("the log is %+v", log)
		}
		if chats := d.must(&port.ListChats{}).(*port.ChatList).Chats; len(chats) > 0 {
			t.Errorf("there is a chat: %+v", chats)
		}
		d.befriend(bob)
		d.gets("<iq type='set' id='push2'><block xmlns='urn:xmpp:blocking'><item jid='" + bob + "'/></block></iq>")
		d.take("")
		d.gets(invites(bob+"/b", "propose", "c3", audio))
		same(t, "said to who is blocked", d.take(""))
		if got := d.callLog(); len(got) != 1 {
			t.Errorf("the log is %+v", got)
		}
	})
}

func TestACallThatComesTooLateIsAMissedOne(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.take("")
		d.told = nil
		late := time.Now().Add(-5 * time.Minute).UTC().Format(time.RFC3339)
		d.gets(strings.Replace(invites(bob+"/b", "propose", "c1", audio), store, store+"<delay xmlns='urn:xmpp:delay' from='"+server+"' stamp='"+late+"'/>", 1))
		same(t, "told", d.ofCalls(), "ended missed")
		same(t, "said", d.invited())
		same(t, "lines", d.lines(bob), "!call")
		d.gets(invites(bob+"/b", "retract", "c1", ""), invites(bob+"/b", "propose", "c1", audio))
		same(t, "lines behind", d.lines(bob), "!call")
	})
}

func TestAMissedCallIsUnread(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(invites(bob+"/b", "propose", "c1", audio))
		time.Sleep(61 * time.Second)
		d.wait()
		chats := d.must(&port.ListChats{}).(*port.ChatList).Chats
		if len(chats) != 1 || chats[0].Unread != 1 || chats[0].Last.Notice != "call" {
			t.Errorf("chats %+v", chats)
		}
		want := []string{bob + " c1", "theirs", "audio", "missed", "0"}
		if !slices.Equal(chats[0].Last.Params, want) {
			t.Errorf("the line is of %q, not %q", chats[0].Last.Params, want)
		}
	})
}

func TestWeCallAndNobodyAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.take("")
		d.told = nil
		done := d.must(&port.PlaceCall{Chat: bob, Video: true}).(*port.Done)
		same(t, "said", d.invited(), "propose "+bob)
		if f := port.FailureOf(d.do(&port.PlaceCall{Chat: eve})[0]); f == nil || f.Code != port.Busy {
			t.Errorf("a second call: %v", f)
		}
		d.gets(invites(bob+"/b", "ringing", strings.TrimPrefix(done.Call, bob+" "), ""))
		time.Sleep(61 * time.Second)
		d.wait()
		same(t, "told", d.ofCalls(), "calling", "seat: open", "ringing", "seat: close", "ended unanswered")
		same(t, "said", d.invited(), "retract "+bob)
		if len(d.engine.calls.on) > 0 {
			t.Error("it is still on")
		}
	})
}

func TestARefusedInvitationEndsTheCall(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		done := d.must(&port.PlaceCall{Chat: eve}).(*port.Done)
		id := strings.TrimPrefix(done.Call, eve+" ")
		refusal := "' type='error' id='call-propose-" + id + "'><error type='cancel'><service-unavailable xmlns='" + stanza.NSStanzas + "'/></error></message>"
		d.gets("<message from='" + bob + refusal)
		if len(d.engine.calls.on) != 1 {
			t.Fatal("somebody else has ended it")
		}
		d.gets("<message from='" + eve + refusal)
		if log := d.callLog(); len(log) != 1 || log[0].Why != "failed" {
			t.Errorf("the log is %+v", log)
		}
	})
}

func TestOtherDevicesAndTheServerEndTheRinging(t *testing.T) {
	word := func(from, name, attrs string) string {
		return "<message from='" + from + "' to='" + me + "/here' type='headline'><" + name + " xmlns='urn:mirsal:calls:0' id='c1' with='" + bob + "'" + attrs + "/></message>"
	}
	own := strings.Replace(invites(me+"/other", "proceed", "c1", ""), "to='"+me+"'", "to='"+bob+"/b'", 1)
	for name, c := range map[string]struct{ what, why string }{
		"a copy":       {copied("sent", own), "answered-elsewhere"},
		"a refusal":    {copied("sent", strings.ReplaceAll(own, "proceed", "reject")), "declined-elsewhere"},
		"the server":   {word(me, "answered", ""), "answered-elsewhere"},
		"retracted":    {word(me, "ended", " why='retracted'"), "missed"},
		"rejected":     {word(me, "ended", " why='rejected'"), "declined-elsewhere"},
		"not eve":      {word(eve, "answered", ""), ""},
		"not the peer": {word(bob, "answered", ""), ""},
		"not a device": {word(me+"/other", "answered", ""), ""},
	} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			d.gets(invites(bob+"/b", "propose", "c1", audio), c.what)
			log := d.callLog()
			if len(log) != 1 || log[0].Why != c.why {
				t.Errorf("%s: %+v", name, log)
			}
		})
	}
}

func TestACopyThatIsNotOfOurServerIsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		own := strings.Replace(invites(me+"/other", "proceed", "c1", ""), "to='"+me+"'", "to='"+bob+"/b'", 1)
		d.gets(invites(bob+"/b", "propose", "c1", audio), strings.Replace(copied("sent", own), "from='"+me+"'", "from='"+bob+"'", 1))
		if log := d.callLog(); len(log) != 1 || log[0].State != "incoming" {
			t.Errorf("%+v", log)
		}
	})
}

func TestWhoeverIsSpeakingIsBusy(t *testing.T) {
	for _, other := range []bool{false, true} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			d.befriend(eve)
			if other {
				d.gets("<presence from='" + me + "/phone'/>")
			}
			d.gets(invites(bob+"/b", "propose", "c1", audio))
			d.invited()
			d.gets(invites(eve+"/x", "propose", "c2", audio))
			want := []string{"reject " + eve + "/x"}
			if other { // it rings there
				want = nil
			}
			same(t, "said", d.invited(), want...)
			same(t, "lines", d.lines(eve), "!call")
			if log := d.callLog(); len(log) != 2 || log[0].State != "incoming" || log[0].Chat != bob {
				t.Errorf("%+v", log)
			}
		})
	}
}

func TestOfTwoWhoCallAtOnceOneCallIsTheOne(t *testing.T) {
	for their, want := range map[string]string{"0": "incoming", "~": "calling"} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			d.must(&port.PlaceCall{Chat: bob})
			d.invited()
			d.gets(invites(bob+"/b", "propose", their, audio))
			log := d.callLog()
			if log[0].State != want || len(d.engine.calls.on) != 1 {
				t.Errorf("%s: %+v", their, log)
			}
			said := d.invited()
			if want == "incoming" {
				same(t, "said", said, "retract "+bob, "ringing "+bob+"/b")
			} else {
				same(t, "said", said, "reject "+bob+"/b")
			}
		})
	}
}

func TestRequestsOfNoCallAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.take("")
		d.gets(asks(bob+"/b", offers("session-initiate", "c9")))
		if got := d.take("unknown-session"); len(got) != 1 {
			t.Errorf("to a contact: %q", got)
		}
		d.gets(asks(eve+"/x", offers("session-initiate", "c9")))
		if got := d.take("service-unavailable"); len(got) != 1 || strings.Contains(got[0], "unknown-session") {
			t.Errorf("to a stranger: %q", got)
		}
		d.gets(asks(bob+"/b", "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='c9'><content creator='initiator' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></content></jingle>"))
		if got := d.take("service-unavailable"); len(got) != 1 {
			t.Errorf("of a file: %q", got)
		}
		d.gets(invites(bob+"/b", "propose", "c1", audio))
		d.take("")
		d.gets(asks(bob+"/b", offers("session-initiate", "c1")))
		if got := d.take("out-of-order"); len(got) != 1 {
			t.Errorf("before it was accepted: %q", got)
		}
	})
}

// sealFor is what a device of the peer's seals for the desk.
func (p *peer) sealFor(text string) string {
	p.t.Helper()
	to := jid.MustParse(me)
	for range 10 {
		ask, wait := p.Needs([]jid.JID{to})
		if !wait {
			break
		}
		p.do(e2ee.Step{Ask: ask})
	}
	env, b, err := p.EncryptFor(to, p.desk(), text)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.store.Apply(b); err != nil {
		p.t.Fatal(err)
	}
	return string(env.Append(nil, omemo.Legacy))
}

func (p *peer) desk() uint32 {
	p.t.Helper()
	for _, one := range p.Devices(jid.MustParse(me)) {
		return one.ID
	}
	p.t.Fatal("the desk has no device")
	return 0
}

func TestAFingerprintIsSealedByTheDevicesKey(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		p := d.peer(bob)
		id := strings.TrimPrefix(d.must(&port.PlaceCall{Chat: bob}).(*port.Done).Call, bob+" ")
		d.wait()
		d.gets(invites(bob+"/b", "proceed", id, fmt.Sprintf("<device xmlns='%s' id='%d'/>", jingle.NSSealed, p.ID())))
		d.questions("")
		d.must(&port.CallDescribed{Call: callName(bob, id), SDP: described("actpass")})
		d.wait()
		got := d.requested()
		if len(got) != 1 || got[0].Contents[0].Transport.Sealed == nil {
			t.Fatalf("asked %+v", got)
		}
		s := got[0].Contents[0].Transport.Sealed
		env := omemo.Envelope{Sender: s.Sender, Keys: []omemo.Key{{Device: s.Keys[0].Device, PreKey: s.Keys[0].PreKey, Data: s.Keys[0].Data}}, Payload: &omemo.Payload{IV: s.IV, Data: s.Payload}}
		el, _ := xtok.Parse(env.Append(nil, omemo.Legacy), xtok.Limits{})
		open, step, err := p.Decrypt(e2ee.Incoming{From: jid.MustParse(me), Element: el})
		p.do(step)
		if err != nil || open.Text != ourPrint {
			t.Fatalf("bob reads %q, %v", open.Text, err)
		}
		d.told = nil
		d.gets(asks(bob+"/b", sealedOffers("session-accept", id, "active", p.sealFor(theirPrint))))
		same(t, "told", d.ofCalls(), "connecting", "seat: remote answer")
		if lock := d.callLog()[0].Lock; lock == nil || lock.State != port.Locked {
			t.Errorf("the lock is %+v", lock)
		}
	})
}

func TestAnAnswerWithAnotherFingerprintIsNotFed(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		p := d.peer(bob)
		id := strings.TrimPrefix(d.must(&port.PlaceCall{Chat: bob}).(*port.Done).Call, bob+" ")
		d.gets(invites(bob+"/b", "proceed", id, fmt.Sprintf("<device xmlns='%s' id='%d'/>", jingle.NSSealed, p.ID())))
		d.must(&port.CallDescribed{Call: callName(bob, id), SDP: described("actpass")})
		d.wait()
		d.told = nil
		d.gets(asks(bob+"/b", sealedOffers("session-accept", id, "active", "")))
		same(t, "told", d.ofCalls(), "seat: close", "ended insecure")
		if log := d.callLog(); log[0].Text == "" {
			t.Error("it is not said why")
		}
	})
}

func TestACallOfSomebodyComparedIsSealedOrNone(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			p := d.peer(bob)
			d.gets(p.says("hello", "from='"+bob+"/b' to='"+me+"' type='chat' id='m1'", ""))
			d.must(&port.SetTrust{Address: bob, Fingerprint: p.Fingerprint(), Trust: "verified"})
			d.gets(invites(bob+"/b", "propose", "c1", audio))
			d.must(&port.AnswerCall{Call: bob + " c1"})
			seal, want := "", "insecure"
			if sealed {
				seal, want = p.sealFor(theirPrint), ""
			}
			d.gets(asks(bob+"/b", sealedOffers("session-initiate", "c1", "actpass", seal)))
			got := d.callLog()[0]
			if got.Why != want || sealed && got.Lock.State != port.Verified {
				t.Errorf("sealed %v: %+v, lock %+v", sealed, got, got.Lock)
			}
		})
	}
}

func TestAddressesAreHiddenFromWhoIsNoContact(t *testing.T) {
	for _, c := range []struct {
		who     string
		setting bool
		want    bool
	}{{bob, false, false}, {eve, false, true}, {bob, true, true}} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			all := port.Privacy{Receipts: true, ReadMarkers: true, Typing: true, HideAddress: c.setting}
			d.must(&port.SetSettings{Privacy: all})
			if got := d.must(&port.GetSettings{}).(*port.Settings); got.HideAddress != c.setting {
				t.Errorf("the setting is %+v", got)
			}
			id := strings.TrimPrefix(d.must(&port.PlaceCall{Chat: c.who}).(*port.Done).Call, c.who+" ")
			d.told = nil
			d.gets(invites(c.who+"/b", "proceed", id, ""))
			for _, ev := range d.told {
				if m, ok := ev.(*port.CallMedia); ok && m.Do == "create" && m.RelayOnly != c.want {
					t.Errorf("%+v: relay only is %v", c, m.RelayOnly)
				}
			}
			same(t, "told", d.ofCalls(), "connecting", "seat: create", "seat: offer")
		})
	}
}

func TestTheSeatIsGivenTheServersServices(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.lie = func(q conn.Request) (string, bool) {
			return "<services xmlns='urn:xmpp:extdisco:2'><service type='stun' host='stun.example.org' port='3478' transport='udp'/>" +
				"<service type='turn' host='2001:db8::1' port='3478' transport='udp' restricted='true' username='u' password='p'/>" +
				"<service type='turns' host='turn.example.org' port='443' transport='tcp' username='u' password='p'/>" +
				"<service type='turn' host='no-password.example.org' port='1' transport='udp' restricted='true'/>" +
				"<service type='turn' host='x/y?z' port='1' username='u' password='p'/><service type='turn' host='x' port='70000' username='u' password='p'/>" +
				"<service type='ftp' host='x' port='21'/></services>", strings.Contains(string(q.Payload), "urn:xmpp:extdisco:2")
		}
		id := strings.TrimPrefix(d.must(&port.PlaceCall{Chat: bob}).(*port.Done).Call, bob+" ")
		d.gets(invites(bob+"/b", "proceed", id, ""))
		for _, ev := range d.told {
			if m, ok := ev.(*port.CallMedia); ok && m.Do == "create" {
				got := fmt.Sprint(m.Servers)
				want := "[{[stun:stun.example.org:3478]  } {[turn:[2001:db8::1]:3478?transport=udp] u p} {[turns:turn.example.org:443?transport=tcp] u p}]"
				if got != want {
					t.Errorf("servers %s, not %s", got, want)
				}
			}
		}
	})
}

func TestWhatTheServerHasSeenIsInTheLog(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		time.Sleep(10 * time.Minute)
		stamp := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339) }
		answer := "<attempts xmlns='urn:mirsal:calls:0' complete='true'>" +
			"<attempt by='" + bob + "' id='old' at='" + stamp(24*time.Hour) + "' media='audio' end='missed'/>" +
			"<attempt by='" + bob + "' id='new' at='" + stamp(5*time.Minute) + "' media='audio video' end='retracted'/>" +
			"<attempt by='" + bob + "' id='taken' at='" + stamp(4*time.Minute) + "' media='audio' end='answered'/>" +
			"<attempt by='" + bob + "' id='rings' at='" + stamp(time.Second) + "' media='audio'/>" +
			"<attempt by='" + eve + "' id='x' at='" + stamp(time.Hour) + "' count='12' first='" + stamp(2*time.Hour) + "' media='audio' why='stranger' end='missed'/>" +
			"<attempt at='" + stamp(2*time.Hour) + "' count='9500' first='" + stamp(3*time.Hour) + "' why='stranger'/></attempts>"
		d.lie = func(q conn.Request) (string, bool) {
			return answer, strings.Contains(string(q.Payload), "urn:mirsal:calls:0")
		}
		hint := "<message from='" + me + "' type='headline'><event xmlns='" + nsEvent + "'><items node='urn:mirsal:calls:0'><item id='attempts'/></items></event></message>"
		d.gets(strings.Replace(hint, me, eve, 1))
		if log := d.callLog(); len(log) > 0 {
			t.Fatalf("somebody else has made us ask: %+v", log)
		}
		for range 2 {
			d.gets(hint)
			var got []string
			for _, c := range d.callLog() {
				got = append(got, fmt.Sprint(strings.TrimPrefix(c.ID, bob+" "), " ", c.Why, " ", c.Silent, " ", c.Count))
			}
			same(t, "the log", got, "taken answered-elsewhere  0", "new missed  0", eve+"  stranger missed stranger 12", "  stranger missed stranger 9500", "old missed  0")
			same(t, "lines", d.lines(bob), "!call", "!call")
		}
	})
}

func TestTheArchiveTellsOfCallsToo(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		e := d.engine
		own := func(kind, id string) string {
			return strings.Replace(invites(me+"/other", kind, id, ""), "to='"+me+"'", "to='"+bob+"/b'", 1)
		}
		at := time.Now().Add(-time.Hour)
		for _, raw := range []string{invites(bob+"/b", "propose", "c1", audio), invites(bob+"/b", "propose", "c2", audio), own("proceed", "c2"),
			strings.Replace(invites(me+"/other", "propose", "c3", audio), "to='"+me+"'", "to='"+bob+"'", 1), invites(bob+"/b", "reject", "c3", ""), invites(eve+"/x", "propose", "c4", audio), own("reject", "c5")} {
			s := stanzaOf(t, raw)
			e.callArchived(s.Elem, at)
		}
		var got []string
		for _, c := range d.callLog() {
			got = append(got, c.ID+" "+c.Why)
		}
		slices.Sort(got)
		same(t, "the log", got, bob+" c1 missed", bob+" c2 answered-elsewhere", bob+" c3 rejected")
	})
}

func TestACallGoesOnWithTheSessionAndEndsWithoutIt(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.must(&port.PlaceCall{Chat: bob})
		d.down()
		d.up(true)
		if len(d.engine.calls.on) != 1 {
			t.Fatal("it has ended with the stream")
		}
		d.down()
		d.happens(&conn.Up{JID: jid.MustParse(me + "/another")})
		d.wait()
		if log := d.callLog(); len(log) != 1 || log[0].Why != "failed" {
			t.Errorf("it goes on under another address: %+v", log)
		}
	})
}

func TestAProgramWithoutAMicrophoneDoesNotRing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.NoCalls = true
		d.befriend(bob)
		d.take("")
		d.gets(invites(bob+"/b", "propose", "c1", audio))
		same(t, "said", d.invited())
		if f := port.FailureOf(d.do(&port.AnswerCall{Call: bob + " c1"})[0]); f == nil {
			t.Error("it is accepted")
		}
		if slices.Contains(d.engine.features(), jingle.NS) {
			t.Error("it says that it can be called")
		}
	})
}

func TestTheLogIsKeptAndBounded(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		for i := range mostLogged + 3 {
			d.gets(invites(bob+"/b", "retract", fmt.Sprintf("c%d", i), ""))
			time.Sleep(time.Second)
		}
		d.end()
		<-d.ended
		d.start()
		if n := len(d.engine.calls.log); n != mostLogged || d.engine.logged(callName(bob, "c2")) != nil {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestNothingIsSealedForAKeyThatIsNotTrusted(t *testing.T) {
	for _, c := range []struct{ name, trust, of string }{{"refused", "refused", "one"}, {"undecided", "verified", "two"}} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			one := d.peer(bob)
			d.gets(one.says("hello", "from='"+bob+"/b' to='"+me+"' type='chat' id='m1'", ""))
			d.must(&port.SetTrust{Address: bob, Fingerprint: one.Fingerprint(), Trust: c.trust})
			which := one
			if c.of == "two" {
				which = d.peer(bob)
				d.gets(which.says("hello too", "from='"+bob+"/c' to='"+me+"' type='chat' id='m2'", ""))
			}
			id := strings.TrimPrefix(d.must(&port.PlaceCall{Chat: bob}).(*port.Done).Call, bob+" ")
			d.gets(invites(bob+"/b", "proceed", id, fmt.Sprintf("<device xmlns='%s' id='%d'/>", jingle.NSSealed, which.ID())))
			d.questions("")
			d.must(&port.CallDescribed{Call: callName(bob, id), SDP: described("actpass")})
			d.wait()
			if got := d.callLog()[0]; got.Why != "insecure" || len(d.requested()) > 0 {
				t.Errorf("%s: %+v", c.name, got)
			}
		})
	}
}

func TestASealOfAKeyThatIsNotTrustedIsNotBelieved(t *testing.T) {
	for _, trust := range []string{"refused", "verified"} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			p := d.peer(bob)
			d.gets(p.says("hello", "from='"+bob+"/b' to='"+me+"' type='chat' id='m1'", ""))
			d.must(&port.SetTrust{Address: bob, Fingerprint: p.Fingerprint(), Trust: trust})
			if trust == "verified" { // then a second device waits for a person's decision
				p = d.peer(bob)
			}
			d.gets(invites(bob+"/b", "propose", "c1", audio))
			d.must(&port.AnswerCall{Call: bob + " c1"})
			d.told = nil
			d.gets(asks(bob+"/b", sealedOffers("session-initiate", "c1", "actpass", p.sealFor(theirPrint))))
			same(t, trust+": told", d.ofCalls(), "seat: close", "ended insecure")
		})
	}
}

func TestOfCallsThatWereSealedAnOpenLockReminds(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		p := d.peer(bob)
		for i, seal := range []bool{false, true, false} {
			id, sealed := fmt.Sprint("c", i), ""
			d.gets(invites(bob+"/b", "propose", id, audio))
			d.must(&port.AnswerCall{Call: callName(bob, id)})
			if seal {
				sealed = p.sealFor(theirPrint)
			}
			d.gets(asks(bob+"/b", sealedOffers("session-initiate", id, "actpass", sealed)))
			want := []string{"open call-unsealed", "locked ", "open call-was-sealed"}[i]
			if lock := d.callLog()[0].Lock; lock == nil || string(lock.State)+" "+lock.Why != want {
				t.Errorf("the lock is %+v, not %s", lock, want)
			}
			d.must(&port.HangUpCall{Call: callName(bob, id)})
			time.Sleep(time.Second)
		}
	})
}

func TestWhoLeavesHangsUpFirst(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.must(&port.PlaceCall{Chat: bob})
		d.take("")
		d.must(&port.SignOut{})
		same(t, "said", d.invited(), "retract "+bob)
	})
}

func TestWhoMayNotKnowThatWeAreHereIsNotToldByRinging(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets("<iq type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='" + bob + "' subscription='to'/></query></iq>")
		d.gets("<iq type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='" + eve + "' subscription='none'/></query></iq>")
		d.take("")
		d.told = nil
		d.gets(invites(bob+"/b", "propose", "c1", audio))
		same(t, "told", d.ofCalls(), "incoming")
		d.gets(invites(eve+"/x", "propose", "c2", audio))
		same(t, "said", d.invited())
		d.must(&port.AnswerCall{Call: callName(bob, "c1")})
		same(t, "said by a person", d.invited(), "proceed "+bob+"/b")
	})
}

func TestOfALateCallWhatFollowedIsLearned(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		late := "<delay xmlns='urn:xmpp:delay' from='" + server + "' stamp='" + time.Now().Add(-5*time.Minute).UTC().Format(time.RFC3339) + "'/>"
		own := strings.Replace(invites(me+"/other", "proceed", "c1", ""), "to='"+me+"'", "to='"+bob+"/b'", 1)
		d.gets(strings.Replace(invites(bob+"/b", "propose", "c1", audio), store, store+late, 1), copied("sent", own))
		if log := d.callLog(); len(log) != 1 || log[0].Why != "answered-elsewhere" || !log[0].Late {
			t.Errorf("%+v", log)
		}
	})
}
