package sasl

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
)

// XEP-0474 §6.3 and XEP-0515 §4.3 print one exchange each; the types of channel
// binding are those of XEP-0388's example.
func TestTheExchangesThatTheXEPsPrint(t *testing.T) {
	const nonce = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6"
	const said = "r=" + nonce + ",s=QSXCR+Q6sek8bf92,i=4096"
	const final = "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=" + nonce
	for _, c := range []struct {
		version                uint16
		attributes, final, end string
	}{
		{0, ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=", final + ",x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=", "v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c="},
		{tls.VersionTLS13, ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,t=0304", final + ",p=KHUfN8dSy1K95crT4D5y1ItLJfs=", "v=3w34ZIMVRkx2f2Ozb3/ecRPVdv4="},
	} {
		salt := []byte("\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76")
		cred, err := Derive("pencil", salt, salt, 4096)
		if err != nil {
			t.Fatal(err)
		}
		x, err := Start(SCRAMSHA1Plus, domain(), []Binding{{TLSExporter, []byte("THIS IS FAKE CB DATA")}},
			func(string) (Credentials, error) { return cred, nil })
		if err != nil {
			t.Fatal(err)
		}
		x.Offered([]string{SCRAMSHA1Plus, SCRAMSHA1}, []string{TLSServerEndPoint, TLSExporter})
		x.TLSVersion(c.version)
		out, _, err := x.Next([]byte("p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"))
		if err != nil || !strings.HasSuffix(string(out), ",s=QSXCR+Q6sek8bf92,i=4096"+c.attributes) {
			t.Fatalf("%s %v", out, err)
		}
		x.nonce, x.sent = nonce, said+c.attributes
		if out, done, err := x.Next([]byte(c.final)); err != nil || !done || string(out) != c.end {
			t.Errorf("%s %v %v", out, done, err)
		}
	}
}

func TestAClientSeesWhatSomebodyTookOutOnTheWay(t *testing.T) {
	w := newWorld(t)
	mechs, bindings := []string{SCRAMSHA256, SCRAMSHA1}, []string{TLSExporter, TLSServerEndPoint}
	for name, c := range map[string]struct {
		mechs, bindings []string
		version         uint16
		want            error
	}{
		"nothing":                  {mechs, bindings, tls.VersionTLS13, nil},
		"the order":                {[]string{SCRAMSHA1, SCRAMSHA256}, bindings, tls.VersionTLS13, nil},
		"nothing that it looks at": {nil, nil, 0, nil},
		"the better mechanism":     {[]string{SCRAMSHA1}, bindings, tls.VersionTLS13, ErrDowngrade},
		"a type of binding":        {mechs, bindings[1:], tls.VersionTLS13, ErrDowngrade},
		"all types of binding":     {mechs, nil, tls.VersionTLS13, ErrDowngrade},
		"a mechanism was added":    {append([]string{PLAIN}, mechs...), bindings, tls.VersionTLS13, ErrDowngrade},
		"the version of TLS":       {mechs, bindings, tls.VersionTLS12, ErrDowngrade},
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, w, SCRAMSHA1)
			x.Offered(mechs, bindings)
			x.TLSVersion(tls.VersionTLS13)
			cl := client(t, SCRAMSHA1, "alice", alicePassword, Binding{})
			if c.mechs != nil {
				cl.Offered(c.mechs, c.bindings)
			}
			cl.TLSVersion(c.version)
			first, _, _ := cl.Next(nil)
			out, _, err := x.Next(first)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := cl.Next(out); !errors.Is(err, c.want) || err != nil && c.want == nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// What the server vouches for is signed: to take the attributes out as well does not help.
func TestTheListsThatAreVouchedForCannotBeTakenOut(t *testing.T) {
	w := newWorld(t)
	x := start(t, w, SCRAMSHA256)
	x.Offered([]string{SCRAMSHA256}, nil)
	cl := client(t, SCRAMSHA256, "alice", alicePassword, Binding{})
	first, _, _ := cl.Next(nil)
	out, _, err := x.Next(first)
	if err != nil {
		t.Fatal(err)
	}
	stripped, _, found := strings.Cut(string(out), ",h=")
	if !found {
		t.Fatal("no attribute")
	}
	final, _, err := cl.Next([]byte(stripped))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.Next(final); condition(err) != NotAuthorized {
		t.Error(err)
	}
}

func TestWithoutLeavesOutWhatAnAccountLacks(t *testing.T) {
	all := Mechanisms([]Binding{exporter()})
	if got := Without(all, []string{SCRAMSHA256}); !slices.Equal(got, []string{SCRAMSHA1Plus, SCRAMSHA1}) {
		t.Error(got)
	}
	if got := Without(all, nil); !slices.Equal(got, all) {
		t.Error(got)
	}
}
