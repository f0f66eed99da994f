package people

import (
	"encoding/json"
	"fmt"
	"slices"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Item is what an account keeps about one contact.
type Item struct {
	JID    jid.JID // bare
	Name   string
	Groups []string
	State  State
	// Approved tells that the contact's next request is answered with yes.
	// RFC 6121 §3.4
	Approved bool
	// Listed tells that the item is in the roster that clients see. A stranger's
	// request alone does not put him there.
	Listed bool
}

// record is an Item on disk.
type record struct {
	Name     string   `json:"name,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	State    string   `json:"subscription"`
	Approved bool     `json:"approved,omitempty"`
	Hidden   bool     `json:"hidden,omitempty"`
}

func (i *Item) encode() ([]byte, error) {
	return json.Marshal(record{i.Name, i.Groups, i.State.String(), i.Approved, !i.Listed})
}

func decodeItem(contact jid.JID, value []byte) (*Item, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, fmt.Errorf("roster item: %w", err)
	}
	s, ok := parseState(r.State)
	if !ok {
		return nil, fmt.Errorf("roster item: subscription %q is unknown", r.State)
	}
	return &Item{contact, r.Name, r.Groups, s, r.Approved, !r.Hidden}, nil
}

// empty tells that nothing is left to keep.
func (i *Item) empty() bool { return !i.Listed && !i.Approved && i.State == None }

func (i *Item) equal(o *Item) bool {
	return i.JID == o.JID && i.Name == o.Name && i.State == o.State && i.Approved == o.Approved &&
		i.Listed == o.Listed && slices.Equal(i.Groups, o.Groups)
}

// size is roughly what the item takes, in bytes.
func (i *Item) size() int {
	n := 128 + len(i.JID.String()) + len(i.Name)
	for _, g := range i.Groups {
		n += 24 + len(g)
	}
	return n
}

// append appends the <item/> of results and pushes.
// RFC 6121 §2.1.2
func (i *Item) append(b []byte) []byte {
	b = append(b, "<item jid='"...)
	b = xtok.Escape(b, i.JID.String())
	if i.Name != "" {
		b = append(b, "' name='"...)
		b = xtok.Escape(b, i.Name)
	}
	if i.Approved {
		b = append(b, "' approved='true"...)
	}
	if i.State.Out() {
		b = append(b, "' ask='subscribe"...)
	}
	b = append(b, "' subscription='"...)
	b = append(b, facts[i.State].subscription...)
	if len(i.Groups) == 0 {
		return append(b, "'/>"...)
	}
	b = append(b, "'>"...)
	for _, g := range i.Groups {
		b = append(b, "<group>"...)
		b = xtok.Escape(b, g)
		b = append(b, "</group>"...)
	}
	return append(b, "</item>"...)
}

// appendRemoved appends the <item/> that tells of a removal.
// RFC 6121 §2.5.2
func appendRemoved(b []byte, contact jid.JID) []byte {
	b = append(b, "<item jid='"...)
	b = xtok.Escape(b, contact.String())
	return append(b, "' subscription='remove'/>"...)
}
