package jingle_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

// outcome is the reason for which xml is refused, "" if it is read.
func outcome(t *testing.T, xml string) string {
	t.Helper()
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		t.Fatalf("%v: %s", err, xml)
	}
	v, err := read(e)
	if err == nil {
		written(t, v)
		return ""
	}
	var r *jingle.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("%v is no refusal", err)
	}
	return r.Reason.String()
}

const print = "E9:02:21:50:CB:BD:C3:47:1B:70:E8:4E:5F:A9:5C:E5:42:5A:DF:FB:02:30:BD:8B:7C:90:EE:0A:70:04:CC:99"

// offer is a session with one audio content, and more where it is asked for.
func offer(payloads, description, transport, contents string) string {
	return `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a'><content creator='initiator' name='0'>` +
		`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='0'>` + payloads + description + `</description>` +
		`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd' pwd='0123456789012345678901'>` +
		`<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>` + print + `</fingerprint>` +
		transport + `</transport></content>` + contents + `</jingle>`
}

// times is n numbered copies of a format.
func times(n int, format string) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestLimitsAreWhereTheyAreSaidToBe(t *testing.T) {
	candidate := `<candidate component='1' foundation='f' generation='0' id='c%d' ip='10.0.0.1' port='9' priority='1' protocol='udp' type='host'/>`
	content := `<content creator='initiator' name='n%d'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='0'/></description>` +
		`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd' pwd='0123456789012345678901'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>` + print + `</fingerprint></transport></content>`
	in := func(payloads, description, transport, contents string) func(string) string {
		return func(many string) string {
			put := func(s string) string { return strings.Replace(s, "MANY", many, 1) }
			return offer(put(payloads)+"</payload-type>", put(description), put(transport), put(contents))
		}
	}
	for name, c := range map[string]struct {
		most   int
		format string
		xml    func(string) string
	}{
		"contents":       {jingle.MostContents - 1, content, in("", "", "", "MANY")},
		"payload types":  {jingle.MostPayloads - 1, `<payload-type id='%d'/>`, in("", "MANY", "", "")},
		"parameters":     {jingle.MostParameters, `<parameter name='p%d' value='1'/>`, in("MANY", "", "", "")},
		"feedback":       {jingle.MostFeedback, `<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack' subtype='s%d'/>`, in("MANY", "", "", "")},
		"extensions":     {jingle.MostExtensions, `<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='%d' uri='urn:a'/>`, in("", "MANY", "", "")},
		"sources":        {jingle.MostSources, `<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='%d'/>`, in("", "MANY", "", "")},
		"a source group": {jingle.MostSources, `<source ssrc='%d'/>`, in("", "<ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='SIM'>MANY</ssrc-group>", "", "")},
		"candidates":     {jingle.MostCandidates, candidate, in("", "", "MANY", "")},
		"groups":         {jingle.MostGroups, `<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'><content name='n%d'/></group>`, in("", "", "", "MANY")},
	} {
		if got := outcome(t, c.xml(times(c.most, c.format))); got != "" {
			t.Errorf("%s: %d are refused as %s", name, c.most, got)
		}
		if got := outcome(t, c.xml(times(c.most+1, c.format))); got != "too-many" {
			t.Errorf("%s: %d are refused as %q", name, c.most+1, got)
		}
	}
}

func TestASessionIsNotWrittenOverItsLimit(t *testing.T) {
	value := strings.Repeat("'", 250) // six bytes each as it is written
	source := `<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='%d'><parameter name='cname' value="` + value + `"/></source>`
	if got := outcome(t, offer("</payload-type>", times(29, source), "", "")); got != "" {
		t.Errorf("under the limit it is refused as %s", got)
	}
	if got := outcome(t, offer("</payload-type>", times(33, source), "", "")); got != "too-long" {
		t.Errorf("over the limit it is refused as %q", got)
	}
}

