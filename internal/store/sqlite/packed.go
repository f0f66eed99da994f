package sqlite

import (
	"encoding/binary"
	"errors"

	"mirsal/internal/store"
)

// group is what a row of grp holds: whose the records are, without their bodies.
type group struct {
	n       int64 // key of the row
	time    int64
	first   uint64
	records []record
	marks   []store.Mark
}

// record is a record without its body. One without entries was never owned; a
// deleted one keeps its place.
type record struct {
	deleted bool
	time    int64
	entries []entry
}

// entry is store.Entry with its names as numbers.
type entry struct {
	owner, peer int64
	flags       uint8
}

func (g *group) last() uint64 { return g.first + uint64(len(g.records)) - 1 }

func (g *group) empty() bool {
	for _, r := range g.records {
		if !r.deleted {
			return false
		}
	}
	return true
}

const packedVersion = 1

var errPacked = errors.New("damaged group")

// pack writes a group: version, first, number of records, each as the number of
// its entries plus one (0: deleted), its time relative to the group's and the
// entries; then the number of marks and the marks. Numbers are varints.
func (g *group) pack() []byte {
	b := make([]byte, 0, 16+12*len(g.records)+24*len(g.marks))
	b = append(b, packedVersion)
	b = binary.AppendUvarint(b, g.first)
	b = binary.AppendUvarint(b, uint64(len(g.records)))
	for _, r := range g.records {
		if r.deleted {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(r.entries))+1)
		b = binary.AppendVarint(b, r.time-g.time)
		for _, e := range r.entries {
			b = binary.AppendUvarint(b, uint64(e.owner))
			b = binary.AppendUvarint(b, uint64(e.peer))
			b = append(b, e.flags)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(g.marks)))
	for _, m := range g.marks {
		b = append(b, m.Session[:]...)
		b = binary.AppendUvarint(b, uint64(m.H))
	}
	return b
}

// unpack reads what pack wrote.
func unpack(n, time int64, b []byte) (*group, error) {
	d := decoder{b: b}
	g := &group{n: n, time: time}
	if d.byte() != packedVersion {
		return nil, errPacked
	}
	g.first = d.uvarint()
	g.records = make([]record, d.count(1))
	for i := range g.records {
		d.record(&g.records[i], time)
	}
	if marks := d.count(17); marks > 0 {
		g.marks = make([]store.Mark, marks)
	}
	for i := range g.marks {
		copy(g.marks[i].Session[:], d.bytes(16))
		g.marks[i].H = uint32(d.uvarint())
	}
	if d.bad || len(d.b) != 0 {
		return nil, errPacked
	}
	return g, nil
}

// decoder takes values off b; past a mistake it is bad and gives zeros.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) record(r *record, base int64) {
	n := d.uvarint()
	if n == 0 {
		r.deleted = true
		return
	}
	r.time = base + d.varint()
	if n-1 > uint64(len(d.b))/3 {
		d.bad = true
		return
	}
	r.entries = make([]entry, n-1)
	for i := range r.entries {
		r.entries[i] = entry{int64(d.uvarint()), int64(d.uvarint()), d.byte()}
	}
}

// count takes a number of things that are each at least size bytes.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.skip(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	d.skip(n)
	return v
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bytes(n int) []byte {
	b := d.b
	if n > len(b) {
		d.bad = true
		return nil
	}
	d.b = b[n:]
	return b[:n]
}

func (d *decoder) skip(n int) {
	if n <= 0 {
		d.bad, n = true, 0
	}
	d.b = d.b[n:]
}
