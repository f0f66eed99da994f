// Package s3 keeps blobs in a bucket of a server that speaks the protocol of
// Amazon S3: the engine of store.Blob for many machines. It is no cache, and
// makes no buckets.
//
// A blob first comes to a file of its own on this machine (the spool), and goes from there in
// one request: who sends slowly does not keep the bucket waiting, a request that failed is
// made again, and the bucket never holds a part of one. Invariants: an object is
// there whole or not at all; what is in the spool at the start was broken off,
// and is removed. One process has the prefix and the spool. The secret key is
// in no error and no log.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"mirsal/internal/store"
	"mirsal/internal/store/folder"
)

// MaxSize is the largest object that one request may make, in bytes.
const MaxSize = 5 << 30

// Config says where the bucket is. All but Prefix is needed.
type Config struct {
	Endpoint  string // http:// or https:// and a host
	Bucket    string
	Region    string
	AccessKey string
	SecretKey string
	Prefix    string // of the names of all objects
	Spool     string // a folder on this machine
}

// Bucket is an engine. It satisfies store.Blob.
type Bucket struct {
	cfg    Config
	client *s3.Client
}

// Open prepares the spool. It asks nothing of the bucket.
func Open(cfg Config) (*Bucket, error) {
	if err := os.RemoveAll(cfg.Spool); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Spool, 0o700); err != nil {
		return nil, err
	}
	return &Bucket{cfg, s3.New(s3.Options{
		BaseEndpoint: aws.String(cfg.Endpoint), Region: cfg.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(cfg.AccessKey, cfg.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: transport()},
		// COMPAT: servers other than Amazon's do not know the newer checksums
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})}, nil
}

// transport gives up on a server that does not answer, however long bodies take.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second,
		WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
	}
}

// String tells where the objects are.
func (b *Bucket) String() string {
	return "bucket " + b.cfg.Bucket + " at " + b.cfg.Endpoint
}

func (b *Bucket) key(name string) *string { return aws.String(b.cfg.Prefix + name) }

// Put satisfies store.Blob.
func (b *Bucket) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := store.CheckBlobName(name); err != nil {
		return err
	}
	spool, err := os.CreateTemp(b.cfg.Spool, "*")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	if err := folder.Fill(ctx, spool, size, r); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.cfg.Bucket, Key: b.key(name), Body: spool, ContentLength: aws.Int64(size),
		ContentType: aws.String("application/octet-stream"),
	})
	return err
}

// Open satisfies store.Blob.
func (b *Bucket) Open(ctx context.Context, name string) (store.BlobReader, error) {
	if err := store.CheckBlobName(name); err != nil {
		return nil, err
	}
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.cfg.Bucket, Key: b.key(name)})
	if isMissing(err) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &reader{ctx: ctx, b: b, name: name, etag: head.ETag, size: aws.ToInt64(head.ContentLength)}, nil
}

// isMissing tells whether there is no such object.
func isMissing(err error) bool {
	var status interface{ HTTPStatusCode() int }
	var noKey *types.NoSuchKey
	var notFound *types.NotFound
	return errors.As(err, &noKey) || errors.As(err, &notFound) ||
		errors.As(err, &status) && status.HTTPStatusCode() == http.StatusNotFound
}

// Delete satisfies store.Blob.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := store.CheckBlobName(name); err != nil {
		return err
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Bucket, Key: b.key(name)})
	if isMissing(err) {
		return nil
	}
	return err
}

// List satisfies store.Blob.
func (b *Bucket) List(ctx context.Context, prefix string, call func(name string) error) error {
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.cfg.Bucket, Prefix: b.key(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			name, ours := strings.CutPrefix(aws.ToString(o.Key), b.cfg.Prefix)
			if !ours || store.CheckBlobName(name) != nil {
				continue // somebody else's
			}
			if err := call(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Free satisfies store.Blob: a bucket has no end, the spool has.
func (b *Bucket) Free() (int64, error) { return folder.FreeAt(b.cfg.Spool) }

// reader reads an object from where it is asked to, by one request for each place.
type reader struct {
	ctx  context.Context
	b    *Bucket
	name string
	etag *string
	size int64
	at   int64
	body io.ReadCloser // of a request from at; nil where none runs
}

func (r *reader) Size() int64 { return r.size }

func (r *reader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if r.body == nil {
		got, err := r.b.client.GetObject(r.ctx, &s3.GetObjectInput{
			Bucket: &r.b.cfg.Bucket, Key: r.b.key(r.name), Range: aws.String(fmt.Sprintf("bytes=%d-", r.at)), IfMatch: r.etag,
		})
		if err != nil {
			return 0, err
		}
		r.body = got.Body
	}
	n, err := r.body.Read(p)
	r.at += int64(n)
	if err == io.EOF && r.at < r.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return r.at, errors.New("s3: a place before the beginning")
	}
	if offset == r.at {
		return r.at, nil
	}
	r.at = offset
	return r.at, r.Close()
}

// Close ends a request that runs.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
