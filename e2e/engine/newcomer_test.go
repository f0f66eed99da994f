package engine

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// invitation is a token by which somebody invites one person.
func invitation(t *testing.T, s *device.Server, args ...string) string {
	t.Helper()
	out, err := exec.Command(s.Bin, append([]string{"invite", "--json", "--data", s.Data}, args...)...).Output()
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
func newcomer(t *testing.T, s *device.Server, c *port.SignUp) *person {
	t.Helper()
	p := open(t, s, "nobody", t.TempDir())
	c.Domain, c.Server = device.Domain, s.C2S
	p.Must(c)
	p.Synced()
	p.Address = p.Status().Address
	return p
}

func TestWhoIsInvitedChatsAtOnceAndNoPasswordIsLeft(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice"})
	alice := signIn(t, s, "alice")
	sara := newcomer(t, s, &port.SignUp{Invitation: invitation(t, s, "--for", "alice", "--uses", "2"), DisplayName: "Sara Ali"})
	if sara.Address != "sara.ali@"+device.Domain {
		t.Errorf("the address is %s", sara.Address)
	}
	hasChat := func(p *person, address, name string) {
		right := func(c port.Chat) bool { return c.Address == address && c.Name == name }
		if !slices.ContainsFunc(p.Must(&port.ListChats{}).(*port.ChatList).Chats, right) {
			p.Until("a chat with "+name, func(ev port.Event) bool {
				c, ok := ev.(*port.ChatChanged)
				return ok && right(c.Chat)
			})
		}
	}
	hasChat(sara, alice.Address, "alice")
	hasChat(alice, sara.Address, "Sara Ali")
	sara.says(alice.Address, "here I am", port.Delivered)
	alice.hears(sara.Address, "here I am")

	name, picture := "Sara", append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("pixel"), 3000)...)
	sara.Must(&port.SetProfile{Name: &name, Picture: picture})
	alice.Until("her picture", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == sara.Address && c.Contact.Avatar != "" && c.Contact.Nick == "Sara"
	})
	if p := alice.Must(&port.Avatar{Address: sara.Address}).(*port.Picture); !bytes.Equal(p.Data, picture) || p.Type != "image/png" {
		t.Errorf("the picture has %d bytes of %s", len(p.Data), p.Type)
	}
	sara.Close()
	if found := grep(t, sara.Folder, `"password":"`); len(found) > 0 {
		t.Errorf("a password is in %v", found)
	}
}

func TestATakenNameIsSaidWithAnotherAndAUsedInvitationIsMissing(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"sara"})
	token := invitation(t, s)
	p := open(t, s, "nobody", t.TempDir())
	try := func(c *port.SignUp) *port.Done {
		c.Invitation, c.Domain, c.Server = token, device.Domain, s.C2S
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
	p.Synced()
	if a := p.Status().Address; a != "sara2@"+device.Domain {
		t.Errorf("the address is %s", a)
	}
	q := open(t, s, "nobody", t.TempDir())
	answer, _ := q.Call(t.Context(), &port.SignUp{Invitation: token, Domain: device.Domain, Server: s.C2S, DisplayName: "Eve"})
	if f := port.FailureOf(answer); f == nil || f.Code != port.Missing {
		t.Errorf("an invitation that was used: %v", f)
	}
}

func TestARecoveryCodeLetsAPersonBackInAndIsNowhereElse(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, nil)
	sara := newcomer(t, s, &port.SignUp{Invitation: invitation(t, s), DisplayName: "Sara"})
	code := sara.Must(&port.RecoveryCode{}).(*port.Code).Text
	sara.Close()
	for _, folder := range []string{sara.Folder, s.Data} {
		for _, text := range []string{code, strings.ReplaceAll(code, "-", "")} {
			if found := grep(t, folder, text); len(found) > 0 {
				t.Errorf("the code is in %v", found)
			}
		}
	}
	sara.Start() // by its token
	sara.Synced()
	again := open(t, s, "sara", t.TempDir())
	again.Must(&port.SignIn{Address: sara.Address, Password: " " + strings.ToLower(strings.ReplaceAll(code, "-", " ")), Server: s.C2S})
	again.Synced()
	sara.Must(&port.ListChats{})
	if st := sara.Status(); st.State != "online" {
		t.Errorf("the first device is %+v", st)
	}
}
