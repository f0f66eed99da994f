package keep

import "bytes"

// Step is one put or one deletion of a batch.
type Step struct {
	Table Table
	Key   string
	Value []byte // nil deletes the key; an empty value is not nil
}

// Batch is a list of changes that happen together. The zero value is an empty
// batch, ready for use; of several steps for one key the last counts.
type Batch struct {
	steps []Step
}

// Put writes a key. The value is copied; nil is kept as an empty value.
func (b *Batch) Put(t Table, key string, value []byte) {
	v := bytes.Clone(value)
	if v == nil {
		v = []byte{}
	}
	b.steps = append(b.steps, Step{t, key, v})
}

// Delete removes a key; one that is not there is no error.
func (b *Batch) Delete(t Table, key string) {
	b.steps = append(b.steps, Step{Table: t, Key: key})
}

// Add appends the steps of another batch, which may be nil and stays as it is.
func (b *Batch) Add(other *Batch) {
	if other != nil {
		b.steps = append(b.steps, other.steps...)
	}
}

// Len is the number of steps; 0 for a nil batch.
func (b *Batch) Len() int {
	if b == nil {
		return 0
	}
	return len(b.steps)
}

// Steps lists the changes in order, for stores. It must not be changed.
func (b *Batch) Steps() []Step {
	if b == nil {
		return nil
	}
	return b.steps
}
