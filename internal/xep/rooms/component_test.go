package rooms

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

// A component has no session: whatever it asks, it is answered, and is nobody's
// owner or admin.
func TestWhateverAComponentAsksIsAnswered(t *testing.T) {
	run(t, func(w *world) {
		w.Host.IQ(w.rooms.site.Node, "urn:xmpp:mam:2", "query", func(q *core.Query) ([]byte, error) {
			_, _, err := w.rooms.Reads(q)
			return nil, err
		})
		a := w.open("whois=anyone")
		for payload, want := range map[string]string{
			"<query xmlns='" + nsAdmin + "'><item affiliation='owner'/></query>":                            "<forbidden",
			"<query xmlns='" + nsAdmin + "'><item jid='bob@example.org' affiliation='outcast'/></query>":    "<forbidden",
			"<query xmlns='" + nsOwner + "'/>":                                                              "<forbidden",
			"<query xmlns='" + nsOwner + "'><destroy/></query>":                                             "<forbidden",
			"<query xmlns='" + nsRegister + "'/>":                                                           "<not-allowed",
			"<moderate xmlns='" + nsModerate + "' id='id1'><retract xmlns='" + nsRetract + "'/></moderate>": "<not-allowed",
			"<query xmlns='urn:xmpp:mam:2'/>":                                                               "<forbidden",
			"<ping xmlns='urn:xmpp:ping'/>":                                                                 "",
		} {
			for _, kind := range []string{"get", "set"} {
				got := w.fromComponent("<iq type='" + kind + "' id='1' from='alice@comp.example.org' to='" + den + "'>" + payload + "</iq>")
				if !strings.Contains(got, want) || !strings.Contains(got, "id='1'") {
					t.Errorf("%s %s: %s", kind, payload, got)
				}
			}
		}
		for _, kind := range []string{"get", "set"} {
			for _, payload := range []string{"<vCard xmlns='vcard-temp'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
				"<query xmlns='http://jabber.org/protocol/disco#info' node='" + nodeReserved + "'/>", "<query xmlns='" + nsItems + "'/>"} {
				for _, to := range []string{den, host, den + "/alice"} {
					got := w.fromComponent("<iq type='" + kind + "' id='1' from='alice@comp.example.org' to='" + to + "'>" + payload + "</iq>")
					if !strings.Contains(got, "id='1'") {
						t.Errorf("%s %s at %s: %q", kind, payload, to, got)
					}
				}
			}
		}
		silent(t, "alice", a.Got())
	})
}

// fromComponent is what the component at comp.example.org gets for a stanza.
func (w *world) fromComponent(raw string) string {
	w.T.Helper()
	_, e, err := stanza.Parse([]byte(strings.Replace(raw, " ", " xmlns='jabber:client' ", 1)))
	if err != nil {
		w.T.Fatal(err)
	}
	w.heard = ""
	if err := w.Router.Accept(w.comp, e); err != nil {
		w.T.Fatal(err)
	}
	return w.heard
}
