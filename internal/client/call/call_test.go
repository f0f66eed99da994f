package call

import (
	"strings"
	"testing"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
)

func TestACallFromItsPlacingToItsEnd(t *testing.T) {
	l := newLine(t)
	l.does(l.a, l.a.Place(false, "tab-a"))
	l.is("ringing", l.a.View().State)
	l.is("incoming", l.b.View().State)
	same(t, "bob's seat before he accepts", l.b.did)
	l.does(l.b, l.b.Answer(false, "tab-b"))
	l.is("connecting", l.a.View().State)
	l.is("connecting", l.b.View().State)
	l.does(l.a, l.a.Connected())
	l.does(l.b, l.b.Connected())
	l.is("active", l.b.View().State)
	same(t, "alice's seat", l.a.did, "open", "create", "offer", "remote answer", "address 0")
	same(t, "bob's seat", l.b.did, "open", "create", "remote offer", "answer", "address 0")
	same(t, "alice sends", l.a.sent, "propose", "session-initiate", "transport-info")
	same(t, "bob sends", l.b.sent, "ringing", "proceed", "session-accept", "transport-info")
	l.does(l.b, l.b.HangUp())
	l.is("hung-up", l.b.View().Why)
	l.is("peer-hung-up", l.a.View().Why)
	l.is("close", l.a.did[len(l.a.did)-1])
	l.is("close", l.b.did[len(l.b.did)-1])
	same(t, "refused", append(l.a.refuses, l.b.refuses...))
}

func TestTheSeatIsToldWhoItIsAndWhatHelps(t *testing.T) {
	l := newLine(t)
	l.a = newDevice(t, "c1", alice+"/a", bob, 1)
	var told []port.CallMedia
	note := func(all []Do) []Do {
		for _, d := range all {
			if d.Media != nil {
				told = append(told, *d.Media)
			}
		}
		return all
	}
	l.does(l.a, note(l.a.Place(true, "tab-a")))
	l.a.Heard(bob+"/b", jingle.Invite{Kind: jingle.Ringing, ID: "c1"})
	note(l.a.Heard(bob+"/b", jingle.Invite{Kind: jingle.Proceed, ID: "c1"}))
	if len(told) != 1 || told[0].Do != "open" || !told[0].Video || told[0].Seat != "tab-a" || told[0].Call != "the call" {
		t.Fatalf("before the servers are known: %+v", told)
	}
	note(l.a.Gave([]port.CallServer{{URLs: []string{"stun:x:1"}}}))
	if len(told) != 3 || told[1].Do != "create" || len(told[1].Servers) != 1 || told[2].Do != "offer" {
		t.Fatalf("behind: %+v", told)
	}
}

func TestDeclinedCancelledAndUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		do        func(l *line)
		why, here string
	}{
		"declined":      {func(l *line) { l.does(l.b, l.b.HangUp()) }, "rejected", "declined"},
		"cancelled":     {func(l *line) { l.does(l.a, l.a.HangUp()) }, "cancelled", "missed"},
		"unanswered":    {func(l *line) { l.does(l.a, l.a.Timeout()) }, "unanswered", "missed"},
		"no microphone": {func(l *line) { l.does(l.a, l.a.Failed("no microphone")) }, "failed", "missed"},
	} {
		l := newLine(t)
		l.reach(life.RingingOut, false)
		c.do(l)
		if l.a.View().Why != c.why || l.b.View().Why != c.here {
			t.Errorf("%s: %s and %s", name, l.a.View().Why, l.b.View().Why)
		}
		same(t, name+": alice's seat", l.a.did, "open", "close")
		same(t, name+": bob's seat", l.b.did)
	}
}

