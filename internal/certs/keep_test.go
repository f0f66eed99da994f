package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/xmpp/jid"
)

// given uses the pair in dir as an operator's.
func given(t *testing.T, dir string) (*keeper, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c, err := Given(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"),
		Options{Domain: jid.MustParse("example.org"), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{Certs: c}
	k.look(time.Now())
	return k, &log
}

func TestGivenFilesAreReadAgainWhenTheyHaveChangedAndSettled(t *testing.T) {
	dir := t.TempDir()
	o := own(t, dir, "example.org")
	k, log := given(t, dir)
	before := k.EndPoint()
	reissue(t, dir, o)
	k.look(time.Now())
	if !bytes.Equal(before, k.EndPoint()) {
		t.Error("read while they are being written")
	}
	k.look(time.Now())
	if bytes.Equal(before, k.EndPoint()) || !bytes.Equal(o.EndPoint(), k.EndPoint()) {
		t.Error("not read again")
	}
	if k.look(time.Now()); strings.Count(log.String(), "read again") != 1 {
		t.Error(log.String())
	}
}

func TestABrokenPairLeavesTheOldOneInUse(t *testing.T) {
	for what, harm := range map[string]func(dir string){
		"does not match": func(dir string) { copyFile(t, filepath.Join(other(t, "example.org"), "key.pem"), dir) },
		"does not name example.org": func(dir string) {
			from := other(t, "example.com")
			copyFile(t, filepath.Join(from, "key.pem"), dir)
			copyFile(t, filepath.Join(from, "cert.pem"), dir)
		},
		"no such file":   func(dir string) { os.Remove(filepath.Join(dir, "cert.pem")) },
		"failed to find": func(dir string) { write(t, dir, "cert.pem", []byte("half a"), 0o600) },
	} {
		dir := t.TempDir()
		own(t, dir, "example.org")
		k, log := given(t, dir)
		before := k.EndPoint()
		now := time.Now()
		harm(dir)
		for range 4 {
			k.look(now)
		}
		if !bytes.Equal(before, k.EndPoint()) || strings.Count(log.String(), what) != 1 || !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("%s: %s", what, log)
		}
	}
}

func TestACertificateThatHasEndedReplacesNoGoodOneButAnEndedOne(t *testing.T) {
	dir := t.TempDir()
	o := own(t, dir, "example.org")
	k, _ := given(t, dir)
	before := k.EndPoint()
	reissue(t, dir, o)
	end := o.current.Load().leaf.cert.Leaf.NotAfter
	long := *k.current.Load().leaf // one that is still good when the other has ended
	leaf := *long.cert.Leaf
	leaf.NotAfter = end.Add(time.Hour)
	long.cert.Leaf = &leaf
	k.current.Store(&table{leaf: &long})
	if err := k.Renew(end.Add(time.Minute)); err == nil || !bytes.Equal(before, k.EndPoint()) {
		t.Error("given up for one that has ended", err)
	}
	if err := k.Renew(end.Add(2 * time.Hour)); err != nil || bytes.Equal(before, k.EndPoint()) {
		t.Error("both have ended: the files are right", err)
	}
}

// other is a folder with a certificate of another CA.
func other(t *testing.T, domain string) string {
	dir := t.TempDir()
	own(t, dir, domain)
	return dir
}

func copyFile(t *testing.T, from, dir string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, filepath.Base(from), b, 0o600)
}

func TestTheEndIsAnnouncedWarnedOfAndToldDaily(t *testing.T) {
	dir := t.TempDir()
	own(t, dir, "example.org")
	k, log := given(t, dir)
	end := k.current.Load().leaf.cert.Leaf.NotAfter
	const day = 24 * time.Hour
	for _, c := range []struct {
		before time.Duration
		want   string // "" for silence
	}{
		{15 * day, ""},
		{13*day + time.Hour, "level=WARN"},
		{13 * day, ""},
		{12 * day, "level=WARN"},
		{3*day - time.Hour, "level=ERROR"},
		{3*day - 2*time.Hour, ""},
		{-time.Hour, "has ended"},
	} {
		log.Reset()
		k.look(end.Add(-c.before))
		if got := log.String(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") || strings.Count(got, "\n") > 1 {
			t.Errorf("%v before: %q", c.before, got)
		}
	}
	if !strings.Contains(log.String(), filepath.Join(dir, "cert.pem")) {
		t.Error("no remedy:", log)
	}
}

