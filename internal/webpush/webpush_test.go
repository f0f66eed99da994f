package webpush

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mirsal/internal/webpush/pushtest"
)

func bytesOf(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291 §5 and its appendix A.
func TestTheExampleOfTheRFC(t *testing.T) {
	receiver, err := ecdh.P256().NewPrivateKey(bytesOf(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	sender, err := ecdh.P256().NewPrivateKey(bytesOf(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	auth := bytesOf(t, "BTBZMqHH6r4Tts7J_aSIgg")
	browser := pushtest.NewBrowser(receiver, auth)
	if browser.P256dh != "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4" {
		t.Fatal("the receiver's key is", browser.P256dh)
	}
	s, err := Parse("https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", browser.P256dh, browser.Auth)
	if err != nil {
		t.Fatal(err)
	}
	const message = "When I grow up, I want to be a watermelon"
	want := bytesOf(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	got, err := s.seal([]byte(message), 0, bytesOf(t, "DGv6ra1nlYgDCS1FRnbzlw"), sender)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if plain, err := browser.Decrypt(want); string(plain) != message || err != nil {
		t.Errorf("the stand-in reads %q, %v", plain, err)
	}
}

func TestSubscriptionsThatAreNoneAreRefused(t *testing.T) {
	key, _ := ecdh.P256().GenerateKey(nil)
	b := pushtest.NewBrowser(key, make([]byte, 16))
	if _, err := Parse("https://push.example.net/x", b.P256dh+"==", b.Auth+"=="); err != nil {
		t.Error("padding:", err)
	}
	for name, c := range map[string][3]string{
		"http":          {"http://push.example.net/x", b.P256dh, b.Auth},
		"no host":       {"https:///x", b.P256dh, b.Auth},
		"a login":       {"https://a:b@push.example.net/x", b.P256dh, b.Auth},
		"a file":        {"file:///etc/passwd", b.P256dh, b.Auth},
		"too long":      {"https://push.example.net/" + strings.Repeat("x", MaxEndpoint), b.P256dh, b.Auth},
		"no key":        {"https://push.example.net/x", "", b.Auth},
		"off the curve": {"https://push.example.net/x", base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...)), b.Auth},
		"short auth":    {"https://push.example.net/x", b.P256dh, b.Auth[:20]},
		"no base64":     {"https://push.example.net/x", b.P256dh, "!!!!!!!!!!!!!!!!!!!!!!"},
	} {
		if _, err := Parse(c[0], c[1], c[2]); err == nil {
			t.Error(name, "is taken")
		}
	}
}

// world is a sender and a push service that trust each other.
func world(t *testing.T, change func(*Config)) (*Client, *pushtest.Service, Subscription) {
	t.Helper()
	service := pushtest.New(t)
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(service.Certificate())
	cfg := Config{Key: key, Subject: "mailto:admin@example.org", AllowPrivate: true, TLS: &tls.Config{RootCAs: trust}}
	if change != nil {
		change(&cfg)
	}
	c := NewClient(cfg)
	t.Cleanup(c.Close)
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	b := service.Subscribe(t, public)
	s, err := Parse(b.Endpoint, b.P256dh, b.Auth)
	if err != nil {
		t.Fatal(err)
	}
	return c, service, s
}

func TestTheAudienceIsAnOriginAsBrowsersWriteIt(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://Push.example.org/x": "https://push.example.org", "https://push.example.org:443/x": "https://push.example.org",
		"https://push.example.org:8443/x": "https://push.example.org:8443", "https://[2001:db8::1]:443/x": "https://[2001:db8::1]",
	} {
		if got := (&Subscription{Endpoint: endpoint}).origin(); got != want {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
}

func TestAPushServiceKnowsTheSenderAndTheBrowserReadsTheMessage(t *testing.T) {
	c, service, s := world(t, nil)
	for _, size := range []int{0, 1, 30, 511, 512, MaxPayload} {
		m := Message{Payload: bytes.Repeat([]byte("x"), size), TTL: time.Hour, Urgency: High, Topic: "mirsal"}
		if r := c.Send(t.Context(), s, m); r.Outcome != Sent || r.Status != 201 {
			t.Fatalf("%d bytes: %+v", size, r)
		}
		got, err := service.Got()
		if err != nil || len(got) != 1 || !bytes.Equal(got[0].Message, m.Payload) {
			t.Fatalf("%d bytes: %d pushes, %v", size, len(got), err)
		}
		h := got[0].Header
		if h.Get("TTL") != "3600" || h.Get("Urgency") != "high" || h.Get("Topic") != "mirsal" || got[0].Subject != "mailto:admin@example.org" {
			t.Errorf("%v %v", h, got[0].Subject)
		}
	}
	if r := c.Send(t.Context(), s, Message{Payload: make([]byte, MaxPayload+1)}); r.Outcome != Refused {
		t.Errorf("too long: %+v", r)
	}
}

func TestLengthsTellLittle(t *testing.T) {
	c, service, s := world(t, nil)
	for _, payload := range []string{"", `{"count":1}`, strings.Repeat("x", 500)} {
		c.Send(t.Context(), s, Message{Payload: []byte(payload)})
		got, err := service.Got()
		if err != nil || len(got) != 1 || got[0].Size != headerSize+padded+tagSize {
			t.Errorf("%d bytes: %+v %v", len(payload), got, err)
		}
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		status int
		after  string
		want   Outcome
		wait   time.Duration
	}{
		{201, "", Sent, 0},
		{202, "", Sent, 0},
		{301, "", Refused, 0},
		{307, "", Refused, 0},
		{400, "", Refused, 0},
		{401, "", Refused, 0},
		{403, "", Refused, 0},
		{404, "", Gone, 0},
		{410, "", Gone, 0},
		{413, "", Refused, 0},
		{429, "120", NotNow, 2 * time.Minute},
		{429, "Wed, 02 Jan 2030 03:05:05 GMT", NotNow, time.Minute},
		{429, "99999999999999999999", NotNow, 0},
		{429, "9999999", NotNow, maxAfter},
		{429, "-5", NotNow, 0},
		{500, "", NotNow, 0},
		{503, "7", NotNow, 7 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.after)
		r := judge(&http.Response{StatusCode: c.status, Header: h}, now)
		if r.Outcome != c.want || r.After != c.wait || (r.Reason == "") != (c.want == Sent) {
			t.Errorf("%d %q: %+v", c.status, c.after, r)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	c, service, s := world(t, nil)
	for _, status := range []int{301, 302, 307, 308} {
		service.Answer(pushtest.Answer{Status: status, Location: elsewhere.URL})
		if r := c.Send(t.Context(), s, Message{}); r.Outcome != Refused {
			t.Errorf("%d: %+v", status, r)
		}
	}
	if asked {
		t.Error("a redirect was followed")
	}
}

func TestPrivateNetworksAreOutOfReach(t *testing.T) {
	c, service, s := world(t, func(cfg *Config) { cfg.AllowPrivate = false })
	if r := c.Send(t.Context(), s, Message{}); r.Outcome != NotThere || r.Reason != errPrivate.Error() {
		t.Errorf("%+v", r)
	}
	if got, err := service.Got(); len(got) > 0 || err != nil {
		t.Error(got, err)
	}
	for a, want := range map[string]bool{
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "::1": false, "::": false, "fe80::1": false,
		"fd00::1": false, "ff02::1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "::7f00:1": false,
		"8.8.8.8": true, "2606:4700::1111": true, "142.250.1.1": true,
	} {
		if got := public(netip.MustParseAddr(a).Unmap()); got != want {
			t.Errorf("%s: public %v", a, got)
		}
	}
}

func TestAServiceThatDoesNotAnswerEndsInTime(t *testing.T) {
	c, service, s := world(t, nil)
	service.Answer(pushtest.Answer{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Result)
	go func() { done <- c.Send(ctx, s, Message{}) }()
	cancel()
	if r := <-done; r.Outcome != NotThere || strings.Contains(r.Reason, "/push/") {
		t.Errorf("%+v", r)
	}
	service.Close()
	if r := c.Send(t.Context(), s, Message{}); r.Outcome != NotThere || strings.Contains(r.Reason, "/push/") {
		t.Errorf("%+v", r)
	}
}

func TestAKeyIsKept(t *testing.T) {
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(b)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := k.Public()
	y, _ := again.Public()
	if x != y || len(x) != 87 {
		t.Error(x, y)
	}
	if _, err := ParseKey(b[1:]); err == nil {
		t.Error("a key that is cut short is taken")
	}
}
