package files

import (
	"context"
	"io"
)

// Doer speaks HTTP: NewHTTP in programs; in browsers it is fetch. Addresses given to it were
// allowed by the Policy; where it follows a redirect it has to ask again. Both methods
// end when ctx does.
type Doer interface {
	// Put sends a body of exactly size bytes and returns the answer. Redirects are not
	// followed. The body may still be read while Put returns; it is closed by the caller.
	Put(ctx context.Context, r PutRequest) (*Answer, error)
	// Get asks for a file, from a byte on.
	Get(ctx context.Context, r GetRequest) (*Answer, error)
}

// PutRequest is a PUT.
type PutRequest struct {
	URL     string
	Type    string // Content-Type
	Headers []Header
	Body    io.Reader
	Size    int64
	// Sent hears from an AheadReader how many bytes have gone; nil is nobody.
	Sent func(n int64)
}

// AheadReader is a Doer that reads a body before it sends it, and tells PutRequest.Sent
// how much has gone. Others send what they read.
type AheadReader interface{ ReadsAhead() }

// GetRequest is a GET of a file, or of what is missing of it.
type GetRequest struct {
	URL  string
	From int64 // first byte; 0 for no Range
	// ETag of what is here, for If-Range; "" for none. A Doer that cannot send it may
	// leave it out: that of the answer is compared as well.
	ETag string
}

// Answer is what comes back. All of its fields are the server's words.
type Answer struct {
	Status       int
	Size         int64 // of the body in bytes, -1 unknown
	ETag         string
	ContentRange string
	RetryAfter   string
	Body         io.ReadCloser // never nil
}
