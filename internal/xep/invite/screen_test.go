package invite

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
)

func withScreen(c *Config) { c.Browser = "/" }

func (s *site) try(token, name string, headers ...string) *httptest.ResponseRecorder {
	return s.do(httptest.NewRequest("POST", "https://example.org/invite/"+token+"/name", strings.NewReader(`{"name":"`+name+`"}`)), headers)
}

func TestALinkOpensTheScreenInABrowserAndThePageOfAppsStays(t *testing.T) {
	s := newSite(t, withScreen)
	in := s.invite(auth.Offer{})
	w := s.get("/invite/"+in.Token, "Accept", "text/html,*/*")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/#invite="+in.Token || w.Header().Get("Referrer-Policy") != "no-referrer" || w.Body.Len() != 0 {
		t.Error(w.Code, w.Header())
	}
	for _, path := range []string{"/invite/" + in.Token, "/invite/" + in.Token + "/apps"} {
		if w := s.get(path); w.Code != 200 || !strings.Contains(w.Body.String(), "<form") || !strings.Contains(w.Body.String(), `href="/#invite=`+in.Token+`"`) {
			t.Error(path, w.Code)
		}
	}
	if w := s.get("/invite/GUESSED", "Accept", "text/html"); w.Code != 404 || !strings.Contains(w.Body.String(), `href="/">Open my chats`) {
		t.Error("a link that is nothing:", w.Code, w.Body)
	}
	if w := newSite(t, nil).get("/invite/GUESSED", "Accept", "text/html"); w.Code != 404 || strings.Contains(w.Body.String(), "Open my chats") {
		t.Error(w.Code)
	}
}

func TestTheScreenIsToldWhatAnInvitationOffers(t *testing.T) {
	s := newSite(t, withScreen)
	s.add("alice")
	in := s.invite(auth.Offer{From: "alice", Contact: true, Circle: "Class 4b"})
	w := s.get("/invite/" + in.Token + "/about")
	for _, want := range []string{
		`"domain":"example.org"`, `"from":"alice@example.org"`, `"called":"ALICE"`, `"circle":"Class 4b"`, `"account":true`, `"contact":true`, `"left":1`,
		`"uri":"xmpp:alice@example.org?roster;preauth=` + in.Token, `"apps":"/invite/` + in.Token + `/apps"`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in %s", want, w.Body)
		}
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Error(h)
	}
	if w := s.get("/invite/GUESSED/about"); w.Code != 404 || w.Body.String() != "{\"why\":\"gone\"}\n" {
		t.Error(w.Code, w.Body)
	}
	if w := s.get("/invite/"+in.Token+"/about", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Error(w.Code)
	}
}

const den = "den@conference.example.org"

// withGroup has the room den say what it is to who holds good, and nobody else.
func withGroup(good *string) func(*Config) {
	return func(c *Config) {
		c.Browser, c.Group = "/", func(room jid.JID, token string) (Group, bool) {
			return Group{Name: "The <den>", About: "tea", Type: "image/png", Picture: []byte("pic"), Asks: true}, room.String() == den && token == *good
		}
	}
}

func TestTheLinkOfARoomTellsOfTheRoomAndOfNobodyInIt(t *testing.T) {
	good := ""
	s := newSite(t, withGroup(&good))
	s.add("alice")
	in := s.invite(auth.Offer{From: "alice", Room: den})
	good = in.Token
	w := s.get("/invite/" + in.Token + "/about")
	for _, want := range []string{
		`"account":true`, `"contact":false`, `"room":{"address":"` + den + `","name":"The \u003cden\u003e","about":"tea","type":"image/png","picture":"cGlj","asks":true}`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in %s", want, w.Body)
		}
	}
	for _, path := range []string{"/about", "/apps"} {
		if w := s.get("/invite/" + in.Token + path); w.Code != 200 || strings.Contains(strings.ToLower(w.Body.String()), "alice") {
			t.Error(path, "says who made it:", w.Code, w.Body)
		}
	}
	if w := s.get("/invite/" + in.Token + "/apps"); !strings.Contains(w.Body.String(), "The &lt;den&gt;") {
		t.Error("the page of apps does not name the room:", w.Body)
	}
}

func TestALinkThatItsRoomDoesNotKnowLeadsNowhere(t *testing.T) {
	good := ""
	s := newSite(t, withGroup(&good))
	s.add("alice")
	in := s.invite(auth.Offer{From: "alice", Room: den})
	for _, path := range []string{"/about", "/apps"} {
		if w := s.get("/invite/" + in.Token + path); w.Code != 404 || strings.Contains(w.Body.String(), "den") {
			t.Error(path, w.Code, w.Body)
		}
	}
	if w := s.try(in.Token, "dora"); w.Code != 404 {
		t.Error(w.Code, w.Body)
	}
	if w := s.post(in.Token, "dora", password); w.Code != 404 || s.auth.Exists("dora") {
		t.Error("it makes an account:", w.Code)
	}
	other := newSite(t, withScreen) // a server without rooms
	other.add("alice")
	in = other.invite(auth.Offer{From: "alice", Room: den})
	if w := other.get("/invite/" + in.Token + "/about"); w.Code != 404 {
		t.Error(w.Code, w.Body)
	}
}

func TestANameIsTriedWithoutTakingIt(t *testing.T) {
	s := newSite(t, withScreen)
	s.add("alice")
	in := s.invite(auth.Offer{})
	for name, want := range map[string]string{
		" Carol ": `"why":"bad"`, "Carol": `{"free":true,"name":"carol","address":"carol@example.org"}`,
		"alice": `{"free":false,"why":"taken"}`, "a1ice": `"why":"looks-alike"`, "admin": `"why":"reserved"`, "c\u0430rol": `"why":"mixed"`, "": `"why":"bad"`,
	} {
		if w := s.try(in.Token, name); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s", name, w.Code, w.Body)
		}
	}
	if s.auth.Exists("carol") || s.post(in.Token, "carol", password).Code != http.StatusSeeOther {
		t.Error("a try has used the invitation")
	}
	if w := s.try(in.Token, "dave"); w.Code != 404 {
		t.Error("used up:", w.Code)
	}
	given := s.invite(auth.Offer{Name: "erin"})
	if w := s.try(given.Token, "dave"); !strings.Contains(w.Body.String(), `"why":"given"`) {
		t.Error(w.Body)
	}
	contact := s.invite(auth.Offer{From: "alice", Contact: true, NoAccount: true})
	if w := s.try(contact.Token, "dave"); w.Code != 400 {
		t.Error("names for an invitation that makes no account:", w.Code)
	}
}

func TestTryingNamesIsPacedAndFreeNamesAreNot(t *testing.T) {
	n := 0
	s := newSite(t, func(c *Config) {
		c.Browser = "/"
		c.Allow = func(netip.Addr) bool { n++; return n <= 3 }
	})
	s.add("alice")
	in := s.invite(auth.Offer{})
	for i := range 5 {
		want := 200
		if i >= 3 {
			want = 429
		}
		if w := s.try(in.Token, "alice"); w.Code != want {
			t.Error(i, w.Code)
		}
	}
	if w := s.try(in.Token, "carol"); w.Code != 200 {
		t.Error("a name that is free:", w.Code)
	}
	if w := s.try(in.Token, "carol", "Origin", "https://evil.example"); w.Code != 403 {
		t.Error("another site:", w.Code)
	}
}
