package admin

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
)

// house is a world where alice is the administrator, and bob and carol have accounts.
type house struct {
	*coretest.World
	t    *testing.T
	auth *auth.Auth
	f    *Admin
	log  strings.Builder
	ends []bool // restart or not

	mu     sync.Mutex
	posted []string // to whom
}

// again is a store that outlives one feature: declared once for all of them.
type again struct {
	store.Store
	spaces map[string]*store.Bucket
}

func (l again) Declare(s store.Space) *store.Bucket {
	if l.spaces[s.Name] == nil {
		l.spaces[s.Name] = l.Store.Declare(s)
	}
	return l.spaces[s.Name]
}

func world(t *testing.T, f func(w *house)) { on(t, again{memory.New(), map[string]*store.Bucket{}}, f) }

func on(t *testing.T, kv again, f func(w *house)) {
	t.Helper()
	h := &house{t: t}
	coretest.Run(t, func(w *coretest.World) {
		h.World = w
		var err error
		if h.auth, err = auth.New(t.Context(), kv, jid.MustParse("example.org"), config.Auth{Iterations: auth.MinIterations}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"alice", "bob", "carol"} {
			if _, err := h.auth.Add(t.Context(), name, "secret"); err != nil && !strings.Contains(err.Error(), "taken") {
				t.Fatal(err)
			}
		}
		if err := h.auth.SetAdmin(t.Context(), "alice", true); err != nil {
			t.Fatal(err)
		}
		h.f = New(w.Router, kv, Config{
			Accounts: h.auth, Contacts: func(jid.JID) int { return 7 },
			Files: func(_ context.Context, owner jid.JID) (Files, bool, error) {
				return Files{3, 10, 4096, 1 << 30}, owner.Local() == "bob", nil
			},
			Stop: func(restart bool) { h.ends = append(h.ends, restart) },
			Log:  slog.New(slog.NewTextHandler(&h.log, nil)),
		})
		h.f.Register(w.Host)
		w.Host.Screen = append(w.Host.Screen, func(t *core.Transit) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.posted = append(h.posted, t.Head.To.Local())
			return nil
		})
	}, func(w *coretest.World) {
		if err := h.f.Start(); err != nil {
			t.Fatal(err)
		}
		f(h)
		h.f.Close()
	})
}

// do runs a command as alice's phone, with fields name=value.
func (h *house) do(node string, fields ...string) string {
	return h.by("alice@example.org/phone", node, fields...)
}

func (h *house) by(who, node string, fields ...string) string {
	h.t.Helper()
	given := map[string][]string{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		given[name] = append(given[name], value)
	}
	for _, c := range h.f.Journal(h.f.Commands()) {
		if strings.HasSuffix(c.Node, "#"+node) {
			call := &command.Call{Ctx: h.t.Context()}
			if who != "" {
				call.By = jid.MustParse(who)
			}
			r, err := c.Run(call, given)
			if err != nil {
				return err.Error()
			}
			return string(r.Append(nil))
		}
	}
	h.t.Fatal("no command", node)
	return ""
}

// expect wants all words in what a command answers.
func expect(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in %s", w, got)
		}
	}
}

func TestOnlyAdministratorsOfThisServerMayDoAnything(t *testing.T) {
	world(t, func(h *house) {
		for who, want := range map[string]bool{
			"alice@example.org": true, "bob@example.org": false, "alice@component.example.org": false, "alice@elsewhere.example": false, "example.org": false,
		} {
			if h.f.Allow(jid.MustParse(who)) != want {
				t.Error(who)
			}
		}
		if err := h.auth.Disable(t.Context(), "alice"); err != nil || h.f.Allow(jid.MustParse("alice@example.org")) {
			t.Error("a disabled administrator may", err)
		}
	})
}

