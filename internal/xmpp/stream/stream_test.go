package stream

import (
	"errors"
	"testing"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

func read(t *testing.T, xml string) (Header, error) {
	t.Helper()
	s := xtok.New(xtok.Limits{})
	ev, _, err := s.Next([]byte(xml))
	if err != nil || ev != xtok.Open {
		t.Fatal(ev, err)
	}
	return ReadHeader(s.Root())
}

func TestHeaderReadsBackTheSame(t *testing.T) {
	h := Header{From: jid.MustParse("example.org"), To: jid.MustParse("a@example.org"), ID: "x'<", Lang: "ar"}
	if got, err := read(t, string(h.Append(nil))); err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBadHeadersNameTheStreamError(t *testing.T) {
	const good = "xmlns='jabber:client' xmlns:stream='" + NS + "' "
	for xml, want := range map[string]string{
		"<stream:stream " + good + "version='1.0'>":                                     "",
		"<stream:stream " + good + "version='1.0' to='example.org'>":                    "",
		"<stream:stream " + good + ">":                                                  "unsupported-version",
		"<stream:stream " + good + "version='2.0'>":                                     "unsupported-version",
		"<stream:stream " + good + "version='1.0' to='@@'>":                             "host-unknown",
		"<stream:stream " + good + "version='1.0' from='@@'>":                           "improper-addressing",
		"<stream:stream xmlns:stream='urn:other' xmlns='jabber:client' version='1.0'>":  "invalid-namespace",
		"<stream:stream xmlns:stream='" + NS + "' xmlns='jabber:server' version='1.0'>": "invalid-namespace",
		"<stream xmlns='" + NS + "' version='1.0'>":                                     "",
		"<stream:features " + good + "version='1.0'>":                                   "invalid-namespace",
	} {
		_, err := read(t, xml)
		got := ""
		if e := (*Error)(nil); errors.As(err, &e) {
			got = e.Condition
		}
		if got != want {
			t.Errorf("%s: %q, want %q", xml, got, want)
		}
	}
}

func TestErrorIsEscaped(t *testing.T) {
	e := &Error{Condition: "policy-violation", Text: "<no>", App: []byte("<x xmlns='y'/>")}
	want := "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>&lt;no&gt;</text><x xmlns='y'/></stream:error>"
	if got := string(e.Append(nil)); got != want {
		t.Error(got)
	}
}
