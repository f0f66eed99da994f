package c2s

import (
	"errors"
	"strings"
	"testing"
)

// oneRecord yields its bytes in one read, as TLS does with a record; to read
// on would wait for the peer.
type oneRecord struct{ strings.Reader }

var errWaits = errors.New("waits for the peer")

func (r *oneRecord) Read(b []byte) (int, error) {
	if r.Len() == 0 {
		return 0, errWaits
	}
	return r.Reader.Read(b)
}

// The end tag of a stream is as long as the sip that an idle connection takes.
func TestWhatWasReadIsLookedAtBeforeMoreIsAwaited(t *testing.T) {
	const end = "</stream:stream>"
	r := &oneRecord{*strings.NewReader(end)}
	var in input
	if err := in.read(r); err != nil || string(in.bytes()) != end {
		t.Errorf("%q, %v", in.bytes(), err)
	}
}
