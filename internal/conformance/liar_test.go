package conformance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"mirsal/internal/conformance"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// liar is a server that announces everything and can do nothing: whoever has
// signed in gets long lists of features, and errors for all else.
type liar struct {
	addr  string
	roots *x509.CertPool
	creds sasl.Credentials
	// mechanisms to offer in place of SCRAM
	mechanisms []string
	heard      chan string // elements before the sign-in
}

// lies are the features that it announces.
var lies = []string{
	"http://jabber.org/protocol/disco#info", "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:carbons:2", "urn:xmpp:blocking", "vcard-temp", "urn:xmpp:push:0",
	"urn:xmpp:http:upload:0", "http://jabber.org/protocol/muc", "urn:xmpp:extdisco:2", "jabber:iq:private", "urn:xmpp:bookmarks:1#compat",
	"urn:xmpp:pep-vcard-conversion:0", "http://jabber.org/protocol/pubsub#config-node-max", "urn:xmpp:cam:0",
}

func lie(t *testing.T, mechanisms ...string) *liar {
	t.Helper()
	creds, err := sasl.Derive("secret", []byte("sixteen bytes ..."), []byte("sixteen bytes ..."), 4096)
	if err != nil {
		t.Fatal(err)
	}
	cert, roots := certificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &liar{l.Addr().String(), roots, creds, mechanisms, make(chan string, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"liar.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(999 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (l *liar) serve(c net.Conn) {
	defer c.Close()
	sc, x := xtok.New(xtok.Limits{}), (*sasl.Exchange)(nil)
	in := false
	var buf []byte
	var room [4096]byte
	for {
		ev, n, err := sc.Next(buf)
		if err != nil || ev == xtok.Close {
			return
		}
		e := sc.Root()
		switch {
		case ev == xtok.More:
			n, err := c.Read(room[:])
			if err != nil {
				return
			}
			buf = append(buf, room[:n]...)
			continue
		case ev == xtok.Open:
			fmt.Fprint(c, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='"+stream.NS+"' id='1' from='liar.example' version='1.0'>"+l.features(in))
		case ev == xtok.Element && !in:
			l.heard <- string(e.Raw())
			if in = l.authenticate(c, e, &x); in {
				sc.Restart()
			}
		case ev == xtok.Element:
			fmt.Fprint(c, l.answer(e))
		}
		buf = buf[n:]
	}
}

func (l *liar) features(in bool) string {
	if in {
		return "<stream:features><bind xmlns='" + stream.NSBind + "'/><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>" +
			"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:liar' ver='QUJDREVGR0hJSktMTU5PUFFSU1Q='/></stream:features>"
	}
	list := l.mechanisms
	if list == nil {
		list = []string{"SCRAM-SHA-256"}
	}
	return "<stream:features><mechanisms xmlns='" + stream.NSSASL + "'><mechanism>" + strings.Join(list, "</mechanism><mechanism>") + "</mechanism></mechanisms></stream:features>"
}

func (l *liar) authenticate(c net.Conn, e xtok.Elem, x **sasl.Exchange) bool {
	if e.Local() == "auth" {
		*x, _ = sasl.Start(e.Attr("mechanism"), jid.MustParse("liar.example"), nil, func(string) (sasl.Credentials, error) { return l.creds, nil })
	}
	if *x == nil {
		return false
	}
	data, _ := base64.StdEncoding.DecodeString(e.Text())
	out, done, err := (*x).Next(data)
	name := "challenge"
	switch {
	case err != nil:
		fmt.Fprint(c, "<failure xmlns='"+stream.NSSASL+"'><not-authorized/></failure>")
		return false
	case done:
		name = "success"
	}
	fmt.Fprint(c, "<"+name+" xmlns='"+stream.NSSASL+"'>"+base64.StdEncoding.EncodeToString(out)+"</"+name+">")
	return done
}

func (l *liar) answer(e xtok.Elem) string {
	if e.Local() != "iq" {
		return ""
	}
	result := "<iq type='result' id='" + e.Attr("id") + "' from='" + e.Attr("to") + "'>"
	switch child := e.First(); {
	case child.Local() == "bind":
		return result + "<bind xmlns='" + stream.NSBind + "'><jid>alice@liar.example/1</jid></bind></iq>"
	case child.NS() == "http://jabber.org/protocol/disco#info":
		return result + "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server' type='im'/><identity category='pubsub' type='pep'/>" +
			"<identity category='conference' type='text'/><feature var='" + strings.Join(lies, "'/><feature var='") + "'/></query></iq>"
	case child.NS() == "http://jabber.org/protocol/disco#items":
		return result + "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='rooms.liar.example'/></query></iq>"
	}
	return "<iq type='error' id='" + e.Attr("id") + "'><error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
}

func (l *liar) options() conformance.Options {
	return conformance.Options{Account: jid.MustParse("alice@liar.example"), Password: "secret", Server: l.addr, DirectTLS: true, Web: "127.0.0.1:1", CA: l.roots, Now: time.Now()}
}

func TestWhatIsAnnouncedAndDoesNotWorkIsNotBelieved(t *testing.T) {
	t.Parallel() // it waits for what never comes
	r := run(t, lie(t).options())
	for _, row := range r.Rows {
		switch row.Key {
		case "core.core", "core.tls", "core.direct-tls", "core.disco": // these it can do
			if row.Result != conformance.Works {
				t.Errorf("%s: %s (%s)", row.Key, row.Result, row.Evidence)
			}
		default:
			if row.Result == conformance.Works {
				t.Errorf("%s is believed: %s", row.Key, row.Evidence)
			}
		}
	}
	if got := find(t, r, "im.history").Evidence; got != "announced, but a query is answered by feature-not-implemented" {
		t.Errorf("of the archive it says %q", got)
	}
}

func TestThePasswordIsNotSentWhereItMightBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		mechanisms []string
		change     func(*conformance.Options)
	}{
		"the certificate is not trusted": {nil, func(o *conformance.Options) { o.CA = x509.NewCertPool() }},
		"only PLAIN is offered":          {[]string{"PLAIN", "LOGIN", "DIGEST-MD5"}, func(*conformance.Options) {}},
	} {
		t.Run(name, func(t *testing.T) {
			l := lie(t, c.mechanisms...)
			o := l.options()
			c.change(&o)
			if _, err := conformance.Run(context.Background(), o); err == nil {
				t.Error("it signed in")
			}
			select {
			case said := <-l.heard:
				t.Errorf("the server was told %s", said)
			default:
			}
		})
	}
}

func TestPlainIsForServersThatTakeNothingElse(t *testing.T) {
	l := lie(t, "SCRAM-SHA-1", "PLAIN")
	o := l.options()
	o.AllowPlain, o.Password = true, "wrong"
	if _, err := conformance.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "wrong password") {
		t.Errorf("a wrong password: %v", err)
	}
	for len(l.heard) > 0 {
		if said := <-l.heard; strings.Contains(said, "PLAIN") {
			t.Errorf("the server was told %s", said)
		}
	}
}
