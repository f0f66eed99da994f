package e2ee

// Offered tells whether others could write to this device before: the server had its bundles, and a
// list with it.
func (b *Book) Offered() bool {
	for _, p := range b.profiles {
		if b.state.Published[p] == "" {
			return false
		}
	}
	return b.state.Listed
}

// Offering tells whether something is under way that may lead there.
func (b *Book) Offering() bool {
	for what := range b.asked {
		if what.who == b.own {
			return true
		}
	}
	return false
}
