package passkey

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

const origin = "https://example.org"

// house is a server with accounts, and a page in a browser.
type house struct {
	*coretest.World
	auth *auth.Auth
	kv   store.Store
	f    *Feature
	mux  *http.ServeMux
	at   string // origin of the page
}

func run(t *testing.T, f func(h *house)) {
	t.Helper()
	h := &house{mux: http.NewServeMux(), at: origin}
	coretest.Run(t, func(w *coretest.World) {
		h.World, h.kv = w, memory.New()
		var err error
		h.auth, err = auth.New(t.Context(), h.kv, jid.MustParse("example.org"), config.Auth{Iterations: auth.MinIterations})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"alice", "bob"} {
			h.add(name)
		}
		h.f = New(w.Router, h.kv, h.auth, Config{
			Base:       func(*http.Request) *url.URL { u, _ := url.Parse(h.at); return u },
			SameOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "" },
			Log:        slog.New(slog.DiscardHandler),
		})
		h.f.Register(w.Host)
		for pattern, handler := range w.Host.Handlers() {
			h.mux.Handle(pattern, handler)
		}
		h.auth.OnRemove(auth.Removal{Gone: func(bare jid.JID) {
			for _, f := range w.Host.AccountGone {
				f(bare)
			}
		}})
	}, func(*coretest.World) { f(h) })
}

func (h *house) add(name string) {
	if _, err := h.auth.Add(context.Background(), name, "secret"); err != nil {
		h.T.Fatal(err)
	}
}

// post is what a page does; the answer is as JSON.
func (h *house) post(path string, body any, headers ...string) (status int, answer map[string]any) {
	h.T.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		h.T.Fatal(err)
	}
	r := httptest.NewRequest("POST", h.at+"/passkey/"+path, bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		h.T.Fatal(w.Body)
	}
	return w.Code, answer
}

type object = map[string]any

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token is an authenticator in software, with one passkey.
type token struct {
	h          *house
	id, handle []byte
	key        *ecdsa.PrivateKey
	count      uint32
	origin, rp string
}

func (h *house) token() *token {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.T.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &token{h: h, id: id, key: key, origin: origin, rp: "example.org"}
}

