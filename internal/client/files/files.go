// Package files sends and fetches files over HTTP, encrypted end to end: links of
// XEP-0454 version 0.1.0, read and written; shared files of XEP-0447 version 0.3.1
// and XEP-0448 version 0.2.0 with their metadata by XEP-0446 version 0.2.0, read; upload
// slots of XEP-0363 version 1.2.0.
//
// It sends no stanzas and knows no HTTP by itself: the engine asks for slots, and a
// Doer speaks HTTP, net/http in programs and fetch in browsers. It shows no
// picture and believes nothing that a link or a server says of a file.
//
// Invariants: what is fetched is kept encrypted until all of it is here, and what is
// decrypted becomes a file only when its tag, or its hash, was right; no key encrypts
// two files, nor one file twice; https only, but for loopback addresses where the
// Policy allows them; memory for a file of any size is a few chunks of 64 KiB.
package files

import (
	"fmt"
	"strconv"
	"time"
)

// Kind says in one word why a file did not go or come.
type Kind string

// The kinds.
const (
	Unreachable Kind = "unreachable" // no connection, or it broke too often
	TooLarge    Kind = "too-large"   // for the server, or for us
	Full        Kind = "full"        // the account's quota, or the server's disk
	Refused     Kind = "refused"     // the server said no
	Gone        Kind = "gone"        // the file is not there, or not any more
	Tampered    Kind = "tampered"    // what came is not what was sent
	Insecure    Kind = "insecure"    // it would go over the network in the clear
	Unreadable  Kind = "unreadable"  // encrypted in a way, or kept in a place, unknown here
	Changed     Kind = "changed"     // the file changed while it was being sent
	Local       Kind = "local"       // this machine's disk
)

// Failure is why a file did not go or come, for good: what may pass was tried again.
type Failure struct {
	Kind  Kind
	Text  string    // for people: plain English, nothing secret; may quote the server
	Most  int64     // TooLarge: bytes that a file may have, 0 unknown
	Retry time.Time // Full: when to try again, zero unknown
	Err   error     // for the log, may be nil
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Text
	}
	return f.Text + ": " + f.Err.Error()
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

func fail(k Kind, err error, format string, args ...any) *Failure {
	return &Failure{Kind: k, Text: fmt.Sprintf(format, args...), Err: err}
}

// tooLarge is the failure of a file above a limit of so many bytes, 0 for unknown.
func tooLarge(most int64) *Failure {
	f := fail(TooLarge, nil, "the file is too large")
	if f.Most = most; most > 0 {
		f.Text += "; at most " + Bytes(most) + " are allowed"
	}
	return f
}

// Bytes is a number of bytes as people write it: 5.2 MB.
func Bytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	x, i := float64(n)/1000, 0
	for x >= 999.95 && i < len(units)-1 {
		x, i = x/1000, i+1
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + units[i:i+1] + "B"
}