func TestAFingerprintIsSealedForTheDeviceThatAccepted(t *testing.T) {
	l := newLine(t)
	var seen []jingle.Session
	l.meddle = func(_ *device, s *jingle.Session) bool { seen = append(seen, *s); return true }
	l.reach(life.Active, true)
	for _, s := range seen {
		for _, x := range s.Contents {
			if x.Transport == nil || x.Transport.Fingerprint.Hash != 0 || whole(s.Action) && x.Transport.Sealed == nil {
				t.Errorf("%s goes with an open fingerprint: %+v", s.Action, x.Transport)
			}
		}
	}
	if v := l.b.View(); v.Lock == nil || v.Lock.State != port.Locked {
		t.Errorf("bob's lock is %+v", v.Lock)
	}
	if v := l.a.View(); v.Lock == nil || v.Lock.State != port.Locked {
		t.Errorf("alice's lock is %+v", v.Lock)
	}
	if !strings.Contains(l.b.sdp[0], l.a.print) || !strings.Contains(l.a.sdp[0], l.b.print) {
		t.Error("the seats were not given the fingerprints")
	}
}

// open puts a fingerprint of the server's in the place of a seal.
func open(_ *device, s *jingle.Session) bool {
	for i := range s.Contents {
		if way := s.Contents[i].Transport; way != nil && way.Sealed != nil {
			other := *way
			other.Fingerprint = jingle.Fingerprint{Hash: way.Sealed.Hash, Setup: way.Sealed.Setup, Value: strings.Repeat("66:", 31) + "66"}
			other.Sealed = nil
			s.Contents[i].Transport = &other
		}
	}
	return true
}

func TestAnotherFingerprintEndsTheCall(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(from *device, s *jingle.Session) bool
		set    func(l *line)
		why    string // alice's
	}{
		"in the answer": {meddle: func(d *device, s *jingle.Session) bool {
			return s.Action != jingle.SessionAccept || open(d, s)
		}, why: "insecure"},
		"on both ways":                {meddle: open, why: "insecure"},
		"of people who have compared": {meddle: open, set: func(l *line) { l.b.cfg.Sealed = true }, why: "peer-hung-up"},
		"in the seal": {meddle: func(_ *device, s *jingle.Session) bool {
			for i := range s.Contents {
				if way := s.Contents[i].Transport; way != nil && way.Sealed != nil {
					way.Sealed.Keys[0].Data = []byte("forged")
				}
			}
			return true
		}, why: "peer-hung-up"},
		"of another device": {meddle: func(d *device, s *jingle.Session) bool {
			for i := range s.Contents {
				if way := s.Contents[i].Transport; way != nil && way.Sealed != nil && s.Action == jingle.SessionAccept {
					way.Sealed.Sender = 99
				}
			}
			return true
		}, why: "insecure"},
		"of a refused device":  {set: func(l *line) { l.b.keys.refused = true }, why: "peer-hung-up"},
		"for a refused device": {set: func(l *line) { l.a.keys.refused = true }, why: "insecure"},
	} {
		l := newLine(t)
		if c.set != nil {
			c.set(l)
		}
		l.meddle = c.meddle
		l.does(l.a, l.a.Place(false, ""))
		l.does(l.b, l.b.Answer(false, ""))
		if !l.a.Over() || !l.b.Over() || l.a.View().Why != c.why {
			t.Errorf("%s: it is %+v and %+v", name, l.a.View(), l.b.View())
		}
		if insecure := l.a; l.a.View().Why == "insecure" && insecure.View().Text == "" {
			t.Errorf("%s: it is not said", name)
		}
		for _, text := range append(l.a.sdp, l.b.sdp...) {
			if strings.Contains(text, "66:66") && c.why == "insecure" && l.a.did[len(l.a.did)-2] == "remote answer" {
				t.Errorf("%s: the seat was given the other fingerprint", name)
			}
		}
	}
}

func TestWhatIsNotSealedIsOpenAndSaysSo(t *testing.T) {
	l := newLine(t)
	l.a.keys.none = true
	l.reach(life.Active, false)
	for _, d := range []*device{l.a, l.b} {
		if v := d.View(); v.Lock == nil || v.Lock.State != port.Open || v.Lock.Why != WhyUnsealed {
			t.Errorf("the lock is %+v", v.Lock)
		}
	}
}

