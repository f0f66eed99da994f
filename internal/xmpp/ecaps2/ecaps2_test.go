package ecaps2

import (
	"strings"
	"testing"

	"mirsal/internal/xmpp/xtok"
)

// The two answers of XEP-0390#algorithm-example.
const (
	simple = `<identity category="client" name="BombusMod" type="mobile"/><feature var="http://jabber.org/protocol/si"/>` +
		`<feature var="http://jabber.org/protocol/bytestreams"/><feature var="http://jabber.org/protocol/chatstates"/>` +
		`<feature var="http://jabber.org/protocol/disco#info"/><feature var="http://jabber.org/protocol/disco#items"/><feature var="urn:xmpp:ping"/>` +
		`<feature var="jabber:iq:time"/><feature var="jabber:iq:privacy"/><feature var="jabber:iq:version"/><feature var="http://jabber.org/protocol/rosterx"/>` +
		`<feature var="urn:xmpp:time"/><feature var="jabber:x:oob"/><feature var="http://jabber.org/protocol/ibb"/>` +
		`<feature var="http://jabber.org/protocol/si/profile/file-transfer"/><feature var="urn:xmpp:receipts"/><feature var="jabber:iq:roster"/>` +
		`<feature var="jabber:iq:last"/>`
	tkabber = `<identity category="client" name="Tkabber" type="pc" xml:lang="en"/><identity category="client" name="Ткаббер" type="pc" xml:lang="ru"/>` +
		`<feature var="games:board"/><feature var="http://jabber.org/protocol/activity"/><feature var="http://jabber.org/protocol/activity+notify"/>` +
		`<feature var="http://jabber.org/protocol/bytestreams"/><feature var="http://jabber.org/protocol/chatstates"/>` +
		`<feature var="http://jabber.org/protocol/commands"/><feature var="http://jabber.org/protocol/disco#info"/>` +
		`<feature var="http://jabber.org/protocol/disco#items"/><feature var="http://jabber.org/protocol/evil"/>` +
		`<feature var="http://jabber.org/protocol/feature-neg"/><feature var="http://jabber.org/protocol/geoloc"/>` +
		`<feature var="http://jabber.org/protocol/geoloc+notify"/><feature var="http://jabber.org/protocol/ibb"/>` +
		`<feature var="http://jabber.org/protocol/iqibb"/><feature var="http://jabber.org/protocol/mood"/>` +
		`<feature var="http://jabber.org/protocol/mood+notify"/><feature var="http://jabber.org/protocol/rosterx"/>` +
		`<feature var="http://jabber.org/protocol/si"/><feature var="http://jabber.org/protocol/si/profile/file-transfer"/>` +
		`<feature var="http://jabber.org/protocol/tune"/><feature var="http://www.facebook.com/xmpp/messages"/>` +
		`<feature var="http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify"/><feature var="jabber:iq:avatar"/><feature var="jabber:iq:browse"/>` +
		`<feature var="jabber:iq:dtcp"/><feature var="jabber:iq:filexfer"/><feature var="jabber:iq:ibb"/><feature var="jabber:iq:inband"/>` +
		`<feature var="jabber:iq:jidlink"/><feature var="jabber:iq:last"/><feature var="jabber:iq:oob"/><feature var="jabber:iq:privacy"/>` +
		`<feature var="jabber:iq:roster"/><feature var="jabber:iq:time"/><feature var="jabber:iq:version"/><feature var="jabber:x:data"/>` +
		`<feature var="jabber:x:event"/><feature var="jabber:x:oob"/><feature var="urn:xmpp:avatar:metadata+notify"/><feature var="urn:xmpp:ping"/>` +
		`<feature var="urn:xmpp:receipts"/><feature var="urn:xmpp:time"/>` +
		`<x xmlns="jabber:x:data" type="result"><field type="hidden" var="FORM_TYPE"><value>urn:xmpp:dataforms:softwareinfo</value></field>` +
		`<field var="software"><value>Tkabber</value></field><field var="software_version"><value>0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)</value></field>` +
		`<field var="os"><value>Windows</value></field><field var="os_version"><value>XP</value></field></x>`
)