func TestShortLivesAreAlarmedLater(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	cert := &x509.Certificate{NotBefore: begin, NotAfter: begin.Add(6 * day)}
	for left, want := range map[time.Duration]Severity{2 * day: Fine, day: Soon, 8 * time.Hour: Urgent, 0: Over} {
		if got := SeverityOf(cert, cert.NotAfter.Add(-left)); got != want {
			t.Errorf("%v left: %v", left, got)
		}
	}
}

func TestTheEndIsAMetric(t *testing.T) {
	reg := prometheus.NewRegistry()
	c, err := Own(t.TempDir(), Options{Domain: jid.MustParse("example.org"), Metrics: NewMetrics(reg)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.GetName() == "mirsal_certificate_not_after_timestamp_seconds" {
			if got := m.Metric[0].GetGauge().GetValue(); got != float64(c.current.Load().leaf.cert.Leaf.NotAfter.Unix()) || m.Metric[0].Label[0].GetValue() != "example.org" {
				t.Error(m)
			}
			return
		}
	}
	t.Error("no such metric")
}

// bound is a handshake and the binding that either end makes of it.
func bound(t *testing.T, c *Certs, server, client *tls.Config) (got, seen []byte, resumed bool) {
	t.Helper()
	done := make(chan []byte, 1)
	a, b := ends(t)
	go func() {
		ctx, endPoint := c.Watch(context.Background())
		s := tls.Server(b, server)
		var got []byte
		if s.HandshakeContext(ctx) == nil {
			st := s.ConnectionState()
			got = endPoint(&st)
			s.Write([]byte("x")) // carries the ticket
		}
		done <- got
	}()
	conn := tls.Client(a, client)
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	st := conn.ConnectionState()
	return <-done, endPoint(st.PeerCertificates[0]), st.DidResume
}

func TestTheBindingFollowsTheCertificateShown(t *testing.T) {
	dir := t.TempDir()
	o := own(t, dir, "example.org")
	client := &tls.Config{InsecureSkipVerify: true, ServerName: "example.org"}
	first, seen, _ := bound(t, o, o.TLS(), client)
	if first == nil || !bytes.Equal(first, seen) {
		t.Error("bound to another certificate")
	}
	a, b := ends(t) // shown the old one, asked after the renewal
	ctx, endPoint := o.Watch(t.Context())
	go tls.Client(a, client).Handshake()
	s := tls.Server(b, o.TLS())
	if err := s.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	reissue(t, dir, o)
	st := s.ConnectionState()
	if !bytes.Equal(endPoint(&st), first) {
		t.Error("an old connection is bound to the new certificate")
	}
	if second, seen, _ := bound(t, o, o.TLS(), client); bytes.Equal(first, second) || !bytes.Equal(second, seen) {
		t.Error("a new connection is bound to the old certificate")
	}
}

func TestAResumedSessionBindsToTheCertificateItBeganWithOrToNone(t *testing.T) {
	dir := t.TempDir()
	o := own(t, dir, "example.org")
	server := o.TLS() // tickets are of one configuration
	client := &tls.Config{InsecureSkipVerify: true, ServerName: "example.org", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	again := func() (got, seen []byte, resumed bool) { return bound(t, o, server, client) }
	again()
	if got, seen, resumed := again(); !resumed || got == nil || !bytes.Equal(got, seen) {
		t.Error("resumed:", resumed)
	}
	reissue(t, dir, o)
	if got, seen, resumed := again(); !resumed || got != nil && !bytes.Equal(got, seen) {
		t.Error("bound to a certificate that the client never saw; resumed:", resumed)
	}
}
