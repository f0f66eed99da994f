package e2ee

import (
	"slices"
	"time"
)

// spentLife is how long a pre-key that has begun a session is still good for another:
// nobody hands pre-keys out one by one, so that two who read the bundle at the same time may
// choose the same, and the second's messages would be lost. With a hundred keys and a
// few people who begin at once that is no rare case. The price is that the first
// message of such a session keeps its secrecy against a later theft of this device a day later than
// it could. The same message is opened once all the same (wasRead).
const spentLife = 24 * time.Hour

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