func TestAccountsComeAndGo(t *testing.T) {
	world(t, func(h *house) {
		expect(t, h.do("add-user", "accountjid=dave@example.org", "password=long enough", "password-verify=other"), "differ")
		expect(t, h.do("add-user", "accountjid=dave@example.org", "password= x "), "dave@example.org has an account", "warn")
		expect(t, h.do("add-user", "accountjid=dave@example.org", "password=long enough"), "conflict")
		expect(t, h.do("add-user", "accountjid=dave@elsewhere.example", "password=long enough"), "jid-malformed")
		expect(t, h.do("change-user-password", "accountjid=nobody", "password=long enough"), "item-not-found")
		expect(t, h.do("change-user-password", "accountjid=bob", "password=long enough"), "have to sign in")
		expect(t, h.do("delete-user", "accountjids=dave", "accountjids=nobody"), "Removed: 1", "nobody: no such account", "type='error'")
		if h.auth.Exists("dave") {
			t.Error("dave is still here")
		}
		expect(t, h.do("delete-user", "accountjids=alice@example.org"), "your own account")
		expect(t, h.do("disable-user", "accountjids=ALICE"), "your own account")
		expect(t, h.by("", "disable-user", "accountjids=alice"), "Disabled: 1")
		if strings.Contains(h.log.String(), "long enough") {
			t.Error("a password is in the log")
		}
		expect(t, h.log.String(), "command=add-user", "by=alice@example.org/phone", "by=operator", "accounts=dave@example.org")
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	world(t, func(h *house) {
		alice, bob, tablet := h.Login("alice@example.org/phone"), h.Login("bob@example.org/phone"), h.Login("bob@example.org/tablet")
		bob.Session.SetInactive(true)
		expect(t, h.do("sessions", "accountjids=bob"), "<value>bob@example.org/phone</value></field><field var='state'><value>idle</value>", "bob@example.org/tablet")
		expect(t, h.do("end-user-session", "accountjids=bob@example.org/tablet"), "ended: 1")
		expect(t, h.do("end-user-session", "accountjids=bob", "accountjids=alice"), "ended: 1")
		if bob.Ended != "policy-violation" || tablet.Ended != "policy-violation" || alice.Ended != "" {
			t.Error(bob.Ended, tablet.Ended, alice.Ended)
		}
	})
}

func TestWhoIsNotThereHasNoSessionsToListOrEnd(t *testing.T) {
	world(t, func(h *house) {
		bob := h.Login("bob@example.org/phone")
		for _, c := range []string{
			"end-user-session accountjids=nobdy", "end-user-session accountjids=bob accountjids=nobdy", "end-user-session accountjids=bob@example.org/tablet",
			"end-user-session accountjids=nobdy@example.org/phone", "sessions accountjids=nobdy",
		} {
			args := strings.Fields(c)
			if got := h.do(args[0], args[1:]...); !strings.Contains(got, "item-not-found") {
				t.Errorf("%s: %s", c, got)
			}
		}
		if bob.Ended != "" {
			t.Error("something was done all the same")
		}
		expect(t, h.do("end-user-session", "accountjids=bob", "accountjids=bob@example.org/phone"), "ended: 1")
		expect(t, h.do("end-user-session", "accountjids=carol"), "ended: 0")
	})
}

func TestHowManyIsANumber(t *testing.T) {
	world(t, func(h *house) {
		for _, bad := range []string{"abc", "0", "-1", "1.5"} {
			expect(t, h.do("get-registered-users-list", "max_items="+bad), "not-acceptable", "max_items is")
			expect(t, h.do("sessions", "max_items="+bad), "not-acceptable")
		}
		for _, good := range []string{"", "none", "5000"} {
			expect(t, h.do("get-registered-users-list", "max_items="+good), "carol@")
		}
	})
}

func TestListsArePagedAndCounted(t *testing.T) {
	world(t, func(h *house) {
		h.Login("alice@example.org/phone")
		bob := h.Login("bob@example.org/phone")
		bob.Session.SetInactive(true)
		if err := h.auth.Disable(t.Context(), "carol"); err != nil {
			t.Fatal(err)
		}
		for node, want := range map[string]string{
			"get-registered-users-num": "<value>3</value>", "get-disabled-users-num": "<value>1</value>", "get-online-users-num": "<value>2</value>",
			"get-active-users-num": "<value>1</value>", "get-idle-users-num": "<value>1</value>",
			"get-disabled-users-list": "<value>carol@example.org</value>", "get-active-users": "<value>alice@example.org</value>", "get-idle-users": "<value>bob@example.org</value>",
		} {
			expect(t, h.do(node), want)
		}
		got := h.do("get-registered-users-list", "max_items=2")
		expect(t, got, "alice@", "bob@", "1 more follow, after bob@example.org")
		got = h.do("get-registered-users-list", "max_items=2", "after=bob")
		if !strings.Contains(got, "carol@") || strings.Contains(got, "bob@") || strings.Contains(got, "follow") {
			t.Error(got)
		}
		expect(t, h.do("user-stats", "accountjid=bob"), "<value>7</value>", "onlineresources", "<value>phone</value>")
		expect(t, h.do("user-stats", "accountjid=bob"), "'files'", "<value>3</value>", "'bytes'", "<value>4096</value>", "<value>1073741824</value>")
		if got := h.do("user-stats", "accountjid=carol"); strings.Contains(got, "Files") {
			t.Error(got)
		}
		expect(t, h.do("get-user-lastlogin", "accountjids=bob"), "never")
	})
}

func TestAnAnnouncementReachesWhoIsOnlineAndAnotherEveryAccount(t *testing.T) {
	world(t, func(h *house) {
		alice, bob := h.Login("alice@example.org/phone"), h.Login("bob@example.org/phone")
		expect(t, h.do("announce", "announcement=Tea at four < five", "subject=Tea"), "online: 2")
		for _, c := range []*coretest.Client{alice, bob} {
			expect(t, c.Got(), "<subject>Tea</subject>", "<body>Tea at four &lt; five</body>", "from='example.org'", "type='headline'")
		}
		expect(t, h.do("announce", "announcement=Cake", "all=1"), "all 3 accounts")
		if got := bob.Got(); !strings.Contains(got, "Cake") || strings.Contains(got, "headline") {
			t.Error(got)
		}
		expect(t, h.do("announce", "announcement="+strings.Repeat("x", maxText+1)), "not-acceptable")
		expect(t, h.do("announce", "announcement= "), "missing")
		if left, _ := h.f.jobs.Scan(t.Context(), "", store.Range{}); len(left) > 0 {
			t.Error(left)
		}
		if strings.Contains(h.log.String(), "Cake") {
			t.Error("the text is in the log")
		}
	})
}

func TestAnAnnouncementToAllGoesOnWhereARestartBrokeItOff(t *testing.T) {
	kv := again{memory.New(), map[string]*store.Bucket{}}
	on(t, kv, func(h *house) {
		for i := range 120 {
			if _, err := h.auth.Add(t.Context(), fmt.Sprintf("u%03d", i), "secret"); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, h.do("announce", "announcement=Cake", "all=1"), "all 123")
		time.Sleep(4*pause + pause/2)
		h.f.Close()
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.posted) != 5*burst || h.posted[3] != "u000" {
			t.Error(len(h.posted), h.posted)
		}
	})
	on(t, kv, func(h *house) {
		time.Sleep(time.Minute)
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.posted) != 123-5*burst || h.posted[0] != "u097" {
			t.Error(len(h.posted), h.posted)
		}
		if left, _ := h.f.jobs.Scan(t.Context(), "", store.Range{}); len(left) > 0 {
			t.Error("it is not over:", left)
		}
	})
}