func TestTextIsCutToWhatAnInvitationHolds(t *testing.T) {
	for _, text := range []string{strings.Repeat("&apos;", 5000), strings.Repeat("é", 5000), strings.Repeat("a b&#10;\u0085", 900), "\u2028", strings.Repeat(" ", 5000)} {
		id := strings.Repeat("i", 128)
		e, err := xtok.Parse([]byte(`<finish xmlns='urn:xmpp:jingle-message:0' id='`+id+`'><reason xmlns='urn:xmpp:jingle:1'><unsupported-applications/><text>`+text+
			`</text></reason><migrated to='`+id+`'/></finish>`), xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := jingle.ParseInvite(e)
		if err != nil {
			t.Fatal(err)
		}
		written(t, v)
		if n := len(xtok.Escape(nil, v.Cause.Text)); n > 256 {
			t.Errorf("a text of %d bytes is left", n)
		}
		if strings.ContainsAny(v.Cause.Text, "\n\r\u0085\u2028") {
			t.Errorf("%q is not on one line", v.Cause.Text)
		}
	}
}

// What SDP, ICE or DTLS would read as something else.
func TestWhatIsKnownAndWrongIsRefused(t *testing.T) {
	candidate := `<candidate component='1' foundation='f' generation='0' id='c' ip='10.0.0.1' port='9' priority='1' protocol='udp' type='host'/>`
	good := offer(`<parameter name='minptime' value='10'/></payload-type>`, "", candidate, "")
	if got := outcome(t, good); got != "" {
		t.Fatalf("a good one is refused as %s", got)
	}
	for _, c := range []struct{ from, to, want string }{
		{"value='10'", "value='10&#13;&#10;a=candidate:1'", "malformed"},
		{"name='minptime'", "name='min;ptime'", "malformed"},
		{"name='minptime'", "name='" + strings.Repeat("m", 65) + "'", "too-long"},
		{"value='10'", "value='" + strings.Repeat("m", 257) + "'", "too-long"},
		{"<parameter ", "<parameter name='minptime' value='11'/><parameter ", "doubled"},
		{"id='0'", "id='128'", "malformed"},
		{"id='0'", "id='00'", "malformed"},
		{"id='0'", "id='+0'", "malformed"},
		{"id='0'", "", "missing"},
		{"</description>", "<payload-type id='0'/></description>", "doubled"},
		{"media='audio'", "media='application'", "malformed"},
		{"media='audio'", "", "missing"},
		{"creator='initiator'", "creator='both'", "malformed"},
		{"name='0'", "name='a b'", "malformed"},
		{"ip='10.0.0.1'", "ip='10.0.0.1 typ relay'", "malformed"},
		{"ip='10.0.0.1'", "ip='example.org'", "malformed"},
		{"ip='10.0.0.1'", "ip='fe80::1%eth0'", "malformed"},
		{"ip='10.0.0.1'", "ip='0.0.0.0'", "malformed"},
		{"ip='10.0.0.1'", "ip='::ffff:224.0.0.1'", "malformed"},
		{"port='9'", "port='0'", "malformed"},
		{"port='9'", "port='65536'", "malformed"},
		{"priority='1'", "priority='2147483648'", "malformed"},
		{"priority='1'", "priority='0'", "malformed"},
		{"component='1'", "component='3'", "malformed"},
		{"foundation='f'", "foundation='f g'", "malformed"},
		{"foundation='f'", "foundation='" + strings.Repeat("f", 33) + "'", "too-long"},
		{"type='host'", "type='multicast'", "malformed"},
		{"ufrag='abcd'", "ufrag='abc'", "malformed"},
		{"ufrag='abcd'", "ufrag='ab-d'", "malformed"},
		{"ufrag='abcd'", "", "missing"},
		{"pwd='0123456789012345678901'", "pwd='012345678901234567890'", "malformed"},
		{"pwd='0123456789012345678901'", "", "missing"},
		{"hash='sha-256'", "hash='md5'", "insecure"},
		{"hash='sha-256'", "", "insecure"},
		{"hash='sha-256'", "hash='sha-512'", "malformed"},
		{"setup='actpass'", "setup='holdconn'", "malformed"},
		{"setup='actpass'", "", "missing"},
		{"E9:02", "E9-02", "malformed"},
		{"<fingerprint", "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>" + print + "</fingerprint><fingerprint", "doubled"},
		{"<fingerprint", "<fingerprint xmlns='" + jingle.NSSealed + "' hash='sha-256' setup='active'/><fingerprint", "doubled"},
		{"urn:xmpp:jingle:apps:dtls:0", "urn:xmpp:jingle:apps:dtls:1", "insecure"},
		{"sid='a'", "sid=''", "missing"},
		{"sid='a'", "sid='a' initiator='@'", "malformed"},
		{"sid='a'", "sid='a' initiator='a@b/" + strings.Repeat("c", 4000) + "'", "too-long"},
		{"session-initiate", "session-begin", "malformed"},
		{"</content>", "</content><content creator='initiator' name='0'/>", "doubled"},
		{"</content>", "</content><content creator='responder' name='0'/>", "missing"},
		{"</content>", "</content><reason/>", "missing"},
		{"</content>", "</content><reason><busy/><gone/></reason>", "doubled"},
		{"</content>", "</content><reason><busy/></reason><reason><busy/></reason>", "doubled"},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Fatalf("there is no %s", c.from)
		}
		if got := outcome(t, bad); got != c.want {
			t.Errorf("%s for %s: %q, want %q", c.to, c.from, got, c.want)
		}
	}
}

