package omemo

import (
	"encoding/binary"
	"math"
)

// The few protobuf messages of OMEMO have numbers of 32 bits and byte strings, and
// no field twice: this reads and writes exactly that.

// fields are the fields of one message by number; unknown ones are left out.
type fields struct {
	number [8]uint32
	bytes  [8][]byte
	has    [8]bool
}

// readFields reads a protobuf message. A field that comes twice, a group, and a
// number over 32 bits in a known field are ErrMalformed. Byte strings point into b.
func readFields(b []byte) (f fields, err error) {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag > math.MaxUint32 {
			return f, ErrMalformed
		}
		if b, err = f.read(b[n:], int(tag>>3), tag&7); err != nil {
			return f, err
		}
	}
	return f, nil
}

// read takes one field's value off b.
func (f *fields) read(b []byte, number int, wire uint64) (rest []byte, err error) {
	value, size := uint64(0), 0
	switch wire {
	case 0:
		if value, size = binary.Uvarint(b); size <= 0 {
			return nil, ErrMalformed
		}
	case 1:
		size = 8
	case 2:
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return nil, ErrMalformed
		}
		b, size = b[n:], int(length)
	case 5:
		size = 4
	default:
		return nil, ErrMalformed
	}
	if size > len(b) {
		return nil, ErrMalformed
	}
	if number < len(f.has) {
		return b[size:], f.set(number, wire, value, b[:size])
	}
	return b[size:], nil
}

func (f *fields) set(number int, wire, value uint64, bytes []byte) error {
	if f.has[number] || wire != 0 && wire != 2 || value > math.MaxUint32 {
		return ErrMalformed
	}
	f.has[number] = true
	if wire == 0 {
		f.number[number] = uint32(value)
	} else {
		f.bytes[number] = bytes
	}
	return nil
}

// uint is a number that must be there.
func (f *fields) uint(number int) (uint32, error) {
	if !f.has[number] || f.bytes[number] != nil {
		return 0, ErrMalformed
	}
	return f.number[number], nil
}

// string is a byte string that must be there, of at most most bytes.
func (f *fields) string(number, most int) ([]byte, error) {
	b := f.bytes[number]
	if b == nil || len(b) > most {
		return nil, ErrMalformed
	}
	return b, nil
}

func appendUint(b []byte, number int, v uint32) []byte {
	return binary.AppendUvarint(append(b, byte(number<<3)), uint64(v))
}

func appendBytes(b []byte, number int, v []byte) []byte {
	b = binary.AppendUvarint(append(b, byte(number<<3|2)), uint64(len(v)))
	return append(b, v...)
}
