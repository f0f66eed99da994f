package omemo

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestEnvelopesReadBack(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		e := Envelope{Sender: 27183, Payload: &Payload{Data: []byte("sealed")}, Keys: []Key{
			{Device: 31415, Data: []byte{1}}, {Device: 7, PreKey: true, Data: []byte{2, 3}}, {Device: MaxID, Data: []byte{4}},
		}}
		if p == Legacy {
			e.Payload.IV = []byte("twelve bytes")
		} else {
			e.Keys[0].Address, e.Keys[1].Address, e.Keys[2].Address = "romeo@a.example", "romeo@a.example", "o'hara@b.example"
		}
		got, back, err := ReadEnvelope(elem(t, e.Append(nil, p)))
		if err != nil || got != p || !reflect.DeepEqual(e, back) {
			t.Errorf("%v %+v became %+v", err, e, back)
		}
		k, ok := back.For(p, e.Keys[1].Address, 7)
		if !ok || !k.PreKey {
			t.Error("the key for one device:", k, ok)
		}
		if _, ok := back.For(p, "", 8); ok {
			t.Error("a key for a device that has none")
		}
	})
}

func TestTheKeyOfAnotherAccountsDeviceIsNotOurs(t *testing.T) {
	e := Envelope{Keys: []Key{{Address: "mallory@example.org", Device: 1}, {Address: "alice@example.org", Device: 1, PreKey: true}}}
	if k, ok := e.For(Two, "alice@example.org", 1); !ok || !k.PreKey {
		t.Error(k, ok)
	}
}

func TestEmptyEnvelopesHaveNoPayload(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		b := Envelope{Sender: 1, Keys: []Key{{Address: "a@b", Device: 2, Data: []byte{1}}}}.Append(nil, p)
		_, back, err := ReadEnvelope(elem(t, b))
		if err != nil || back.Payload != nil || strings.Contains(string(b), "payload") {
			t.Error(err, string(b))
		}
		if p == Legacy && !strings.Contains(string(b), "<iv>") {
			t.Error("no IV, which Dino needs")
		}
	})
}

func TestBadEnvelopesAreRefused(t *testing.T) {
	const legacy, two = "<encrypted xmlns='eu.siacs.conversations.axolotl'>", "<encrypted xmlns='urn:xmpp:omemo:2'>"
	for _, s := range []string{
		"<encrypted xmlns='other'><header sid='1'/></encrypted>",
		legacy + "</encrypted>",
		legacy + "<header/></encrypted>",
		legacy + "<header sid='0'/></encrypted>",
		legacy + "<header sid='2147483648'/></encrypted>",
		legacy + "<header sid='1'><key rid='1'></key></header></encrypted>",
		legacy + "<header sid='1'><key rid='1'>!</key></header></encrypted>",
		legacy + "<header sid='1'><key>AAAA</key></header></encrypted>",
		legacy + "<header sid='1'><iv>AAAA</iv></header><payload>AAAA</payload></encrypted>",
		legacy + "<header sid='1'/><payload>AAAA</payload></encrypted>",
		two + "<header sid='1'><keys jid='a@b'><key rid='-1'>AAAA</key></keys></header></encrypted>",
		two + "<header sid='1'><keys jid='a@b'>" + strings.Repeat("<key rid='1'>AA==</key>", MaxKeys+1) + "</keys></header></encrypted>",
		two + "<header sid='1'><keys jid='a@b'><key rid='1'>" + strings.Repeat("AAAA", maxMessage/3+1) + "</key></keys></header></encrypted>",
	} {
		if _, _, err := ReadEnvelope(elem(t, []byte(s))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v for %.200s", err, s)
		}
	}
}

func TestBundlesReadBack(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		b := newParty(t, p, 3).dev.Bundle(p)
		x := AppendBundle(nil, p, b)
		got, back, err := ReadBundle(elem(t, x))
		if err != nil || got != p || !reflect.DeepEqual(b, back) {
			t.Errorf("%v: %+v became %+v", err, b, back)
		}
		b.Signed.Signature[0] ^= 1
		if _, _, err := ReadBundle(elem(t, AppendBundle(nil, p, b))); !errors.Is(err, ErrBadKey) {
			t.Error("a forged bundle:", err)
		}
	})
}

