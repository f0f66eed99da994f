package c2s

import (
	"io"
	"sync"
)

// input is the read buffer. Between stanzas it holds no memory but sip: an
// idle connection waits in a read of a few bytes, and takes a buffer from the pool
// only when something comes.
type input struct {
	buf []byte // buf[at:] is not yet consumed
	at  int
	sip [16]byte
}

const inputSize = 4 << 10

var inputs = sync.Pool{New: func() any { b := make([]byte, 0, inputSize); return &b }}

// bytes are what was read and not consumed.
func (in *input) bytes() []byte { return in.buf[in.at:] }

// consume takes n bytes off the front.
func (in *input) consume(n int) { in.at += n }

// discard forgets what was read.
func (in *input) discard() { in.at = len(in.buf) }

// read reads some more. With nothing in hand it waits without a buffer; what
// comes then is a sip, which may be a whole element, and the next call gets the rest.
func (in *input) read(r io.Reader) error {
	if in.at == len(in.buf) {
		in.giveBack()
		n, err := r.Read(in.sip[:])
		if n == 0 {
			return err
		}
		in.buf = append((*inputs.Get().(*[]byte))[:0], in.sip[:n]...)
		return nil
	}
	in.makeRoom()
	n, err := r.Read(in.buf[len(in.buf):cap(in.buf)])
	in.buf = in.buf[:len(in.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// makeRoom moves what is left to the front and grows a buffer that is full.
func (in *input) makeRoom() {
	if in.at > 0 {
		n := copy(in.buf, in.buf[in.at:])
		in.buf, in.at = in.buf[:n], 0
	}
	if len(in.buf) == cap(in.buf) {
		in.buf = append(make([]byte, 0, 2*cap(in.buf)), in.buf...)
	}
}

func (in *input) giveBack() {
	if cap(in.buf) > 0 && cap(in.buf) <= 4*inputSize {
		b := in.buf[:0]
		inputs.Put(&b)
	}
	in.buf, in.at = nil, 0
}
