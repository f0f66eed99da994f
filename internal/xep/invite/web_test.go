package invite

import (
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
)

func TestThePageTellsWhoInvitesAndHowToAccept(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice")
	in := s.invite(auth.Offer{From: "alice", Contact: true, Circle: "Class 4b"})
	w := s.get("/invite/" + in.Token)
	for _, want := range []string{
		"<bdi>alice</bdi> invites you to <bdi>example.org</bdi>", "<bdi>Class 4b</bdi>", `lang="en" dir="ltr"`,
		`href="xmpp:alice@example.org?roster;preauth=` + in.Token + `;ibr=y"`, `method="post"`, "/qr.svg", "Conversations",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	for _, not := range []string{"<script", "style=", "onclick", "ZgotmplZ", "in the browser"} {
		if strings.Contains(w.Body.String(), not) {
			t.Errorf("%s in the page", not)
		}
	}
	for header, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Content-Security-Policy": policy, "Content-Language": "en",
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	if code := s.get("/invite/" + in.Token + "/qr.svg"); code.Code != 200 || !strings.HasPrefix(code.Body.String(), "<svg") {
		t.Error(code.Code)
	}
	if css := s.get("/invite/style.css"); css.Code != 200 || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") {
		t.Error(css.Code)
	}
}

func TestThePageSpeaksTheLanguageOfTheBrowser(t *testing.T) {
	s := newSite(t, nil)
	in := s.invite(auth.Offer{})
	for accept, want := range map[string]string{
		"": "en", "ar": "ar", "ar-EG,en;q=0.5": "ar", "en-GB,ar;q=0.5": "en", "de": "en", "de,ar;q=0.8": "ar", ";;;": "en", strings.Repeat("ar,", 200): "en",
	} {
		w := s.get("/invite/"+in.Token, "Accept-Language", accept)
		if got := w.Header().Get("Content-Language"); got != want {
			t.Errorf("%.20q: %s, want %s", accept, got, want)
		}
		if want == "ar" && !strings.Contains(w.Body.String(), `dir="rtl"`) {
			t.Error("Arabic from left to right")
		}
	}
}

func TestEveryLanguageHasEveryWord(t *testing.T) {
	en := reflect.ValueOf(*english())
	for _, w := range newPages().words {
		v := reflect.ValueOf(*w)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).String() == "" {
				t.Errorf("%s: %s is missing", w.Lang, name)
			}
			if strings.Count(v.Field(i).String(), "%s") != strings.Count(en.Field(i).String(), "%s") {
				t.Errorf("%s: %s takes other names", w.Lang, name)
			}
		}
	}
}

func TestNamesCannotChangeWhatStandsAroundThem(t *testing.T) {
	got := fill("%s & %s", "a\u202eb\u200b<i>\x00", strings.Repeat("x", 100))
	want := template.HTML("<bdi>ab&lt;i&gt;</bdi> &amp; <bdi>" + strings.Repeat("x", maxName) + "…</bdi>")
	if got != want {
		t.Errorf("%q", got)
	}
	if got := fill("%s and %s", "a%sb", "c"); got != "<bdi>a%sb</bdi> and <bdi>c</bdi>" {
		t.Errorf("one name stands inside another: %q", got)
	}
}

func TestAnAccountIsMadeOnThePageAndItsAddressIsShownOnce(t *testing.T) {
	s := newSite(t, nil)
	in := s.invite(auth.Offer{})
	w := s.post(in.Token, " Carol ", password, "Origin", "null", "Sec-Fetch-Site", "same-origin")
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || to != "/invite/"+in.Token+"/welcome/carol" || !s.auth.Exists("carol") {
		t.Fatal(w.Code, to)
	}
	if w = s.get(to); w.Code != 200 || !strings.Contains(w.Body.String(), "carol@example.org") {
		t.Error(w.Code)
	}
	for _, path := range []string{"/invite/" + in.Token, "/invite/" + in.Token + "/welcome/mallory", "/invite/other/welcome/carol"} {
		if w = s.get(path); w.Code != 404 || strings.Contains(w.Body.String(), "mallory") {
			t.Error(path, w.Code)
		}
	}
}

func TestWhatIsWrongIsSaidInWordsAndLeavesTheInvitationGood(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice")
	in, words := s.invite(auth.Offer{}), english()
	for _, c := range []struct{ name, password, want string }{
		{"alice", password, words.Taken},
		{"a1ice", password, words.LooksAlike},
		{"al.ice", password, words.LooksAlike},
		{"Adm1n", password, words.Reserved},
		{"c\u0430rol", password, words.Mixed},
		{"a b", password, words.BadName},
		{"carol@example.com", password, words.BadName},
		{"", password, words.BadName},
		{"carol", "short", words.Short},
		{"carol", "password1", words.Easy},
		{"carol", "carol123", words.Easy},
		{"carol", "aaaaaaaaaa", words.Easy},
	} {
		w := s.post(in.Token, c.name, c.password)
		if body := w.Body.String(); w.Code != 422 || !strings.Contains(body, template.HTMLEscapeString(c.want)) || strings.Contains(body, c.password) && len(c.password) > 5 {
			t.Errorf("%q, %q: %d", c.name, c.password, w.Code)
		}
	}
	if w := s.post(in.Token, "carol", password); w.Code != http.StatusSeeOther {
		t.Error(w.Code)
	}
}

