package filter

import (
	"crypto/ed25519"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

const head = "mirsal call rules 1\nserial 7\nissued 2026-11-22T10:00:00Z\nexpires 2026-11-29T10:00:00Z\n"

var now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func mustParse(t *testing.T, rules string) *Rules {
	t.Helper()
	r, err := Parse(head + rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsNotKnownIsNoRule(t *testing.T) {
	for _, text := range []string{
		"", "mirsal call rules 2\n", head + "allow x propose media=audio\n", head + "serial 8\n", head + "refuse x propose\n", head + "refuse x\n",
		head + "refuse x everything media=audio\n", head + "refuse X propose media=audio\n", head + "refuse x propose media=smell\n", head + "refuse x propose media<audio\n",
		head + "refuse x propose age=7d\n", head + "refuse x propose age<-7d\n", head + "refuse x propose age<7\n", head + "refuse x propose codec=opus\n", head + "refuse x session codec=\n",
		head + "refuse x session colour=red\n", head + "refuse x session contents>many\n", head + "refuse x session codec\n",
		head + "refuse x session codec=a\nrefuse x session codec=b\n", head + "refuse x session" + strings.Repeat(" codec=a", MostConditions+1) + "\n",
		"mirsal call rules 1\nserial 7\nissued 2026-11-22T10:00:00Z\n", strings.Replace(head, "2026-11-29", "2026-12-29", 1), strings.Replace(head, "2026-11-29", "2026-11-20", 1),
		strings.Replace(head, "serial 7", "serial 0", 1), head + strings.Repeat("# \n", MostBytes),
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("this is taken: %.300s", text)
		}
	}
}

func TestRulesRefuseWhatTheySayAndNothingElse(t *testing.T) {
	video := Call{Session: &jingle.Session{Action: jingle.SessionInitiate, Contents: []jingle.Content{{
		Description: &jingle.Description{
			Media: jingle.Video, Payloads: []jingle.Payload{{Name: "H264", Parameters: []jingle.Parameter{{Name: "profile-level-id"}}, Feedback: []jingle.Feedback{{Type: "nack"}}}},
			Extensions: []jingle.Extension{{URI: "urn:example:broken"}},
		},
		Transport: &jingle.Transport{Candidates: []jingle.Candidate{{Type: jingle.Host}, {Type: jingle.Relay}}},
	}}}}
	ring := Call{Invite: &jingle.Invite{Kind: jingle.Propose, Audio: true, Video: true}, Age: 6 * 24 * time.Hour, Aged: true}
	old, unknown, retract := ring, ring, ring
	old.Age, unknown.Aged, retract.Invite = 8*24*time.Hour, false, &jingle.Invite{Kind: jingle.Retract}
	for _, test := range []struct {
		rule string
		call Call
		is   bool
	}{
		{"propose media=video age<7d", ring, true},
		{"propose media=video age<7d", old, false},
		{"propose media=video age<7d", unknown, false},
		{"propose media=video age<7d", retract, false},
		{"propose sender=component", ring, false},
		{"propose sender=account", ring, true},
		{"session media=video", ring, false},
		{"session media=video", video, true},
		{"session media=audio", video, false},
		{"propose media=video", video, false},
		{"session-initiate codec=h264", video, true},
		{"session-accept codec=h264", video, false},
		{"session codec=vp8", video, false},
		{"session parameter=profile-level-id", video, true},
		{"session parameter=x", video, false},
		{"session extension=urn:example:broken", video, true},
		{"session extension=urn:example:brok", video, false},
		{"session feedback=nack", video, true},
		{"session feedback=pli", video, false},
		{"session candidate=relay", video, true},
		{"session candidate=srflx", video, false},
		{"session contents>0 payloads>0 candidates>1", video, true},
		{"session contents>0 payloads>0 candidates>2", video, false},
		{"session codec=h264 sender=component", video, false},
	} {
		r := mustParse(t, "refuse it "+test.rule+"\n")
		if got := r.Judge(test.call, now); (got == "it") != test.is {
			t.Errorf("%s: %q, want %v", test.rule, got, test.is)
		}
		if got := r.Judge(test.call, r.Expires); got != "" {
			t.Errorf("%s: when it has ended it refuses still", test.rule)
		}
	}
	var none *Rules
	if none.Judge(ring, now) != "" {
		t.Error("no rules refuse something")
	}
}

func TestOnlyNewSignedRulesAreOpened(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, _ := ed25519.GenerateKey(nil)
	file, err := Sign(head+"refuse x propose media=video", private)
	if err != nil {
		t.Fatal(err)
	}
	keys := []ed25519.PublicKey{other, public}
	for _, test := range []struct {
		file string
		keys []ed25519.PublicKey
		last uint64
		now  time.Time
		want error
	}{
		{file, keys, 6, now, nil},
		{file, keys, 7, now, ErrOld},
		{file, keys, 6, now.AddDate(0, 0, 7), ErrTime},
		{file, keys, 6, now.AddDate(0, 0, -7), ErrTime},
		{file, keys[:1], 6, now, ErrSignature},
		{file, nil, 6, now, ErrSignature},
		{file, []ed25519.PublicKey{{}}, 6, now, ErrSignature},
		{strings.Replace(file, "video", "audio", 1), keys, 6, now, ErrSignature},
		{file + "refuse y propose media=audio\n", keys, 6, now, ErrSignature},
		{"\n" + file, keys, 6, now, ErrSignature},
		{head, keys, 6, now, ErrSignature},
		{file + strings.Repeat(" ", MostBytes+512), keys, 6, now, ErrSignature},
	} {
		if _, err := Open(test.file, test.keys, test.last, test.now); !errors.Is(err, test.want) {
			t.Errorf("%.400s: %v, want %v", test.file, err, test.want)
		}
	}
	if _, err := Sign(head+"refuse", private); err == nil {
		t.Error("what is no rule is signed")
	}
}

// recorded are the exchanges of other clients that the grammar is tested with.
func recorded(t *testing.T) iter.Seq[Call] {
	t.Helper()
	var all []Call
	files, err := filepath.Glob("../../xmpp/jingle/testdata/exchanges/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, callsIn(string(b))...)
	}
	if len(all) == 0 {
		t.Fatal("no calls in the exchanges")
	}
	return slices.Values(all)
}

func callsIn(text string) (all []Call) {
	for _, part := range strings.SplitAfter(text, "</jingle>") {
		i := strings.Index(part, "<jingle")
		if i < 0 {
			continue
		}
		e, err := xtok.Parse([]byte(part[i:]), xtok.Limits{})
		if err != nil {
			continue
		}
		if s, err := jingle.ParseSession(e); err == nil {
			all = append(all, Call{Session: &s, Aged: true, Age: 24 * time.Hour})
		}
	}
	return all
}

func TestATrialShowsWhatANormalCallWouldSuffer(t *testing.T) {
	calls := recorded(t)
	trial := mustParse(t, "refuse broken session extension=urn:example:broken\nrefuse young propose media=video age<7d\n").Try(calls, now)
	if !trial.Harmless() || trial.Calls == 0 {
		t.Errorf("%+v", trial)
	}
	trial = mustParse(t, "refuse broken session extension=urn:example:broken\nrefuse all session codec=opus\n").Try(calls, now)
	if trial.Harmless() || trial.Refused["all"] == 0 || trial.Refused["broken"] != 0 {
		t.Errorf("%+v", trial)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "refuse x propose media=video age<7d\nrefuse y session extension=urn:x contents>3\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err == nil && (r.Serial == 0 || r.Expires.Sub(r.Issued) > Longest || len(r.List) > MostRules) {
			t.Errorf("%+v", r)
		}
	})
}
