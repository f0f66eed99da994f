package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

// invitation is a token by which somebody invites one person.
func (s *server) invitation(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(s.bin, append([]string{"invite", "--json", "--data", s.Data}, args...)...).Output()
	var inv struct {
		Token string `json:"token"`
	}
	if err == nil {
		err = json.Unmarshal(out, &inv)
	}
	if err != nil || inv.Token == "" {
		t.Fatalf("%v: %s", err, out)
	}
	return inv.Token
}

// newcomer makes an account by an invitation.
func newcomer(t *testing.T, s *server, c *port.SignUp) *person {
	t.Helper()
	p := open(t, s, "nobody", t.TempDir())
	c.Domain, c.Server = domain, s.addr
	p.must(c)
	p.synced()
	p.address = p.Status().Address
	return p
}

func TestWhoIsInvitedChatsAtOnceAndNoPasswordIsLeft(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice")
	alice := signIn(t, s, "alice")
	sara := newcomer(t, s, &port.SignUp{Invitation: s.invitation(t, "--for", "alice", "--uses", "2"), DisplayName: "Sara Ali"})
	if sara.address != "sara.ali@"+domain {
		t.Errorf("the address is %s", sara.address)
	}
	hasChat := func(p *person, address, name string) {
		right := func(c port.Chat) bool { return c.Address == address && c.Name == name }
		if !slices.ContainsFunc(p.must(&port.ListChats{}).(*port.ChatList).Chats, right) {
			p.until("a chat with "+name, func(ev port.Event) bool {
				c, ok := ev.(*port.ChatChanged)
				return ok && right(c.Chat)
			})
		}
	}
	hasChat(sara, alice.address, "alice")
	hasChat(alice, sara.address, "Sara Ali")
	sara.says(alice.address, "here I am", port.Delivered)
	alice.hears(sara.address, "here I am")

	name, picture := "Sara", append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("pixel"), 3000)...)
	sara.must(&port.SetProfile{Name: &name, Picture: picture})
	alice.until("her picture", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == sara.address && c.Contact.Avatar != "" && c.Contact.Nick == "Sara"
	})
	if p := alice.must(&port.Avatar{Address: sara.address}).(*port.Picture); !bytes.Equal(p.Data, picture) || p.Type != "image/png" {
		t.Errorf("the picture has %d bytes of %s", len(p.Data), p.Type)
	}
	sara.close()
	if found := grep(t, sara.folder, `"password":"`); len(found) > 0 {
		t.Errorf("a password is in %v", found)
	}
}

func TestATakenNameIsSaidWithAnotherAndAUsedInvitationIsMissing(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sara")
	token := s.invitation(t)
	p := open(t, s, "nobody", t.TempDir())
	try := func(c *port.SignUp) *port.Done {
		c.Invitation, c.Domain, c.Server = token, domain, s.addr
		answer, _ := p.Call(t.Context(), c)
		return answer.(*port.Done)
	}
	taken := try(&port.SignUp{Name: "Sara"})
	if taken.Failure == nil || taken.Failure.Code != port.Taken || taken.Suggest != "sara2" {
		t.Fatalf("answered by %+v", taken)
	}
	if d := try(&port.SignUp{Name: "saraсара"}); d.Failure == nil || d.Failure.Code != port.BadName {
		t.Errorf("mixed letters: %+v", d)
	}
	if d := try(&port.SignUp{DisplayName: "Sara"}); d.Failure != nil {
		t.Fatalf("answered by %+v", d)
	}
	p.synced()
	if a := p.Status().Address; a != "sara2@"+domain {
		t.Errorf("the address is %s", a)
	}
	q := open(t, s, "nobody", t.TempDir())
	answer, _ := q.Call(t.Context(), &port.SignUp{Invitation: token, Domain: domain, Server: s.addr, DisplayName: "Eve"})
	if f := port.FailureOf(answer); f == nil || f.Code != port.Missing {
		t.Errorf("an invitation that was used: %v", f)
	}
}

func TestARecoveryCodeLetsAPersonBackInAndIsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sara := newcomer(t, s, &port.SignUp{Invitation: s.invitation(t), DisplayName: "Sara"})
	over, end := context.WithCancel(t.Context())
	end()
	for _, err := sara.Next(over); err == nil; _, err = sara.Next(over) { // what was before
	}
	code := sara.must(&port.RecoveryCode{}).(*port.Code).Text
	connecting := func(ev port.Event) bool { st, ok := ev.(*port.Status); return ok && st.State == "connecting" }
	sara.until("signing in by the code", connecting)
	sara.synced()
	sara.close()
	for _, folder := range []string{sara.folder, s.Data} {
		for _, text := range []string{code, strings.ReplaceAll(code, "-", "")} {
			if found := grep(t, folder, text); len(found) > 0 {
				t.Errorf("the code is in %v", found)
			}
		}
	}
	sara.start() // by its token
	sara.synced()
	again := open(t, s, "sara", t.TempDir())
	again.must(&port.SignIn{Address: sara.address, Password: " " + strings.ToLower(strings.ReplaceAll(code, "-", " ")), Server: s.addr})
	again.synced()
	sara.must(&port.ListChats{})
	if st := sara.Status(); st.State != "online" {
		t.Errorf("the first device is %+v", st)
	}
}
