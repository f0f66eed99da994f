package conformance

import (
	"testing"

	"mirsal/internal/xmpp/xtok"
)

// The example of XEP-0115 §5.3, which has a form and two languages.
func TestTheHashOfCapabilitiesIsThatOfTheExample(t *testing.T) {
	q, err := xtok.Parse([]byte(`<query xmlns='http://jabber.org/protocol/disco#info'>
		<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
		<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
		<feature var='http://jabber.org/protocol/caps'/>
		<feature var='http://jabber.org/protocol/disco#info'/>
		<feature var='http://jabber.org/protocol/disco#items'/>
		<feature var='http://jabber.org/protocol/muc'/>
		<x xmlns='jabber:x:data' type='result'>
			<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
			<field var='ip_version'><value>ipv4</value><value>ipv6</value></field>
			<field var='os'><value>Mac</value></field>
			<field var='os_version'><value>10.5.1</value></field>
			<field var='software'><value>Psi</value></field>
			<field var='software_version'><value>0.11</value></field>
		</x>
	</query>`), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := capsHash(readInfo(q)), "q07IKJEyjvHSyhy//CH0CxmKi8w="; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestAFeatureThatBeginsAsAnotherIsSortedBehindIt(t *testing.T) {
	with := func(vars ...string) *info {
		i := &info{features: map[string]bool{}}
		for _, v := range vars {
			i.features[v] = true
		}
		return i
	}
	// '#' sorts before '<', which is put behind each feature afterwards
	if capsHash(with("urn:a", "urn:a#b")) != "WIhlzg32M8j3JLSEzGBFfvqC+vM=" {
		t.Errorf("hash %s", capsHash(with("urn:a", "urn:a#b")))
	}
}