func TestTheMessageOfTheDayIsToldOnce(t *testing.T) {
	world(t, func(h *house) {
		bob := h.Login("bob@example.org/phone")
		expect(t, h.do("set-motd", "motd=Mind", "motd=the gap"), "told now: 1")
		expect(t, bob.Got(), "<body>Mind&#10;the gap</body>")
		carol := h.Login("carol@example.org/phone")
		for _, c := range []*coretest.Client{bob, carol} {
			h.f.Available(c.Session)
		}
		if got := bob.Got(); strings.Contains(got, "Mind") {
			t.Error("twice:", got)
		}
		expect(t, carol.Got(), "Mind")
		expect(t, h.do("edit-motd", "motd=Mind the step"), "not told again")
		h.f.Available(carol.Session)
		h.f.Available(h.Login("alice@example.org/phone").Session)
		if got := carol.Got(); got != "" {
			t.Error(got)
		}
		expect(t, h.do("delete-motd"), "deleted")
		expect(t, h.do("delete-motd"), "none")
		expect(t, h.do("edit-motd", "motd=x"), "item-not-found")
	})
}

func TestNewcomersAreWelcomedAndOthersAreNot(t *testing.T) {
	world(t, func(h *house) {
		expect(t, h.do("set-welcome", "welcome=Hello"), "Newcomers") // in the second in which bob was made
		if _, err := h.auth.Add(t.Context(), "dave", "secret"); err != nil {
			t.Fatal(err)
		}
		bob, dave := h.Login("bob@example.org/phone"), h.Login("dave@example.org/phone")
		for range 2 {
			h.f.Available(bob.Session)
			h.f.Available(dave.Session)
		}
		if got := bob.Got(); got != "" {
			t.Error(got)
		}
		if n := strings.Count(dave.Got(), "Hello"); n != 1 {
			t.Error(n)
		}
		expect(t, h.do("delete-welcome"), "deleted")
	})
}

