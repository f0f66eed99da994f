package hostile

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/auth"
)

// Attacks on invitations, by their web page and by in-band registration.
func TestInvitations(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--http-plain", "127.0.0.1:0", "--set", "log.level=debug",
		"--set", "limits.enabled=true", "--set", "limits.exempt=", "--set", "limits.registrations=30",
	}})
	s.Accounts(password, "alice", "bob", "carol", "dora", "mallory")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"48 a token used many times at once", testTokenAtOnce},
		{"48 a token after its time", testTokenTooLate},
		{"48 a token to take a name that is taken", testTokenForTakenName},
		{"48 a form on another page", testFormOfAnotherPage},
		{"48 tokens are guessed", testGuessedTokens},
		{"48 a contact's token shown by many at once", testContactTokenAtOnce},
		{"49 look-alikes", testLookAlikes},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

// invite makes an invitation by the command line.
func (v *victim) invite(t *testing.T, args ...string) auth.Invitation {
	t.Helper()
	out, err := v.Command(v.ctx, "", append([]string{"invite", "--json"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	var in auth.Invitation
	if err := json.Unmarshal([]byte(out), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// web asks for a token's page from an address, or posts its form when there is one.
func (v *victim) web(t *testing.T, ip net.IP, path string, form url.Values, headers ...string) (status int, body string) {
	t.Helper()
	method, content := http.MethodGet, ""
	if form != nil {
		method, content = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(v.ctx, method, "http://"+v.Addr("http-plain")+"/invite/"+path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}
	tr := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func account(name string) url.Values {
	return url.Values{"name": {name}, "password": {"blue horse tape"}, "again": {"blue horse tape"}}
}

// redeem makes an account in band and returns the first refusal's condition.
func (v *victim) redeem(t *testing.T, ip net.IP, token, name string) (refused string) {
	t.Helper()
	c, err := xmppclient.Dial(v.ctx, xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain, Plain: true, From: ip})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	for _, text := range []string{
		"<iq type='set' id='p' to='example.org'><preauth xmlns='urn:xmpp:pars:0' token='" + token + "'/></iq>",
		"<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>" + name + "</username><password>blue horse tape</password></query></iq>",
	} {
		if err := c.Send(text); err != nil {
			t.Fatal(err)
		}
		if n := next(t, c); n.Attr("type") != "result" {
			return condition(n)
		}
	}
	return ""
}

// condition is the stanza error of a reply.
func condition(n *xmppclient.Node) string {
	if e := n.Child("jabber:client", "error"); e != nil {
		for _, c := range []string{"item-not-found", "conflict", "not-acceptable", "not-allowed", "resource-constraint"} {
			if e.Child("urn:ietf:params:xml:ns:xmpp-stanzas", c) != nil {
				return c
			}
		}
	}
	return n.String()
}

func (v *victim) names(t *testing.T) map[string]bool {
	t.Helper()
	out, err := v.Command(v.ctx, "", "account", "list")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, n := range strings.Fields(out) {
		all[n] = true
	}
	return all
}

// unlogged fails when a token is anywhere in the log.
func (v *victim) unlogged(t *testing.T, token string) {
	t.Helper()
	if strings.Contains(v.Log(), token) {
		t.Error("a token is in the log")
	}
}

// testTokenAtOnce races for a token that is good for two, on both ways.
func testTokenAtOnce(t *testing.T, v *victim) {
	in := v.invite(t, "--uses", "2")
	before := len(v.names(t))
	var wg sync.WaitGroup
	for i := range 6 {
		name := "racer" + string(rune('a'+i))
		wg.Go(func() {
			if i%2 == 0 {
				v.web(t, from(20+i, 1), in.Token, account(name))
			} else {
				v.redeem(t, from(20+i, 1), in.Token, name)
			}
		})
	}
	wg.Wait()
	if n := len(v.names(t)) - before; n != 2 {
		t.Errorf("%d accounts of an invitation for two", n)
	}
	v.unlogged(t, in.Token)
}

func testTokenTooLate(t *testing.T, v *victim) {
	in := v.invite(t, "--expires", "1s")
	within(t, "the invitation to be out of date", func() bool {
		status, _ := v.web(t, from(30, 1), in.Token+"/qr.svg", nil)
		return status == http.StatusNotFound
	})
	if status, _ := v.web(t, from(31, 1), in.Token, account("latecomer")); status != http.StatusNotFound {
		t.Error("by the page:", status)
	}
	if c := v.redeem(t, from(31, 1), in.Token, "latecomer"); c != "item-not-found" {
		t.Error("in band:", c)
	}
	if v.names(t)["latecomer"] {
		t.Error("an account was made")
	}
}

func testTokenForTakenName(t *testing.T, v *victim) {
	in := v.invite(t)
	if status, _ := v.web(t, from(32, 1), in.Token, account("Alice")); status != http.StatusUnprocessableEntity {
		t.Error("by the page:", status)
	}
	if c := v.redeem(t, from(32, 1), in.Token, "alice"); c != "conflict" {
		t.Error("in band:", c)
	}
	c, err := v.try(from(32, 1), "alice", password)
	if err != nil {
		t.Fatal("she cannot log in any more:", err)
	}
	c.Kill()
	if status, _ := v.web(t, from(32, 1), in.Token, account("alicia")); status != http.StatusSeeOther {
		t.Error("the invitation is used up:", status)
	}
}

func testFormOfAnotherPage(t *testing.T, v *victim) {
	in := v.invite(t)
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		if status, _ := v.web(t, from(33, 1), in.Token, account("forced"), headers...); status != http.StatusForbidden {
			t.Error(headers, status)
		}
	}
	if v.names(t)["forced"] {
		t.Error("an account was made")
	}
}

// testGuessedTokens tries more tokens than an address may. Somebody elsewhere
// is not kept from using his.
func testGuessedTokens(t *testing.T, v *victim) {
	in := v.invite(t)
	_, first := v.web(t, from(34, 1), "GUESS", nil)
	last := 0
	for i := range 60 {
		status, body := v.web(t, from(34, 1), "GUESS"+strconv.Itoa(i), nil)
		if status == http.StatusNotFound && body != first {
			t.Fatal("the answers differ")
		}
		last = status
	}
	if last != http.StatusTooManyRequests {
		t.Error("guessing goes on:", last)
	}
	if status, _ := v.web(t, from(35, 1), in.Token, nil); status != http.StatusOK {
		t.Error(status)
	}
}

// testContactTokenAtOnce lets two show one token, which makes one of them a contact.
func testContactTokenAtOnce(t *testing.T, v *victim) {
	in := v.invite(t, "--for", "mallory")
	var wg sync.WaitGroup
	granted := make(chan string, 2)
	for _, name := range []string{"carol", "dora"} {
		wg.Go(func() {
			c := v.connect(t, name)
			if err := c.Send("<iq type='get' id='x'><query xmlns='jabber:iq:roster'/></iq>" +
				"<presence type='subscribe' to='mallory@example.org'><preauth xmlns='urn:xmpp:pars:0' token='" + in.Token + "'/></presence>" +
				"<iq type='get' id='end' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
				t.Error(err)
				return
			}
			for n := next(t, c); n.Attr("id") != "end"; n = next(t, c) {
				if strings.Contains(n.String(), "both") {
					granted <- name
					break
				}
			}
		})
	}
	wg.Wait()
	close(granted)
	n := 0
	for range granted {
		n++
	}
	if n != 1 {
		t.Errorf("%d became contacts by a token for one", n)
	}
}

func testLookAlikes(t *testing.T, v *victim) {
	in := v.invite(t)
	for _, name := range []string{"a1ice", "al.ice", "AL1CE", "b0b", "rna11ory", "аlice", "adm1n"} {
		if status, _ := v.web(t, from(36, 1), in.Token, account(name)); status != http.StatusUnprocessableEntity {
			t.Errorf("%s by the page: %d", name, status)
		}
		if c := v.redeem(t, from(37, 1), in.Token, name); c != "conflict" && c != "not-acceptable" {
			t.Errorf("%s in band: %s", name, c)
		}
	}
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if _, err := v.Command(ctx, "secret\n", "account", "add", "a1ice@example.org", "--password-stdin"); err == nil {
		t.Error("the operator is not warned")
	}
	if status, _ := v.web(t, from(38, 1), in.Token, account("zoe")); status != http.StatusSeeOther {
		t.Error("an innocent name:", status)
	}
}
