package e2ee

import (
	"slices"
	"time"
)

// spentLife is how long a pre-key that has begun a session is still good for another, not
// counting catch-up: nobody hands pre-keys out one by one, so that two who read the bundle before it is
// replaced may choose the same, and the second's first messages would be lost without a word to either.
// XEP-0384 wants the key gone "eventually", and not before catch-up ends. Who can have chosen it has read
// the bundle at the latest refreshEvery after its first use, and writes as a rule within seconds, or within
// the minutes that a chat is open before something is written in it; an hour covers that.
//
// The price is paid by the messages before our first answer alone, which goes out when the session begins:
// for an hour longer than need be, who steals this device and has their ciphertext can read them. Their plain
// text lies on the same device unless it was deleted within that hour.
// The same message is opened once all the same (wasRead).
const spentLife = time.Hour

// spend takes a pre-key off the bundle, and notes from when on it is not good any more.
func (b *Book) spend(preKey uint32) {
	b.device = b.device.Used(preKey)
	b.keepDevice()
	if b.state.Spent == nil {
		b.state.Spent = map[uint32]time.Time{}
	}
	if preKey != 0 && b.state.Spent[preKey].IsZero() {
		b.state.Spent[preKey], b.changed = b.now(), true
	}
	for id := range b.state.Spent {
		if !b.device.Has(id) { // the device keeps so many and no more
			delete(b.state.Spent, id)
		}
	}
	b.forgetSpent()
}

// forgetSpent throws away the pre-keys whose time is over; none within catch-up, where
// messages may be of any age.
func (b *Book) forgetSpent() {
	if b.catchUp {
		return
	}
	for id, at := range b.state.Spent {
		if b.now().Sub(at).Abs() >= spentLife {
			b.device = b.device.Without(id)
			b.keepDevice()
			delete(b.state.Spent, id)
			b.changed = true
		}
	}
}

// spentDue is when the next pre-key is to be thrown away; zero: none is.
func (b *Book) spentDue() time.Time {
	var times []time.Time
	for _, at := range b.state.Spent {
		times = append(times, at.Add(spentLife))
	}
	if len(times) == 0 || b.catchUp {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}