func TestAFormOfAnotherPageIsRefused(t *testing.T) {
	s := newSite(t, nil)
	in := s.invite(auth.Offer{})
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "https://example.org.evil.example"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://example.org", "Sec-Fetch-Site", "cross-site"}, {"Origin", "::"},
	} {
		if w := s.post(in.Token, "carol", password, headers...); w.Code != http.StatusForbidden || s.auth.Exists("carol") {
			t.Error(headers, w.Code)
		}
	}
	if w := s.post(in.Token, "carol", password, "Origin", "https://example.org"); w.Code != http.StatusSeeOther {
		t.Error(w.Code)
	}
}

func TestAnInvitationUsedTwiceAtOnceMakesOneAccount(t *testing.T) {
	s := newSite(t, nil)
	in := s.invite(auth.Offer{Uses: 2})
	var made sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if w := s.post(in.Token, fmt.Sprint("person", i), password); w.Code == http.StatusSeeOther {
				made.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	made.Range(func(any, any) bool { n++; return true })
	if n != 2 || s.auth.Count() != 2 {
		t.Error(n, s.auth.Count())
	}
}

func TestUnknownUsedTakenBackAndOutOfDateLookTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.add("alice")
		used, late, back := s.invite(auth.Offer{}), s.invite(auth.Offer{Life: time.Hour}), s.invite(auth.Offer{})
		s.post(used.Token, "carol", password)
		if err := s.auth.Withdraw(t.Context(), back.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		want := s.get("/invite/GUESSED")
		if want.Code != 404 || !strings.Contains(want.Body.String(), english().GoneTitle) {
			t.Fatal(want.Code)
		}
		for _, token := range []string{used.Token, late.Token, back.Token, strings.Repeat("X", 1000)} {
			got := s.get("/invite/" + token)
			form := s.post(token, "dave", password)
			code := s.get("/invite/" + token + "/qr.svg")
			if got.Code != want.Code || got.Body.String() != want.Body.String() || !reflect.DeepEqual(got.Header(), want.Header()) {
				t.Error("the pages differ")
			}
			if form.Code != 404 || form.Body.String() != want.Body.String() || code.Code != 404 || s.auth.Exists("dave") {
				t.Error(form.Code, code.Code)
			}
		}
	})
}

func TestGuessingIsPacedByAddressAndGoodLinksAreNot(t *testing.T) {
	left := map[netip.Addr]int{}
	s := newSite(t, func(c *Config) {
		c.Allow = func(a netip.Addr) bool { left[a]++; return left[a] <= 3 }
	})
	s.add("alice")
	in := s.invite(auth.Offer{})
	for i := range 5 {
		want := 404
		if i >= 3 {
			want = 429
		}
		if w := s.get("/invite/GUESS"); w.Code != want {
			t.Error(i, w.Code)
		}
	}
	if w := s.post(in.Token, "alice", password); w.Code != 429 {
		t.Error("names can be tried without end:", w.Code)
	}
	if w := s.post(in.Token, "carol", password); w.Code != http.StatusSeeOther {
		t.Error("an innocent person behind the same address:", w.Code)
	}
}

func TestAnInvitationForPeopleWithAnAccountMakesNone(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice")
	in := s.invite(auth.Offer{From: "alice", Contact: true, NoAccount: true})
	if w := s.get("/invite/" + in.Token); w.Code != 200 || strings.Contains(w.Body.String(), "<form") || !strings.Contains(w.Body.String(), "would like to chat") {
		t.Error(w.Code)
	}
	if w := s.post(in.Token, "carol", password); w.Code == http.StatusSeeOther || s.auth.Exists("carol") {
		t.Error(w.Code)
	}
}

func TestANameThatWasGivenIsTheOnlyOne(t *testing.T) {
	s := newSite(t, nil)
	in := s.invite(auth.Offer{Name: "carol"})
	if w := s.get("/invite/" + in.Token); !strings.Contains(w.Body.String(), `value="carol"`) || !strings.Contains(w.Body.String(), "readonly") {
		t.Error(w.Body.String())
	}
	if w := s.post(in.Token, "dave", password); w.Code != 422 {
		t.Error(w.Code)
	}
	if w := s.post(in.Token, "carol", password); w.Code != http.StatusSeeOther {
		t.Error(w.Code)
	}
}
