// Package keep declares how the client keeps what must survive it: tables of
// keys and bytes, changed by batches. The stores are Memory here (tests),
// keep/sqlite (the terminal) and the one of the browser; all of them pass
// keep/keeptest.
//
// It is no query language and knows nothing of what is kept: each package
// declares its own tables and encodes its own values. Invariants: a batch
// happens wholly or not at all, and what Apply returned nil for survives a
// power cut; keys are any bytes and come in the order of their bytes; slices
// handed in are not kept, slices handed out belong to the caller. A Store
// is used from one goroutine at a time.
package keep

import "errors"

// Errors that callers branch on. Their texts are for people.
var (
	// ErrClosed is what every method of a closed Store returns but Close.
	ErrClosed = errors.New("the local data was closed")
	// ErrInUse is a store that another program has open, or this one.
	ErrInUse = errors.New("this profile is open in another program")
	// ErrDamaged is a store that cannot be trusted any more.
	ErrDamaged = errors.New("the local data is damaged")
	// ErrBroken is a store that failed so that only opening it again shows whether
	// the latest batch was done; until then it refuses everything.
	ErrBroken = errors.New("the local data could not be written; start again")
)

// Table names one kind of thing that is kept. Each package declares its own as
// constants, by its name and what it is: const devices keep.Table = "omemo.devices".
// A table needs no making: one never written to is empty.
type Table string

// Store keeps the state of one account on one device.
type Store interface {
	// Get returns the value of a key; nil when there is none, and an empty slice
	// that is not nil for an empty value.
	Get(t Table, key string) ([]byte, error)
	// Scan calls f with the entries of a range until f returns false. f must not
	// use the store.
	Scan(t Table, r Range, f func(key string, value []byte) bool) error
	// Apply runs the steps of a batch in order, in one transaction, durable on
	// return. An error means that nothing of it was done, unless it wraps ErrBroken.
	// A nil or empty batch is nothing.
	Apply(b *Batch) error
	// Close ends the use of the store; closing again is no error.
	Close() error
}
