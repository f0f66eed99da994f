package link

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

func offer(t *testing.T, address string) *Offer {
	t.Helper()
	o, err := NewOffer(rand.Reader, Code{Address: jid.MustParse(address), Server: "127.0.0.1:5222", Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var tablet = Hello{Label: "tablet", Software: "mirsal chat", Device: "uuid"}

func join(t *testing.T, c Code) (*Join, []byte) {
	t.Helper()
	j, box, err := NewJoin(rand.Reader, c, tablet)
	if err != nil {
		t.Fatal(err)
	}
	return j, box
}

// pair goes as far as the digits.
func pair(t *testing.T) (*Asked, *Join) {
	t.Helper()
	o := offer(t, "alice@example.org")
	c, err := ParseCode(o.Code.String())
	if err != nil || c != o.Code {
		t.Fatal(c, err)
	}
	j, box := join(t, c)
	a, hello, err := o.Answer(rand.Reader, box, "phone")
	if err != nil {
		t.Fatal(err)
	}
	check, err := j.Hello(hello)
	if err != nil || check != a.Check || len(check) != 7 {
		t.Fatalf("%q %q %v", check, a.Check, err)
	}
	return a, j
}

func TestWhoHasSeenTheCodeAgreesWithWhoShowsIt(t *testing.T) {
	a, j := pair(t)
	if a.Hello != tablet || j.Label != "phone" {
		t.Error(a.Hello, j.Label)
	}
	box, old, err := a.Accept(rand.Reader, Welcome{Address: "alice@example.org", Peer: "alice@example.org/phone", Fingerprint: "ab"})
	if err != nil {
		t.Fatal(err)
	}
	w, young, err := j.Welcome(box)
	if err != nil || w.Peer != "alice@example.org/phone" {
		t.Fatal(w, err)
	}
	for _, way := range [][2]*Channel{{old, young}, {young, old}} {
		box, err := way[0].Seal(rand.Reader, "chunk", 7, []byte("history"))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := way[1].Open("chunk", 7, box); err != nil || string(plain) != "history" {
			t.Error(string(plain), err)
		}
		for _, wrong := range []func() ([]byte, error){
			func() ([]byte, error) { return way[1].Open("chunk", 8, box) },
			func() ([]byte, error) { return way[1].Open("ask", 7, box) },
			func() ([]byte, error) { return way[0].Open("chunk", 7, box) }, // played back to its sender
			func() ([]byte, error) { return way[1].Open("chunk", 7, box[:8]) },
		} {
			if _, err := wrong(); !errors.Is(err, ErrTampered) {
				t.Error("a box opens where it was not meant:", err)
			}
		}
	}
}

// Attack: the server, which knows the token and carries everything, puts itself in between.
func TestAServerThatHasNotSeenTheCodeGetsNowhere(t *testing.T) {
	o := offer(t, "alice@example.org")
	blind := o.Code
	blind.Secret = [secretSize]byte{}
	_, box := join(t, blind)
	if _, _, err := o.Answer(rand.Reader, box, "phone"); !errors.Is(err, ErrTampered) {
		t.Error("the secret of the code is not asked for:", err)
	}
	j, box := join(t, o.Code)
	_, other := join(t, o.Code)
	swapped := append(bytes.Clone(other[:keySize]), box[keySize:]...)
	if _, _, err := o.Answer(rand.Reader, swapped, "phone"); !errors.Is(err, ErrTampered) {
		t.Error("a key that was exchanged is taken:", err)
	}
	server := offer(t, "alice@example.org")
	server.Code.Secret = o.Code.Secret // even then, without the key
	server.Code.Token = o.Code.Token
	if _, _, err := server.Answer(rand.Reader, box, "phone"); !errors.Is(err, ErrTampered) {
		t.Error("another old device takes the answer:", err)
	}
	_, hello, err := offerAnswered(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Hello(hello); !errors.Is(err, ErrTampered) {
		t.Error("the hello of another link is taken:", err)
	}
}

func offerAnswered(t *testing.T) (*Asked, []byte, error) {
	o := offer(t, "alice@example.org")
	_, box := join(t, o.Code)
	return o.Answer(rand.Reader, box, "phone")
}

// Attack: the token of one link is put into the code of another, or the address.
func TestACodeWhoseAccountOrTokenWasExchangedAgreesWithNobody(t *testing.T) {
	for _, change := range []func(*Code){
		func(c *Code) { c.Token = "other" },
		func(c *Code) { c.Address = jid.MustParse("mallory@example.org") },
		func(c *Code) { c.Key[0] ^= 1 },
	} {
		o := offer(t, "alice@example.org")
		c := o.Code
		change(&c)
		_, box := join(t, c)
		if _, _, err := o.Answer(rand.Reader, box, "phone"); !errors.Is(err, ErrTampered) {
			t.Error(err)
		}
	}
}

func TestBoxesOfAnEarlierLinkAreNotTakenAgain(t *testing.T) {
	o := offer(t, "alice@example.org")
	j, box := join(t, o.Code)
	first, hello, err := o.Answer(rand.Reader, box, "phone")
	if err != nil {
		t.Fatal(err)
	}
	welcome, _, err := first.Accept(rand.Reader, Welcome{Address: "alice@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	later := offer(t, "alice@example.org")
	if _, _, err := later.Answer(rand.Reader, box, "phone"); !errors.Is(err, ErrTampered) {
		t.Error("an old answer is taken:", err)
	}
	// the same answer again is challenged anew: neither the old hello nor the old welcome fits
	again, _, err := o.Answer(rand.Reader, box, "phone")
	if err != nil || again.Check == first.Check {
		t.Error("the digits do not hang on what the old device draws:", err)
	}
	if _, err := j.Hello(hello); err != nil {
		t.Fatal(err)
	}
	k := *j
	box2, _, err := again.Accept(rand.Reader, Welcome{Address: "alice@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Welcome(box2); !errors.Is(err, ErrTampered) {
		t.Error("a welcome behind another hello is taken:", err)
	}
	if _, _, err := j.Welcome(welcome); err != nil {
		t.Error(err)
	}
}

func TestAWelcomeIntoAnotherAccountIsRefused(t *testing.T) {
	a, j := pair(t)
	box, _, err := a.Accept(rand.Reader, Welcome{Address: "mallory@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Welcome(box); !errors.Is(err, ErrTampered) {
		t.Error(err)
	}
}

// Attack: a key of low order makes the shared secret a constant.
func TestAKeyThatForcesTheSecretIsRefused(t *testing.T) {
	o := offer(t, "alice@example.org")
	if _, _, err := o.Answer(rand.Reader, make([]byte, 200), "phone"); !errors.Is(err, ErrTampered) {
		t.Error(err)
	}
	c := o.Code
	c.Key = [keySize]byte{}
	if _, _, err := NewJoin(rand.Reader, c, tablet); !errors.Is(err, ErrTampered) {
		t.Error(err)
	}
}

// Attack: a label that reads as part of the question, or turns it around.
func TestALabelIsOneShortLineOfPlainCharacters(t *testing.T) {
	o := offer(t, "alice@example.org")
	j, box, err := NewJoin(rand.Reader, o.Code, Hello{Label: "my\nphone\u202e\u2066 \x1b[2J" + strings.Repeat("x", 500), Software: "\x00\u200f", Device: "d"})
	if err != nil {
		t.Fatal(err)
	}
	a, hello, err := o.Answer(rand.Reader, box, "ph\x07one")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Hello.Label, "myphone [2Jxxx") || len(a.Hello.Label) != mostLabel || a.Hello.Software != "" {
		t.Errorf("%q %q", a.Hello.Label, a.Hello.Software)
	}
	if _, err := j.Hello(hello); err != nil || j.Label != "phone" {
		t.Error(j.Label, err)
	}
}

func TestWhatIsNoCodeIsRefused(t *testing.T) {
	good := offer(t, "alice@example.org").Code.String()
	page := strings.Replace(good, prefix, "https://chat.example.org:5443/#link=", 1)
	for _, text := range []string{" " + good + "\n", page, " " + strings.Replace(page, "https:", "http:", 1) + "\n"} {
		if c, err := ParseCode(text); err != nil || c.String() != good {
			t.Errorf("%q: %v %v", text, c, err)
		}
	}
	for _, bad := range []string{
		"", "xmpp:alice@example.org?omemo-sid-1=00", "mirsal:link?", good + "&a=mallory%40example.org", good + "&p=AA",
		strings.Replace(good, "alice%40", "", 1), strings.Replace(good, "example.org", "example.org%2Fphone", 1),
		strings.Replace(good, "&t=token", "", 1), strings.Replace(good, "&k=", "&k=A", 1), good + "&s=" + strings.Repeat("x", mostCode), "https://example.org/" + good,
		page + "&t=token", strings.Replace(page, "https:", "ftp:", 1), strings.Replace(page, "/#link=", "/x/#link=", 1), strings.Replace(page, "chat.example.org:5443", "", 1),
		strings.Replace(page, "#link", "#invite", 1), "https://example.org/#link=" + url.QueryEscape(good),
	} {
		if _, err := ParseCode(bad); !errors.Is(err, ErrCode) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAChannelSurvivesBeingStored(t *testing.T) {
	a, j := pair(t)
	box, old, _ := a.Accept(rand.Reader, Welcome{Address: "alice@example.org"})
	_, young, err := j.Welcome(box)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(young)
	if err != nil {
		t.Fatal(err)
	}
	var again Channel
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	sealed, err := again.Seal(rand.Reader, "ask", 1, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := old.Open("ask", 1, sealed); err != nil || string(plain) != "x" {
		t.Error(err)
	}
}

func FuzzCode(f *testing.F) {
	f.Add("mirsal:link?a=alice%40example.org&t=x&k=AAAA&p=AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			return
		}
		if again, err := ParseCode(c.String()); len(c.String()) <= mostCode && (err != nil || again != c) {
			t.Errorf("%q reads back as %q: %v", s, again, err)
		}
	})
}