func TestAProposeNamesEachMediumOnce(t *testing.T) {
	audio, video, file := `<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>`, `<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/>`, `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>`
	for in, want := range map[string]string{audio: "", video + audio: "", file + audio: "", file: "missing", "": "missing", audio + audio: "doubled", audio + video + audio: "too-many"} {
		if got := outcome(t, `<propose xmlns='urn:xmpp:jingle-message:0' id='a'>`+in+`</propose>`); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// One thing is written in one way, so that two readers cannot differ about it.
func TestOneThingIsWrittenInOneWay(t *testing.T) {
	candidate := `<candidate component='1' foundation='f' ip='IP' port='9' priority='1' protocol='udp' type='host'/>`
	for _, c := range []struct{ description, transport, there, gone string }{
		{"", strings.Replace(candidate, "IP", "::ffff:10.0.0.1", 1), "ip='10.0.0.1'", "ffff"},
		{"", strings.Replace(candidate, "IP", "2001:DB8:0:0::1", 1), "ip='2001:db8::1'", "DB8"},
		{"", candidate[:11] + strings.Replace(candidate[11:], "IP", "x.local", 1), "<transport", "candidate"},
		{"<ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='FID'/>", "", "<description", "ssrc-group"},
		{"<payload-type id='9' channels='1' clockrate='0' ptime=''/>", "", "<payload-type id='9'/>", "channels"},
		{"<payload-type id='63'><parameter name='111/111'/></payload-type>", "", "name='111/111' value=''", "<x"},
		{"", "<candidate component='1' foundation='f' generation='' ip='10.0.0.1' port='9' priority='1' protocol='udp' type='host' rel-addr='' rel-port=''/>", "generation='0'", "rel-"},
	} {
		e, err := xtok.Parse([]byte(offer("</payload-type>", c.description, c.transport, "")), xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := jingle.ParseSession(e)
		if err != nil {
			t.Fatalf("%s%s: %v", c.description, c.transport, err)
		}
		if out := string(s.Append(nil)); !strings.Contains(out, c.there) || strings.Contains(out, c.gone) {
			t.Errorf("%s has not %s, or has %s", out, c.there, c.gone)
		}
	}
}

func TestTwoInvitationsInOneMessageAreRefused(t *testing.T) {
	one := `<ringing xmlns='urn:xmpp:jingle-message:0' id='a'/>`
	for xml, want := range map[string]string{"<m/>": "none", "<m>" + one + "</m>": "", "<m>" + one + one + "</m>": "doubled"} {
		e, err := xtok.Parse([]byte(xml), xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, there, err := jingle.InviteIn(e)
		got := ""
		switch {
		case !there:
			got = "none"
		case err != nil:
			got = err.(*jingle.Refusal).Reason.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", xml, got, want)
		}
	}
}

func TestTheLowerOfTwoCallsIsTheSameForBoth(t *testing.T) {
	for _, c := range []struct {
		a, b, byA, byB string
		want           bool
	}{
		{"ca3cf894", "fecbea35", "z", "a", true},
		{"fecbea35", "ca3cf894", "a", "z", false},
		{"B", "a", "x", "x", true}, // i;octet
		{"a", "a", "juliet@c", "romeo@m", true},
	} {
		if got := jingle.Lower(c.a, c.b, c.byA, c.byB); got != c.want || jingle.Lower(c.b, c.a, c.byB, c.byA) == got {
			t.Errorf("%v: %v", c, got)
		}
	}
}