func TestWithPeopleWhomOneHasComparedNothingGoesUnsealed(t *testing.T) {
	l := newLine(t)
	l.a.keys.none, l.a.cfg.Sealed = true, true
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	l.is("insecure", l.a.View().Why)
	same(t, "alice sends", l.a.sent, "propose", "finish")
	// a server that takes the number of the device out of the proceed
	l = newLine(t)
	l.a.cfg.Sealed = true
	l.word = func(_ *device, v *jingle.Invite) bool { v.Device = 0; return true }
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	l.is("insecure", l.a.View().Why)
}

func TestADescriptionWaitsForAKey(t *testing.T) {
	l := newLine(t)
	l.a.keys.later = true
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	same(t, "alice sends", l.a.sent, "propose")
	l.does(l.a, l.a.Keys())
	same(t, "alice sends still", l.a.sent, "propose")
	l.a.keys.later = false
	l.does(l.a, l.a.Keys())
	same(t, "alice sends then", l.a.sent, "propose", "session-initiate", "transport-info")
	l.is("connecting", l.b.View().State)
}

func TestVideoIsAddedInMidCall(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.a.did, l.b.did, l.a.sent, l.b.sent = nil, nil, nil, nil
	do, ok := l.b.AddVideo()
	if !ok {
		t.Fatal("not now")
	}
	l.does(l.b, do)
	same(t, "bob sends", l.b.sent, "content-add", "transport-info")
	same(t, "alice sends", l.a.sent, "content-accept", "transport-info")
	same(t, "bob's seat", l.b.did, "camera", "offer", "remote answer", "address 0")
	same(t, "alice's seat", l.a.did, "remote offer", "answer", "address 0")
	l.is("active", l.a.View().State)
	if !l.a.View().Video || l.b.View().Lock.State != port.Locked {
		t.Errorf("%+v", l.a.View())
	}
}

func TestAContentThatIsAddedUnsealedEndsASealedCall(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.meddle = open
	do, _ := l.b.AddVideo()
	l.does(l.b, do)
	l.is("insecure", l.a.View().Why)
	l.is("close", l.a.did[len(l.a.did)-1])
}

func TestAnotherNetworkRestartsICE(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.a.did, l.b.did, l.a.sent, l.b.sent = nil, nil, nil, nil
	l.does(l.a, l.a.Network())
	same(t, "alice's seat", l.a.did, "offer restart", "remote answer", "address 0")
	same(t, "bob's seat", l.b.did, "remote offer", "answer", "address 0")
	l.is("active", l.a.View().State)
	l.is("active", l.b.View().State)
}

func TestMutingIsTold(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, true)
	l.does(l.a, l.a.Mute(port.CallMuted{Audio: true}))
	if v := l.b.View(); !v.TheirMuted.Audio || v.TheirMuted.Video {
		t.Errorf("bob sees %+v", v.TheirMuted)
	}
	l.does(l.a, l.a.Mute(port.CallMuted{Video: true}))
	if v := l.b.View(); v.TheirMuted.Audio || !v.TheirMuted.Video {
		t.Errorf("bob sees %+v", v.TheirMuted)
	}
	l.is("mute", l.a.did[len(l.a.did)-1])
}

func TestAddressesBeforeTheDescriptionWait(t *testing.T) {
	l := newLine(t)
	var late []func()
	l.meddle = func(d *device, s *jingle.Session) bool {
		if d == l.b && s.Action == jingle.SessionAccept && late == nil {
			again := *s
			late = append(late, func() { l.request(d, again) })
			return false
		}
		return true
	}
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	same(t, "alice's seat", l.a.did, "open", "create", "offer")
	late[0]()
	l.does(l.a, nil)
	same(t, "alice's seat then", l.a.did, "open", "create", "offer", "remote answer", "address 0")
}

