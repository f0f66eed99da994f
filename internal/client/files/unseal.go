package files

import (
	"context"
	"errors"
	"hash"
	"io"
)

// unseal decrypts the part into a sink and commits it when it is proven.
func (g *getting) unseal(ctx context.Context) error {
	size, err := g.f.Part.Size()
	if err != nil {
		return local(err)
	}
	from, err := g.f.Part.Open()
	if err != nil {
		return local(err)
	}
	defer from.Close()
	sink, err := g.f.Sink()
	if err != nil {
		return local(err)
	}
	defer sink.Abort()
	if err := g.copy(ctx, from, size, sink); err != nil {
		return err
	}
	return local(sink.Commit())
}

// errTampered is for people.
func errTampered(err error) *Failure {
	return fail(Tampered, err, "the file is not what was sent; it was damaged or changed on the way")
}

// copy writes what the part holds to the sink and returns nil when it is what was sent.
func (g *getting) copy(ctx context.Context, from io.Reader, size int64, sink io.Writer) error {
	if d := &g.d; d.Source.Cipher == Clear && d.Size >= 0 && size != d.Size {
		return errTampered(errors.New("files: not of the size that was said"))
	}
	want, sum := strongest(g.d.Sums)
	out := &cut{to: sink, sum: sum, left: g.d.Size}
	err := g.decrypt(ctx, from, size, out, want != nil)
	switch {
	case errors.Is(err, errTag):
		return errTampered(err)
	case err != nil:
		return err
	case out.left > 0:
		return errTampered(errors.New("files: shorter than was said"))
	case want != nil && !same(want, sum.Sum(nil)):
		return errTampered(errors.New("files: the hash is another"))
	}
	return nil
}

// decrypt writes the file in the clear. What it wrote is proven by the tag at the end
// of what came. XEP-0448 leaves the tag out of need, as there is a hash of the file: then
// what came is as long as the file.
// XEP-0448#ciphers
func (g *getting) decrypt(ctx context.Context, from io.Reader, size int64, out io.Writer, hashed bool) error {
	if g.d.Source.Cipher == Clear {
		return pump(ctx, from, size, out, func([]byte) {})
	}
	c, err := newGCM(g.d.Source.Key, g.d.Source.IV)
	if err != nil {
		return fail(Unreadable, err, "the file is encrypted in a way that is not known here")
	}
	if hashed && size == g.d.Size {
		return pump(ctx, from, size, out, c.open)
	}
	if size < tagSize || size-tagSize > maxPlain {
		return errTag
	}
	if err := pump(ctx, from, size-tagSize, out, c.open); err != nil {
		return err
	}
	var tag [tagSize]byte
	if _, err := io.ReadFull(from, tag[:]); err != nil {
		return local(err)
	}
	return c.verify(tag[:])
}

// pump copies n bytes through a change, a chunk at a time.
func pump(ctx context.Context, from io.Reader, n int64, out io.Writer, change func([]byte)) error {
	buf := make([]byte, chunk)
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(n, chunk)]
		if _, err := io.ReadFull(from, b); err != nil {
			return local(err)
		}
		change(b)
		if _, err := out.Write(b); err != nil {
			return local(err)
		}
		n -= int64(len(b))
	}
	return nil
}

// cut writes, and hashes, at most as many bytes as the file has; those beyond are
// dropped. A size below 0 is no limit.
// XEP-0448#file-receive
type cut struct {
	to   io.Writer
	sum  hash.Hash // nil for none
	left int64
}

func (c *cut) Write(b []byte) (int, error) {
	all := len(b)
	if c.left >= 0 {
		b = b[:min(int64(all), c.left)]
		c.left -= int64(len(b))
	}
	if c.sum != nil {
		_, _ = c.sum.Write(b) // it never fails
	}
	if _, err := c.to.Write(b); err != nil {
		return 0, err
	}
	return all, nil
}
