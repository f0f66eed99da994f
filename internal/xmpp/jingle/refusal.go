package jingle

// Reason is why something is no call of this grammar: a small closed set, to be
// counted by.
type Reason uint8

// The reasons.
const (
	NotACall  Reason = iota // another element, or a Jingle session of another kind
	Missing                 // a part that must be there is not
	Malformed               // a value that its kind does not allow
	Doubled                 // there twice, and not the same
	TooMany                 // more of a kind than the limit
	TooLong                 // a value, or the whole
	Insecure                // media without a DTLS fingerprint, or with a weak one

	// Reasons is how many there are.
	Reasons = int(Insecure) + 1
)

// String is the reason in one word, as a counter's label.
func (r Reason) String() string {
	switch r {
	case NotACall:
		return "not-a-call"
	case Missing:
		return "missing"
	case Malformed:
		return "malformed"
	case Doubled:
		return "doubled"
	case TooMany:
		return "too-many"
	case TooLong:
		return "too-long"
	case Insecure:
		return "insecure"
	}
	return "unknown"
}

// Refusal says why something was not read. Nothing of the sender's bytes is in
// it.
type Refusal struct {
	Reason Reason
	Where  string // the element or attribute of the grammar
}

func (r *Refusal) Error() string {
	return "jingle: " + r.Where + " is refused: " + r.Reason.String()
}

// reader keeps the first refusal; what is read after it counts for nothing.
type reader struct{ refusal *Refusal }

func (r *reader) refuse(reason Reason, where string) {
	if r.refusal == nil {
		r.refusal = &Refusal{reason, where}
	}
}

func (r *reader) failed() bool { return r.refusal != nil }

// err is the first refusal as an error, nil if there was none.
func (r *reader) err() error {
	if r.refusal == nil {
		return nil
	}
	return r.refusal
}