func TestWhoIsRemovedIsNotRememberedAsTold(t *testing.T) {
	world(t, func(h *house) {
		expect(t, h.do("set-motd", "motd=Mind"), "told now: 0")
		h.f.Available(h.Login("bob@example.org/phone").Session)
		synctest.Wait()
		if owners, _ := h.f.seen.Owners(t.Context()); !slices.Equal(owners, []string{"bob@example.org"}) {
			t.Error(owners)
		}
		h.f.gone(jid.MustParse("bob@example.org"))
		if owners, _ := h.f.seen.Owners(t.Context()); len(owners) > 0 {
			t.Error(owners)
		}
	})
}

func TestAdministratorsAreExactlyThoseNamed(t *testing.T) {
	world(t, func(h *house) {
		expect(t, h.do("edit-admin", "adminjids=bob@example.org"), "your own account")
		expect(t, h.do("edit-admin", "adminjids=alice", "adminjids=nobody"), "item-not-found")
		expect(t, h.do("edit-admin", "adminjids=alice@example.org", "adminjids=bob"), "Administrators: 2")
		expect(t, h.log.String(), `command=edit-admin by=alice@example.org/phone accounts="alice@example.org bob"`)
		expect(t, h.by("bob@example.org/x", "edit-admin", "adminjids=bob"), "Administrators: 1")
		if h.f.Allow(jid.MustParse("alice@example.org")) || !h.f.Allow(jid.MustParse("bob@example.org")) {
			t.Error("not as named")
		}
	})
}

func TestTheServerEndsAfterADelayUnlessItIsTakenBack(t *testing.T) {
	world(t, func(h *house) {
		bob := h.Login("bob@example.org/phone")
		expect(t, h.do("restart", "delay=60", "announcement=Back soon"), "restarts in 1m0s")
		expect(t, bob.Got(), "Back soon")
		expect(t, h.do("keep-running"), "goes on")
		expect(t, h.do("keep-running"), "Nothing")
		expect(t, h.do("restart", "delay=60"), "restarts")
		expect(t, h.do("shutdown", "delay=30"), "shuts down in 30s")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if !slices.Equal(h.ends, []bool{false}) {
			t.Error(h.ends)
		}
		for _, bad := range []string{"", "-1", "3601", "soon"} {
			expect(t, h.do("shutdown", "delay="+bad), "not-acceptable")
		}
	})
}