func (k *token) says(kind, challenge string) (client, data []byte) {
	client, _ = json.Marshal(object{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	hash := sha256.Sum256([]byte(k.rp))
	flags := byte(0x05)
	if kind == "webauthn.create" {
		flags = 0x45
	}
	data = binary.BigEndian.AppendUint32(append(hash[:], flags), k.count)
	if kind == "webauthn.create" {
		data = binary.BigEndian.AppendUint16(append(data, make([]byte, 16)...), uint16(len(k.id)))
		data = append(append(data, k.id...), coseOf(k.h.T, &k.key.PublicKey, -7)...)
	}
	return client, data
}

// ticket asks for one on a session.
func ticketOf(c *coretest.Client) string {
	c.Send("<iq type='set' id='t'><ticket xmlns='" + ns + "'/></iq>")
	return attr(c.Got(), "token")
}

func attr(xml, name string) string {
	_, rest, _ := strings.Cut(xml, name+"='")
	v, _, _ := strings.Cut(rest, "'")
	return v
}

// added adds the passkey to the account of a session.
func (k *token) added(c *coretest.Client) (int, object) {
	k.h.T.Helper()
	ticket := ticketOf(c)
	status, options := k.h.post("register/begin", object{"ticket": ticket})
	if status != 200 {
		return status, options
	}
	return k.finishes(ticket, options["publicKey"].(object))
}

func (k *token) finishes(ticket string, o object) (int, object) {
	k.h.T.Helper()
	k.handle, _ = base64.RawURLEncoding.DecodeString(o["user"].(object)["id"].(string))
	client, data := k.says("webauthn.create", o["challenge"].(string))
	return k.h.post("register/finish", object{"ticket": ticket, "name": "key\u202e ring", "credential": object{
		"id": b64(k.id), "clientDataJSON": b64(client), "authenticatorData": b64(data),
	}})
}

// asserts makes what a page sends to sign in, by a challenge.
func (k *token) asserts(challenge, device string) object {
	client, data := k.says("webauthn.get", challenge)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		k.h.T.Fatal(err)
	}
	return object{"device": device, "label": "Firefox", "software": "Mirsal", "challenge": challenge, "credential": object{
		"id": b64(k.id), "clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(k.handle),
	}}
}

func (h *house) challenge() string {
	h.T.Helper()
	status, o := h.post("login/begin", object{})
	if status != 200 {
		h.T.Fatal(status, o)
	}
	return o["publicKey"].(object)["challenge"].(string)
}

func (k *token) signsIn(device string) (int, object) {
	k.h.T.Helper()
	return k.h.post("login/finish", k.asserts(k.h.challenge(), device))
}

// holder is a session of Alice's and a passkey that it has added.
func (h *house) holder() (*coretest.Client, *token) {
	h.T.Helper()
	c, k := h.Login("alice@example.org/phone"), h.token()
	if status, o := k.added(c); status != 200 {
		h.T.Fatal(status, o)
	}
	c.Got()
	return c, k
}

func TestAPasskeyThatASessionAddsLetsANewDeviceIn(t *testing.T) {
	run(t, func(h *house) {
		c, other, k := h.Login("alice@example.org/phone"), h.Login("alice@example.org/laptop"), h.token()
		if status, o := k.added(c); status != 200 || o["name"] != "key ring" || o["id"] != b64(k.id) {
			t.Fatal(status, o)
		}
		synctest.Wait()
		if got := other.Got(); !strings.Contains(got, "<added xmlns='"+ns+"' id='") || !strings.Contains(got, " name='key ring' by='phone'/>") {
			t.Error("the others are not told of it:", got)
		}
		c.Got()
		status, o := k.signsIn("device-1")
		if status != 200 || o["address"] != "alice@example.org" || o["device"] != "device-1" || o["mechanism"] != sasl.HTSHA256None {
			t.Fatal(status, o)
		}
		synctest.Wait()
		for _, session := range []*coretest.Client{c, other} {
			if got := session.Got(); !strings.Contains(got, "<linked xmlns='urn:mirsal:link:0' label='Firefox' software='Mirsal' by='passkey key ring'/>") {
				t.Error("a device is not told:", got)
			}
		}
		tokens, err := h.auth.Tokens("alice", auth.Agent{ID: "device-1"}, sasl.HTSHA256None)
		if err != nil || len(tokens) != 1 || string(tokens[0].Secret) != o["token"] {
			t.Error(tokens, err)
		}
		c.Send("<iq type='get' id='l'><passkeys xmlns='" + ns + "'/></iq>")
		if got := c.Got(); !strings.Contains(got, "<passkey id='"+b64(k.id)+"' name='key ring' site='example.org' added=") || !strings.Contains(got, " used='") {
			t.Error(got)
		}
	})
}

func TestATokenThatAPasskeyGotIsGoodForMinutes(t *testing.T) {
	run(t, func(h *house) {
		_, k := h.holder()
		if status, o := k.signsIn("device-1"); status != 200 {
			t.Fatal(status, o)
		}
		time.Sleep(life)
		if tokens, err := h.auth.Tokens("alice", auth.Agent{ID: "device-1"}, sasl.HTSHA256None); err != nil || len(tokens) != 1 || tokens[0].Refuse == "" {
			t.Error(tokens, err)
		}
	})
}

func TestWhatDoesNotProveWhoseItIsLetsNobodyIn(t *testing.T) {
	for name, change := range map[string]func(h *house, k *token){
		"another origin":         func(_ *house, k *token) { k.origin = "https://example.org.evil.example" },
		"another relying party":  func(_ *house, k *token) { k.rp = "evil.example" },
		"another key":            func(h *house, k *token) { k.key = h.token().key },
		"an unknown passkey":     func(h *house, k *token) { k.id = h.token().id },
		"another person's":       func(_ *house, k *token) { k.handle = []byte("bob") },
		"nobody's":               func(_ *house, k *token) { k.handle = nil },
		"a count that went back": func(_ *house, k *token) { k.count = 4 },
		"a page without TLS":     func(_ *house, k *token) { k.origin = "http://example.org" },
		"a clone's count":        func(_ *house, k *token) { k.count = 5 },
		"a disabled account": func(h *house, _ *token) {
			if err := h.auth.Disable(context.Background(), "alice"); err != nil {
				h.T.Fatal(err)
			}
		},
		"an account that is gone": func(h *house, _ *token) {
			if err := h.auth.Remove(context.Background(), "alice"); err != nil {
				h.T.Fatal(err)
			}
		},
		"one of the same name": func(h *house, _ *token) {
			if err := h.auth.Remove(context.Background(), "alice"); err != nil {
				h.T.Fatal(err)
			}
			time.Sleep(time.Second)
			h.add("alice")
		},
	} {
		run(t, func(h *house) {
			c, k := h.Login("alice@example.org/phone"), h.token()
			k.count = 5
			if status, o := k.added(c); status != 200 {
				t.Fatal(status, o)
			}
			k.count = 6
			change(h, k)
			if status, o := k.signsIn("device-1"); status != http.StatusForbidden || o["why"] != "refused" || o["token"] != nil {
				t.Errorf("%s: %d %v", name, status, o)
			}
		})
	}
}

// What was added while an account was being removed may be left behind.
func TestWhatIsLeftOfAFormerAccountIsNobodys(t *testing.T) {
	run(t, func(h *house) {
		c, k := h.holder()
		id := b64(k.id)
		left, err := h.f.keys.Get(t.Context(), "alice@example.org", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.auth.Remove(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		h.add("alice")
		if err := h.f.keys.Put(t.Context(), "alice@example.org", id, left.Value); err != nil {
			t.Fatal(err)
		}
		if err := h.f.owners.Put(t.Context(), "", id, []byte("alice")); err != nil {
			t.Fatal(err)
		}
		if status, o := k.signsIn("device-1"); status != http.StatusForbidden {
			t.Error(status, o)
		}
		c.Send("<iq type='get' id='l'><passkeys xmlns='" + ns + "'/></iq>")
		if got := c.Got(); strings.Contains(got, "<passkey ") {
			t.Error(got)
		}
	})
}

func TestAChallengeLetsInOnceInTimeAndOnItsOwnSite(t *testing.T) {
	run(t, func(h *house) {
		_, k := h.holder()
		challenge := h.challenge()
		once := k.asserts(challenge, "device-1")
		if status, o := h.post("login/finish", once); status != 200 {
			t.Fatal(status, o)
		}
		once["device"] = "device-2"
		if status, o := h.post("login/finish", once); status != 403 {
			t.Error("replayed:", status, o)
		}
		late := h.challenge()
		time.Sleep(life)
		if status, o := h.post("login/finish", k.asserts(late, "device-3")); status != 403 || o["why"] != "expired" {
			t.Error("late:", status, o)
		}
		for name, made := range map[string]string{"none": "", "own": b64(make([]byte, 40)), "changed": "A" + h.challenge()[1:]} {
			if status, o := h.post("login/finish", k.asserts(made, "device-4")); status != 403 {
				t.Error(name, status, o)
			}
		}
		elsewhere := h.challenge()
		h.at = "https://chat.example.org"
		if status, o := h.post("login/finish", k.asserts(elsewhere, "device-5")); status != 403 {
			t.Error("of another site:", status, o)
		}
	})
}

func TestADeviceThatTheAccountKnowsDoesNotComeBackUnseen(t *testing.T) {
	run(t, func(h *house) {
		_, k := h.holder()
		if _, err := h.auth.SignedIn(t.Context(), "alice", auth.Agent{ID: "known"}, "password"); err != nil {
			t.Fatal(err)
		}
		if status, o := k.signsIn("known"); status != http.StatusConflict || o["why"] != "device" {
			t.Error(status, o)
		}
	})
}

func TestATicketAddsOnePasskeyWhileItsSessionLives(t *testing.T) {
	run(t, func(h *house) {
		c, k := h.Login("alice@example.org/phone"), h.token()
		ticket := ticketOf(c)
		_, first := h.post("register/begin", object{"ticket": ticket})
		if status, _ := h.post("register/begin", object{"ticket": ticket}); status != 403 {
			t.Error("begun twice:", status)
		}
		if status, o := k.finishes(ticket, first["publicKey"].(object)); status != 200 {
			t.Fatal(status, o)
		}
		if status, _ := h.token().finishes(ticket, first["publicKey"].(object)); status != 403 {
			t.Error("finished twice:", status)
		}
		late := ticketOf(c)
		time.Sleep(life)
		if status, _ := h.post("register/begin", object{"ticket": late}); status != 403 {
			t.Error("late:", status)
		}
		for _, made := range []string{"", "AAAA"} {
			if status, _ := h.post("register/begin", object{"ticket": made}); status != 403 {
				t.Error("no ticket:", status)
			}
		}
		orphan := ticketOf(c)
		for _, f := range h.Host.Gone {
			f(h.Router.Directory().Sessions(jid.MustParse("alice@example.org"))[0])
		}
		if status, _ := h.post("register/begin", object{"ticket": orphan}); status != 403 {
			t.Error("of a session that is gone:", status)
		}
	})
}

func TestATicketIsGoodOnTheSiteThatHasBegun(t *testing.T) {
	run(t, func(h *house) {
		k := h.token()
		ticket := ticketOf(h.Login("alice@example.org/phone"))
		_, o := h.post("register/begin", object{"ticket": ticket})
		k.origin, h.at = "http://example.org", "http://example.org"
		if status, o := k.finishes(ticket, o["publicKey"].(object)); status != 403 || o["why"] != "refused" {
			t.Error(status, o)
		}
	})
}

func TestABrowserIsAskedForAPersonAndNoAttestation(t *testing.T) {
	run(t, func(h *house) {
		c, k := h.holder()
		_, o := h.post("register/begin", object{"ticket": ticketOf(c)})
		options := o["publicKey"].(object)
		want := object{"residentKey": "required", "requireResidentKey": true, "userVerification": "required"}
		if got := options["authenticatorSelection"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Error(got)
		}
		if options["attestation"] != "none" || options["rp"].(object)["id"] != "example.org" {
			t.Error(options)
		}
		if got := fmt.Sprint(options["excludeCredentials"]); got != "[map[id:"+b64(k.id)+" type:public-key]]" {
			t.Error("what is there already:", got)
		}
		_, o = h.post("login/begin", object{})
		if got := o["publicKey"].(object); got["userVerification"] != "required" || got["rpId"] != "example.org" || got["allowCredentials"] != nil {
			t.Error(got)
		}
		h.at = "http://localhost:5280"
		if status, o := h.post("login/begin", object{}); status != 200 || o["publicKey"].(object)["rpId"] != "localhost" {
			t.Error(status, o)
		}
	})
}

func TestAPasskeyHasOneOwnerAndAnAccountSoMany(t *testing.T) {
	run(t, func(h *house) {
		c, k := h.holder()
		if status, o := k.added(h.Login("bob@example.org/phone")); status != http.StatusConflict || o["why"] != "known" {
			t.Error("a passkey of somebody else's:", status, o)
		}
		for range most - 1 {
			if status, o := h.token().added(c); status != 200 {
				t.Fatal(status, o)
			}
			c.Got()
		}
		if status, o := h.token().added(c); status != http.StatusConflict || o["why"] != "full" {
			t.Error("one more:", status, o)
		}
	})
}

func TestARemovedPasskeyLetsNobodyInAndOthersCannotRemoveIt(t *testing.T) {
	run(t, func(h *house) {
		c, k := h.holder()
		bob := h.Login("bob@example.org/phone")
		for _, to := range []string{"", " to='alice@example.org'"} {
			bob.Send("<iq type='set' id='r'" + to + "><remove xmlns='" + ns + "' id='" + b64(k.id) + "'/></iq>")
			if got := bob.Got(); !strings.Contains(got, "type='error'") {
				t.Error(got)
			}
		}
		if status, _ := k.signsIn("device-1"); status != 200 {
			t.Fatal(status)
		}
		c.Got()
		c.Send("<iq type='set' id='r'><remove xmlns='" + ns + "' id='" + b64(k.id) + "'/></iq>")
		if got := c.Got(); !strings.Contains(got, "type='result'") {
			t.Error(got)
		}
		if status, _ := k.signsIn("device-2"); status != 403 {
			t.Error(status)
		}
	})
}

func TestNothingOfARemovedAccountStays(t *testing.T) {
	run(t, func(h *house) {
		h.holder()
		if err := h.auth.Remove(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		for _, space := range []string{"passkey", "passkey-owner"} {
			if owners, err := h.kv.ReadOwners(t.Context(), space); err != nil || len(owners) != 0 {
				t.Error(space, owners, err)
			}
		}
	})
}

func TestOnlyOurOwnPagesAsk(t *testing.T) {
	run(t, func(h *house) {
		for _, path := range []string{"register/begin", "register/finish", "login/begin", "login/finish"} {
			if status, o := h.post(path, object{}, "Origin", "https://evil.example"); status != 403 || o["why"] != "origin" {
				t.Error(path, status, o)
			}
			if status, o := h.post(path, object{}, "Content-Type", "text/plain"); status != 400 {
				t.Error(path, "as a form can:", status, o)
			}
			if status, o := h.post(path, object{"ticket": strings.Repeat("x", maxBody)}); status != 400 {
				t.Error(path, "too much:", status, o)
			}
		}
		h.at = "http://127.0.0.1:5280"
		if status, o := h.post("login/begin", object{}); status != 404 || o["why"] != "unavailable" {
			t.Error("an address is no relying party:", status, o)
		}
	})
}

func TestASessionHasFewTickets(t *testing.T) {
	run(t, func(h *house) {
		c := h.Login("alice@example.org/phone")
		for i := range tickets + 1 {
			if got := ticketOf(c); (got == "") != (i >= tickets) {
				t.Error(fmt.Sprint(i), got)
			}
		}
	})
}
