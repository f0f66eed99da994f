package store

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Errors of Blob that callers branch on, besides ErrNotFound.
var (
	// ErrLength: what was to be put is shorter or longer than was said.
	ErrLength = errors.New("not as long as it should be")
	ErrName   = errors.New("no name of a blob")
)

// MaxBlobName is the longest name of a blob, in bytes.
const MaxBlobName = 128

// Blob keeps whole files by name: those that people send. Engines are folder
// and s3, and blobtest is their contract suite.
//
// A name is 3 to MaxBlobName small letters, digits and hyphens; its beginning
// should be random, for engines spread blobs by it. All methods may be called
// from any goroutine, and Put with one name by one at a time.
type Blob interface {
	// Put reads size bytes from r, which must end there (else ErrLength), and keeps them
	// under a name, over what was there. It is whole and durable on return, and
	// nobody sees it before. After an error nothing has changed, and nothing is left
	// that is not gone when the engine is opened again. An engine behind a network may have
	// it all the same when the answer was lost: delete what nobody knows of.
	Put(ctx context.Context, name string, size int64, r io.Reader) error
	// Open reads a blob, or fails with ErrNotFound. The context holds until Close. Who
	// has it open may go on reading when it is deleted, or gets an error.
	Open(ctx context.Context, name string) (BlobReader, error)
	// Delete removes a blob; a missing one is no error.
	Delete(ctx context.Context, name string) error
	// List calls f with the names that begin with a prefix, in order, and stops at
	// its first error, which it returns. f may delete the blob that it is called with.
	// Blobs put or deleted meanwhile may be left out or not.
	List(ctx context.Context, prefix string, f func(name string) error) error
	// Free is how many more bytes fit, by what the system says now.
	Free() (int64, error)
	// String names the engine and where it keeps things, without secrets.
	String() string
}

// BlobReader is an open blob. It belongs to one goroutine.
type BlobReader interface {
	io.ReadSeekCloser
	Size() int64 // bytes
}

// CheckBlobName returns ErrName unless a name is one of a blob. Engines check
// with it what they are given.
func CheckBlobName(name string) error {
	if len(name) < 3 || len(name) > MaxBlobName || !isBlobText(name) {
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	return nil
}

func isBlobText(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