func TestBundlesWithLineBreaksAreRead(t *testing.T) {
	b := newParty(t, Legacy, 3).dev.Bundle(Legacy)
	s := strings.ReplaceAll(string(AppendBundle(nil, Legacy, b)), "</", "\n\t </")
	if _, _, err := ReadBundle(elem(t, []byte(s))); err != nil {
		t.Error(err)
	}
}

func TestBadBundlesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		good := string(AppendBundle(nil, p, newParty(t, p, 3).dev.Bundle(p)))
		n := bundleNames[p]
		many := "<prekeys>" + strings.Repeat("<"+n.pre+" "+n.preID+"='1'>"+strings.Repeat("AAAA", 11)+"</"+n.pre+">", maxBundleKeys+1)
		for name, s := range map[string]string{
			"another element": strings.ReplaceAll(good, "bundle", "bungle"),
			"no identity":     strings.ReplaceAll(good, n.identity, "x"),
			"no signature":    strings.ReplaceAll(good, n.signature, "x"),
			"no pre-keys":     strings.ReplaceAll(good, "prekeys", "x"),
			"a short key":     strings.Replace(good, "</"+n.signed+">", "AAAA</"+n.signed+">", 1),
			"a bad number":    strings.Replace(good, n.signedID+"='1'", n.signedID+"='x'", 1),
			"too many":        strings.Replace(good, "<prekeys>", many, 1),
		} {
			if s == good {
				t.Errorf("%s: nothing was changed", name)
			}
			if _, _, err := ReadBundle(elem(t, []byte(s))); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestDeviceListsReadBack(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		a := newParty(t, p, 3)
		l, err := a.dev.Listed(a.rand, "Gajim on 'Ubuntu'")
		if err != nil {
			t.Fatal(err)
		}
		got, back, err := ReadDevices(elem(t, AppendDevices(nil, p, []Listed{{ID: 5}, l})))
		if err != nil || got != p || len(back) != 2 || back[0].ID != 5 || back[1].ID != a.dev.ID {
			t.Fatal(err, back)
		}
		if p == Two && (back[1].Label != l.Label || !a.dev.Bundle(p).VerifyLabel(back[1])) {
			t.Error("the label did not come over")
		}
		back[1].Label += "!"
		if a.dev.Bundle(p).VerifyLabel(back[1]) {
			t.Error("a forged label passes")
		}
	})
}

func TestListsLeaveOutWhatIsNoDevice(t *testing.T) {
	x := "<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/><device id='0'/><device/><device id='x'/><other id='2'/><device id='1'/><device id='3'/></list>"
	_, got, err := ReadDevices(elem(t, []byte(x)))
	if err != nil || len(got) != 2 || got[1].ID != 3 {
		t.Error(got, err)
	}
	var many strings.Builder
	for i := range maxDevices + 1 {
		fmt.Fprintf(&many, "<device id='%d'/>", i+1)
	}
	if _, _, err := ReadDevices(elem(t, []byte("<devices xmlns='urn:xmpp:omemo:2'>"+many.String()+"</devices>"))); !errors.Is(err, ErrMalformed) {
		t.Error("too many devices:", err)
	}
}

func TestNodes(t *testing.T) {
	for got, want := range map[string]string{
		Legacy.DevicesNode():  "eu.siacs.conversations.axolotl.devicelist",
		Legacy.BundleNode(42): "eu.siacs.conversations.axolotl.bundles:42",
		Legacy.BundleItem(42): "current",
		Two.DevicesNode():     "urn:xmpp:omemo:2:devices",
		Two.BundleNode(42):    "urn:xmpp:omemo:2:bundles",
		Two.BundleItem(42):    "42",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