func TestOnlyAddressesOfRelaysLeaveWhereAddressesAreHidden(t *testing.T) {
	l := newLine(t)
	l.a.cfg.RelayOnly = true
	var seen []string
	l.meddle = func(d *device, s *jingle.Session) bool {
		if d == l.a {
			seen = append(seen, string(s.Append(nil)))
		}
		return true
	}
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	l.does(l.a, l.a.Address("0", "candidate:2 1 udp 1 198.51.100.7 3478 typ relay raddr 192.0.2.1 rport 50000"))
	all := strings.Join(seen, "")
	if strings.Contains(all, "192.0.2.1") || !strings.Contains(all, "198.51.100.7") {
		t.Errorf("what left is %s", all)
	}
}

func TestWhoHasNoPartIsNotHeard(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	for _, from := range []string{eve + "/x", bob + "/other", bob} {
		if do := l.a.Heard(from, jingle.Invite{Kind: jingle.Finish, ID: "c1"}); len(do) > 0 || l.a.Over() {
			t.Errorf("%s has ended it", from)
		}
		do, refusal := l.a.HeardSession(from, jingle.Session{Action: jingle.SessionTerminate, SID: "c1"})
		if refusal == nil || refusal.Condition != stanza.ItemNotFound || len(do) > 0 || l.a.Over() {
			t.Errorf("%s: %v %v", from, do, refusal)
		}
	}
	if _, refusal := l.a.HeardSession(bob+"/b", jingle.Session{Action: jingle.SessionAccept, SID: "c1"}); refusal == nil || refusal.Condition != stanza.UnexpectedRequest {
		t.Errorf("an acceptance out of order: %v", refusal)
	}
	l.is("active", l.a.View().State)
}

func TestAnsweredElsewhere(t *testing.T) {
	for name, f := range map[string]func(d *device) []Do{
		"by a copy":     func(d *device) []Do { return d.Heard(bob+"/other", jingle.Invite{Kind: jingle.Proceed, ID: "c1"}) },
		"by the server": func(d *device) []Do { return d.Told(life.ServerAnswered) },
	} {
		l := newLine(t)
		l.reach(life.RingingOut, false)
		l.does(l.b, f(l.b))
		if v := l.b.View(); v.Why != "answered-elsewhere" {
			t.Errorf("%s: %+v", name, v)
		}
		if len(l.b.Answer(false, "")) > 0 {
			t.Errorf("%s: it can still be accepted", name)
		}
	}
}

func TestARefusedSessionEndsTheCall(t *testing.T) {
	l := newLine(t)
	l.meddle = func(d *device, s *jingle.Session) bool {
		l.queue(d, d.Answered(s.Action, stanza.Errorf(stanza.NotAcceptable, "")))
		return false
	}
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	l.is("failed", l.a.View().Why)
}

func TestADescriptionThatCannotBeUsedEndsTheCall(t *testing.T) {
	l := newLine(t)
	l.reach(life.RingingOut, false)
	l.b.held = true
	l.does(l.b, l.b.Answer(false, ""))
	do, ok := l.b.Described("v=1")
	if !ok {
		t.Fatal("it was not asked for")
	}
	l.does(l.b, do)
	l.is("failed", l.b.View().Why)
	if _, ok := l.b.Described("v=0"); ok {
		t.Error("it is asked for behind the end")
	}
}

func TestWhatIsInASealIsAFingerprint(t *testing.T) {
	l := newLine(t)
	l.meddle = func(_ *device, s *jingle.Session) bool {
		for i := range s.Contents {
			if way := s.Contents[i].Transport; way != nil && way.Sealed != nil {
				way.Sealed.Payload = []byte("AA\r\na=candidate:x")
			}
		}
		return true
	}
	l.does(l.a, l.a.Place(false, ""))
	l.does(l.b, l.b.Answer(false, ""))
	l.is("insecure", l.b.View().Why)
	same(t, "bob's seat", l.b.did, "open", "close")
}