func query(t *testing.T, inner string) xtok.Elem {
	t.Helper()
	e, err := xtok.Parse([]byte("<query xmlns='"+nsDisco+"'>"+inner+"</query>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheHashesOfTheSpecificationAreReproduced(t *testing.T) {
	for _, c := range []struct{ inner, sha256, sha3 string }{
		{simple, "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=", "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q="},
		{tkabber, "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=", "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg="},
	} {
		input, err := Input(query(t, c.inner))
		if err != nil || Hash("sha-256", input) != c.sha256 || Hash("sha3-256", input) != c.sha3 {
			t.Errorf("%v: %s and %s", err, Hash("sha-256", input), Hash("sha3-256", input))
		}
	}
}

func TestWhatHasNoPlaceInAHashIsRefused(t *testing.T) {
	form := func(fields string) string { return "<x xmlns='jabber:x:data' type='result'>" + fields + "</x>" }
	typed := "<field var='FORM_TYPE' type='hidden'><value>a</value></field>"
	for name, inner := range map[string]string{
		"another element":         "<other xmlns='x'/>",
		"a feature of another":    "<feature xmlns='x' var='a'/>",
		"a form without a type":   form("<field var='v'><value>1</value></field>"),
		"a type that is not one":  form("<field var='FORM_TYPE'><value>a</value></field>"),
		"a type of two values":    form("<field var='FORM_TYPE' type='hidden'><value>a</value><value>b</value></field>"),
		"a type that comes twice": form(typed + typed),
		"a form with rows":        form(typed + "<item/>"),
		"a form with a head":      form(typed + "<reported/>"),
	} {
		if _, err := Input(query(t, inner)); err == nil {
			t.Errorf("%s is hashed", name)
		}
	}
}

func TestNoTwoAnswersShareAString(t *testing.T) {
	seen := map[string]string{}
	form := func(fields string) string {
		return "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>a</value></field>" + fields + "</x>"
	}
	for _, inner := range []string{
		"", "<feature var='a'/>", "<feature var='ab'/>", "<feature var='a'/><feature var='b'/>", "<feature var='a'/><feature var='a'/>",
		"<identity category='a' type='b'/>", "<identity category='ab' type=''/>", "<identity category='a' type='b' name='c'/>",
		"<identity category='a' type='b' xml:lang='c'/>", "<identity category='a' type='b'/><feature var='a'/>",
		"<identity category='http:' type='' xml:lang='jabber.org' name='protocol/muc'/>", "<feature var='http://jabber.org/protocol/muc'/>",
		form(""), form("<field var='v'/>"), form("<field var='v'><value/></field>"), form("<field var='v'><value>1</value></field>"),
		form("<field var='v'><value>1</value><value>2</value></field>"), form("<field var='v'><value>12</value></field>"),
		form("<field var='v'><value>1</value></field><field var='v'><value>2</value></field>"), form("") + form(""),
		form("<field var='mood+notify'/>"), "<feature var='mood+notify'/>", "<feature var='a&lt;b'/>",
	} {
		input, err := Input(query(t, inner))
		if err != nil {
			t.Fatal(inner, err)
		}
		if other, twice := seen[string(input)]; twice {
			t.Errorf("%s and %s are one to the hash", inner, other)
		}
		seen[string(input)] = inner
	}
}

func TestALanguageThatIsInheritedCounts(t *testing.T) {
	e, err := xtok.Parse([]byte("<iq xml:lang='uk'><query xmlns='"+nsDisco+"'><identity category='a' type='b'/></query></iq>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	inherited, _ := Input(e.First())
	said, _ := Input(query(t, "<identity category='a' type='b' xml:lang='uk'/>"))
	if string(inherited) != string(said) {
		t.Errorf("%q, want %q", inherited, said)
	}
}

func TestEveryAlgorithmHashesAndNoOther(t *testing.T) {
	for _, a := range Algorithms() {
		if Hash(a, nil) == "" {
			t.Error(a + " is not known")
		}
	}
	if Hash("sha-1", nil) != "" || Hash("", nil) != "" {
		t.Error("a weak hash counts")
	}
	if got := Node("sha-256", "x="); !strings.HasSuffix(got, "urn:xmpp:caps#sha-256.x=") {
		t.Error(got)
	}
}
