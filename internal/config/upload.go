package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Upload is for the files that people send.
type Upload struct {
	Enabled bool `toml:"enabled"`
	// PublicURL is that of links to files, where it is not the server's.
	PublicURL string   `toml:"public_url"`
	MaxSize   int      `toml:"max_size"`
	Quota     int      `toml:"quota"`
	Files     int      `toml:"files"`
	Keep      Duration `toml:"keep"`
	MinFree   int      `toml:"min_free"`
	Store     string   `toml:"store"` // InFolder or InS3
	Folder    string   `toml:"folder"`
	S3        S3       `toml:"s3"`
}

// Values of Upload.Store.
const (
	InFolder = "folder"
	InS3     = "s3"
)

// S3 is a bucket.
type S3 struct {
	Endpoint      string `toml:"endpoint"`
	Bucket        string `toml:"bucket"`
	Region        string `toml:"region"`
	AccessKey     string `toml:"access_key"`
	SecretKey     string `toml:"secret_key"`
	SecretKeyFile string `toml:"secret_key_file"`
	Prefix        string `toml:"prefix"`
}

func defaultUpload() Upload {
	return Upload{
		Enabled: true, MaxSize: 100 << 20, Quota: 1 << 30, Files: 10_000, Keep: Duration{30 * 24 * time.Hour}, MinFree: 1 << 30,
		Store: InFolder, S3: S3{Region: "us-east-1"},
	}
}

// Secret is the secret key, from its file if it has one.
func (s *S3) Secret() (string, error) {
	if s.SecretKeyFile == "" {
		return s.SecretKey, nil
	}
	b, err := os.ReadFile(s.SecretKeyFile)
	if err != nil {
		return "", fmt.Errorf("upload.s3.secret_key_file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// maxObject is the largest file that one request puts into a bucket, in bytes.
const maxObject = 5 << 30

// checkUpload refuses what no file could be kept with.
func (c *Config) checkUpload() error {
	u := &c.Upload
	if !u.Enabled {
		return nil
	}
	if _, taken := c.Components["upload."+c.Domain]; taken {
		return fmt.Errorf("components: upload.%s is the server's own; upload.enabled=false gives it away", c.Domain)
	}
	for _, n := range []struct {
		key           string
		value, lo, hi int
	}{
		{"upload.max_size", u.MaxSize, 1024, 1 << 40},
		{"upload.quota", u.Quota, 1024, 1 << 50},
		{"upload.files", u.Files, 1, 1_000_000},
		{"upload.min_free", u.MinFree, 0, 1 << 50},
	} {
		if n.value < n.lo || n.value > n.hi {
			return fmt.Errorf("%s: %d is not between %d and %d", n.key, n.value, n.lo, n.hi)
		}
	}
	if k := u.Keep.Duration; k != 0 && (k < time.Hour || k > 3650*24*time.Hour) {
		return fmt.Errorf("upload.keep: %s is neither 0s nor between 1h and 3650d", u.Keep.written())
	}
	if at, err := url.Parse(u.PublicURL); u.PublicURL != "" && (err != nil || !isPlace(at)) {
		return fmt.Errorf("upload.public_url: %q is not like https://files.example.org, without a path", u.PublicURL)
	}
	return u.checkStore()
}

func (u *Upload) checkStore() error {
	switch u.Store {
	case InFolder:
		return nil
	case InS3:
		if err := u.S3.check(); err != nil {
			return fmt.Errorf("upload.s3%w", err)
		}
		if u.MaxSize > maxObject {
			return fmt.Errorf("upload.max_size: a bucket takes files of at most %d bytes", maxObject)
		}
		return nil
	}
	return fmt.Errorf("upload.store: %q is none of %q", u.Store, []string{InFolder, InS3})
}

func (s *S3) check() error {
	for _, w := range []struct{ key, value string }{
		{"bucket", s.Bucket}, {"region", s.Region}, {"access_key", s.AccessKey},
	} {
		if w.value == "" {
			return fmt.Errorf(".%s may not be empty", w.key)
		}
	}
	at, err := url.Parse(s.Endpoint)
	switch {
	case err != nil || !isPlace(at):
		return fmt.Errorf(".endpoint: %q is not like https://s3.example.org, without a path", s.Endpoint)
	case strings.ContainsAny(s.Bucket, "/ ") || strings.HasPrefix(s.Prefix, "/"):
		return errors.New(": a bucket has no / in its name, and a prefix none at its beginning")
	case (s.SecretKey == "") == (s.SecretKeyFile == ""):
		return errors.New(": give either secret_key or secret_key_file")
	}
	secret, err := s.Secret()
	switch {
	case err != nil:
		return fmt.Errorf(".secret_key_file cannot be read: %w", errors.Unwrap(err))
	case secret == "":
		return errors.New(".secret_key_file is empty")
	}
	return nil
}
