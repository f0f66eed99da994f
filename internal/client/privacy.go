package client

import (
	"encoding/json"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// hidden is what others are not told: the zero value is how it is at first.
type hidden struct {
	Receipts    bool `json:"receipts,omitempty"`
	ReadMarkers bool `json:"readMarkers,omitempty"`
	Typing      bool `json:"typing,omitempty"`
	Address     bool `json:"address,omitempty"` // of this device, in calls
}

// privacyRow is its place in the profile's table.
const privacyRow = "hidden"

func (e *Engine) openPrivacy() error {
	e.hidden = hidden{}
	raw, err := e.Store.Get(profileTable, privacyRow)
	if err != nil || raw == nil {
		return err
	}
	return json.Unmarshal(raw, &e.hidden)
}

// privacyCommand carries out what is about what others hear and keep.
func (e *Engine) privacyCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.GetSettings:
		e.getSettings(c)
	case *port.SetSettings:
		e.setSettings(c)
	case *port.Report:
		e.report(c)
	case *port.SetTimer:
		e.setTimer(c)
	default:
		return false
	}
	return true
}

func (e *Engine) privacy() port.Privacy {
	return port.Privacy{Receipts: !e.hidden.Receipts, ReadMarkers: !e.hidden.ReadMarkers, Typing: !e.hidden.Typing, HideAddress: e.hidden.Address}
}

// nsPrivacy is of what the server tells in one's name.
const nsPrivacy = "urn:mirsal:privacy:0"

// getSettings asks the server for what it has of them.
func (e *Engine) getSettings(c *port.GetSettings) {
	if !e.online() {
		e.tell(&port.Settings{Ref: c.Ref, Privacy: e.privacy()})
		return
	}
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<privacy xmlns='" + nsPrivacy + "'/>")}, func(s *conn.Stanza, err error) {
		all := e.privacy()
		if stanzaError(s, err) == nil {
			if who := s.Elem.Child(nsPrivacy, "privacy").Child(nsPrivacy, "last-seen").Text(); who != "" {
				told := who != "nobody"
				all.LastSeen = &told
			}
		}
		e.tell(&port.Settings{Ref: c.Ref, Privacy: all})
	})
}

// setSettings has the server keep its part first: what it refuses changes nothing.
func (e *Engine) setSettings(c *port.SetSettings) {
	if c.LastSeen == nil {
		e.hide(c)
		return
	}
	who := "nobody"
	if *c.LastSeen {
		who = "contacts"
	}
	payload := "<privacy xmlns='" + nsPrivacy + "'><last-seen>" + who + "</last-seen></privacy>"
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte(payload)}, func(s *conn.Stanza, err error) {
		if err := stanzaError(s, err); err != nil {
			e.fail(c, port.Failf(port.Refused, "%s", words(err)))
			return
		}
		e.hide(c)
	})
}

// hide keeps what is this device's part.
func (e *Engine) hide(c *port.SetSettings) {
	now := hidden{Receipts: !c.Receipts, ReadMarkers: !c.ReadMarkers, Typing: !c.Typing, Address: c.HideAddress}
	var b keep.Batch
	put(&b, profileTable, privacyRow, now)
	if !e.keepBatch(&b) {
		return
	}
	if e.hidden != now || c.LastSeen != nil {
		e.hidden = now
		all := e.privacy()
		all.LastSeen = c.LastSeen
		e.tell(&port.Settings{Privacy: all})
	}
	e.done(c, port.Done{})
}

// mostReport bounds what a report says, in bytes.
const mostReport = 4096

// report blocks somebody and says why. XEP-0377 §2
func (e *Engine) report(c *port.Report) {
	j, err := jid.Parse(c.Address)
	if err != nil || c.Reason != "spam" && c.Reason != "abuse" || len(c.Text) > mostReport {
		e.fail(c, port.Failf(port.BadCommand, "a report has an address, spam or abuse, and at most %d bytes", mostReport))
		return
	}
	b := []byte("<block xmlns='urn:xmpp:blocking'><item jid='" + esc(j.Bare().String()) + "'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:" + c.Reason + "'>")
	if c.Text != "" {
		b = xtok.AppendElement(b, "text", c.Text)
	}
	b = append(b, "</report></item></block>"...)
	e.ask(conn.Request{Type: stanza.Set, Payload: b}, e.plainAnswer(c))
}

// setTimer has a chat's texts deleted some time after they were seen.
func (e *Engine) setTimer(c *port.SetTimer) {
	if c.Seconds < 0 || c.Seconds > timeline.MaxTimer {
		e.fail(c, port.Failf(port.BadCommand, "a timer has 0 to %d seconds", timeline.MaxTimer))
		return
	}
	if chat, ok := e.listed(c, c.Chat); ok {
		n := uint32(c.Seconds)
		e.compose(c, timeline.Draft{Chat: chat, Timer: &n})
	}
}

// vanish deletes what is due, whether there is a connection or not.
func (e *Engine) vanish() bool {
	for now := e.Now(); e.broken == nil; {
		due := e.lines.VanishDue()
		if due.IsZero() || now.Before(due) {
			break
		}
		if !e.change(e.lines.Vanish(now)) {
			break
		}
	}
	return e.broken == nil
}
