package jingle_test

import (
	"errors"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/jingletest"
	"mirsal/internal/xmpp/xtok"
)

func TestRecordedExchangesAreReadAndWrittenInTheGrammar(t *testing.T) {
	x := startSecond(t)
	for _, s := range jingletest.Exchanges(t, folder) {
		e, err := xtok.Parse(s.XML, xtok.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		v, err := read(jingletest.Payload(e))
		if s.Refused != "" {
			var r *jingle.Refusal
			if !errors.As(err, &r) || r.Reason.String() != s.Refused {
				t.Errorf("%s: %v, want a refusal as %s", s.Name, err, s.Refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		x.check(t, written(t, v))
	}
	x.finish(t)
}

// What the fixtures have that must not get through, and what must.
func TestWhatIsNotNamedIsLeftOut(t *testing.T) {
	all := ""
	for _, s := range jingletest.Exchanges(t, folder) {
		e, err := xtok.Parse(s.XML, xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := read(jingletest.Payload(e)); err == nil {
			all += string(v.Append(nil))
		}
	}
	for _, gone := range []string{"crypto", "inline:", "network=", "reduced-size", "<stream", ".local", "receipts", "bbd} '", "xml:lang"} {
		if strings.Contains(all, gone) {
			t.Errorf("%q is in what is written", gone)
		}
	}
	for _, there := range []string{"<renomination", "value='111/111'", "<device", "prekey='true'", "tcptype='active'", "<rtcp-mux/>", "semantics='FID'",
		"<rtcp-fb-trr-int", "ssrc='3460590050'", "no pictures, please &amp; thanks", "2001:db8::9:1", "name='slides'", "02:1A:CC"} {
		if !strings.Contains(all, there) {
			t.Errorf("%q is not in what is written", there)
		}
	}
}

func TestTheSecondReaderComplains(t *testing.T) {
	x := startSecond(t)
	good := jingle.Invite{Kind: jingle.Propose, ID: "a", Audio: true}.Append(nil)
	if said := x.complaint(t, string(good)); said != "" {
		t.Fatalf("of a good one: %s", said)
	}
	for _, bad := range []string{
		`<propose xmlns='urn:xmpp:jingle-message:0' id='a'/>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='a'> <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio' x='y'/></propose>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='text'/></propose>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><x/></description></propose>`,
		`<propose xmlns='urn:xmpp:jingle-message:0' id='` + strings.Repeat("a", 129) + `'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>`,
		`<ringing xmlns='urn:xmpp:jingle-message:0' id='a'><!-- --></ringing>`,
		`<ringing xmlns='urn:xmpp:jingle-message:1' id='a'/>`,
		`<ringing xmlns='urn:xmpp:jingle-message:0' id='a'`,
		`<jingle xmlns='urn:xmpp:jingle:1' sid='a' action='session-terminate'></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a'></jingle>`,
	} {
		if x.complaint(t, bad) == "" {
			t.Errorf("nothing about %s", bad)
		}
	}
}
