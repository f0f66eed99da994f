package indexeddb

import (
	"fmt"
	"syscall/js"
)

// What the database has besides its rows is in a store of its own, own: the key by which values
// are sealed, and whether all of them are.
const (
	own      = "own"
	ownKey   = "key"    // the CryptoKey
	ownWhole = "sealed" // true when no value is left as older programs kept it
)

// ErrLost is for a database whose key the browser has not kept, or cannot give back:
// what is there cannot be read by anybody. It wraps ErrGone.
var ErrLost = fmt.Errorf("the key of what was kept here is lost: %w", ErrGone)

// mayLack is the key of the row that says that there is a key: where it stands and there is none,
// the key was lost. No table's row has it, as with mark.
func mayLack() js.Value { return array("\x01") }

// unlock finds the key, or makes it where nothing is sealed yet.
func (s *Store) unlock() error {
	tx := s.transaction("readonly", rows, own)
	had, err := s.wait(tx.Call("objectStore", rows).Call("count", mayLack()))
	if err != nil {
		return err
	}
	key, err := s.wait(tx.Call("objectStore", own).Call("get", ownKey))
	switch {
	case err != nil:
		return err
	case isKey(key):
	case had.Int() > 0:
		return ErrLost
	default:
		if key, err = s.makeKey(); err != nil {
			return err
		}
	}
	s.sealer = newSealer(key)
	return s.sealAll()
}

// makeKey makes the key, and has it kept before anything is sealed by it.
func (s *Store) makeKey() (js.Value, error) {
	key, err := freshKey()
	if err != nil {
		return key, fmt.Errorf("the browser makes no key: %w", err)
	}
	tx := s.writes(rows, own)
	tx.Call("objectStore", own).Call("add", key, ownKey)
	tx.Call("objectStore", rows).Call("put", true, mayLack())
	return key, s.finish(tx)
}

// sealAll seals what an older program has kept as it was, page by page; one who is stopped
// in the midst of it goes on another time.
func (s *Store) sealAll() error {
	tx := s.transaction("readonly", own)
	whole, err := s.wait(tx.Call("objectStore", own).Call("get", ownWhole))
	if err != nil || whole.Truthy() {
		return err
	}
	for from := "\x00\x00"; from != ""; {
		if from, err = s.sealPage(from); err != nil {
			return err
		}
	}
	tx = s.writes(own)
	tx.Call("objectStore", own).Call("put", true, ownWhole)
	return s.finish(tx)
}

// sealPage seals a page of rows from a key on; the result is where the next begins, "" for
// nowhere.
func (s *Store) sealPage(from string) (next string, err error) {
	keys, kept, err := s.rowsFrom(js.Global().Get("IDBKeyRange").Call("lowerBound", array(from)), page)
	if err != nil {
		return "", err
	}
	var plain []row
	for i, v := range kept {
		if v.InstanceOf(s.sealer.bytes) {
			plain = append(plain, row{keys[i], slice(v)})
		}
	}
	if err := s.write(plain, nil); err != nil {
		return "", err
	}
	if len(keys) < page {
		return "", nil
	}
	return keys[len(keys)-1] + "\x00", nil
}
