package e2ee

import (
	"maps"
	"slices"
	"strings"

	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// Devices lists an account's devices, active ones first, this one before all. A
// key that is offered for a known device is a row of its own.
func (b *Book) Devices(who jid.JID) []port.Device {
	who = who.Bare()
	own := who == b.own
	var active, silent []port.Device
	if own {
		active = append(active, b.here())
	}
	a := b.known(who)
	if a == nil {
		return active
	}
	for _, id := range a.ids() {
		if own && id == b.device.ID {
			continue
		}
		rows := a.rows(id, own)
		if a.active(id) {
			active = append(active, rows...)
		} else {
			silent = append(silent, rows...)
		}
	}
	return append(active, silent...)
}

// here is this very device.
func (b *Book) here() port.Device {
	return port.Device{
		Address: b.own.String(), ID: b.device.ID, Fingerprint: b.Fingerprint(), Trust: string(Verified),
		Active: !b.state.Off && b.account(b.own).active(b.device.ID), Own: true, Here: true, Label: b.name,
	}
}

// rows are a device and what is offered for it.
func (a *account) rows(id uint32, own bool) []port.Device {
	d := a.Devices[id]
	row := port.Device{
		Address: a.who.String(), ID: id, Fingerprint: d.Key, Trust: string(a.trust(d.Key)),
		Active: a.active(id), Own: own, Label: d.Label, Seen: d.Seen,
	}
	if d.Offered == "" {
		return []port.Device{row}
	}
	offered := row
	offered.Fingerprint, offered.Trust, offered.Label = d.Offered, string(Undecided), ""
	return []port.Device{row, offered}
}

// SetTrust decides about a key, for good: Verified, FirstUse or Refused. A key that was offered for
// a known device takes its place, unless it is refused. ErrNoKey: the account has no such key, or the decision is none.
func (b *Book) SetTrust(who jid.JID, fingerprint string, t Trust) (Step, error) {
	a := b.known(who.Bare())
	fingerprint = strings.ToLower(fingerprint)
	decided := t == Verified || t == FirstUse || t == Refused
	if a == nil || !decided || !a.known(fingerprint) {
		return Step{}, ErrNoKey
	}
	b.setTrust(a, fingerprint, t)
	return b.done(Step{}), nil
}

// Compared tells whether a person has verified a key of the account.
func (b *Book) Compared(who jid.JID) bool {
	a := b.known(who.Bare())
	return a != nil && a.compared()
}

func (a *account) known(fingerprint string) bool {
	_, decided := a.Keys[fingerprint]
	return fingerprint != "" && (decided || a.holds(fingerprint))
}

func (b *Book) setTrust(a *account, fingerprint string, t Trust) {
	a.setTrust(fingerprint, t)
	for _, d := range a.Devices {
		switch {
		case d.Offered == fingerprint && t == Refused:
			d.Offered = ""
		case d.Offered == fingerprint:
			b.adopt(a, d, fingerprint)
		case d.Key == fingerprint:
			d.Fetch = nil // what could not be had before the decision may be had now
		}
	}
	b.touch(a)
}

// Decision is what was decided about one key, to be handed to a new device of one's own.
type Decision struct {
	Address     string `json:"address"`
	Fingerprint string `json:"fingerprint"`
	Trust       Trust  `json:"trust"`
}

// Decisions are all decisions that people have made.
func (b *Book) Decisions() []Decision {
	var out []Decision
	for _, a := range b.everybody() {
		for _, fp := range slices.Sorted(maps.Keys(a.Keys)) {
			if t := a.Keys[fp]; t == Verified || t == Refused {
				out = append(out, Decision{a.who.String(), fp, t})
			}
		}
	}
	return out
}

// Adopt takes over decisions of another device of one's own, which has proved to be one. What was
// decided here stays; what is malformed is passed over.
func (b *Book) Adopt(list []Decision) Step {
	for _, d := range list {
		who, err := jid.Parse(d.Address)
		if err != nil || !isFingerprint(d.Fingerprint) || d.Trust != Verified && d.Trust != Refused {
			continue
		}
		a := b.account(who)
		if t := a.Keys[d.Fingerprint]; t != Verified && t != Refused && d.Fingerprint != b.Fingerprint() {
			b.setTrust(a, d.Fingerprint, d.Trust)
		}
	}
	return b.done(Step{})
}

// isFingerprint tells whether a text is 64 small hexadecimal digits.
func isFingerprint(s string) bool {
	return len(s) == 2*len(omemo.IdentityKey{}) && strings.Trim(s, "0123456789abcdef") == ""
}
