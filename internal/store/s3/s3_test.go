package s3

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/blobtest"
)

func (s *standIn) config(t *testing.T) Config {
	return Config{
		Endpoint: s.srv.URL, Bucket: bucket, Region: "eu-test-1", AccessKey: accessKey, SecretKey: secretKey,
		Prefix: "mirsal/", Spool: filepath.Join(t.TempDir(), "spool"),
	}
}

func open(t *testing.T, s *standIn) *Bucket {
	t.Helper()
	b, err := Open(s.config(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) store.Blob { return open(t, newStandIn(t)) }, func(t *testing.T, b store.Blob) store.Blob {
		cfg := b.(*Bucket).cfg
		// as a crash leaves it
		if err := os.WriteFile(filepath.Join(cfg.Spool, "123"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(cfg.Spool); err != nil || len(left) > 0 {
			t.Error("left in the spool", left, err)
		}
		return again
	})
}

func TestOthersInTheBucketAreLeftAlone(t *testing.T) {
	s := newStandIn(t)
	b := open(t, s)
	s.objects["elsewhere/abc"], s.objects["mirsal/README.txt"], s.objects["mirsal/sub/abc"] = nil, nil, nil
	if err := b.Put(t.Context(), "mine", 1, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := b.List(t.Context(), "", func(name string) error { got = append(got, name); return nil }); err != nil || !slices.Equal(got, []string{"mine"}) {
		t.Error(got, err)
	}
	if _, ok := s.objects["mirsal/mine"]; !ok {
		t.Error("not below the prefix")
	}
}

func TestARequestThatFailedIsMadeAgain(t *testing.T) {
	s := newStandIn(t)
	b := open(t, s)
	s.fail = 1
	if err := b.Put(t.Context(), "name", 4, strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	s.fail = 1
	f, err := b.Open(t.Context(), "name")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNothingIsAskedOfTheBucketForWhatIsNotWhole(t *testing.T) {
	s := newStandIn(t)
	b := open(t, s)
	if err := b.Put(t.Context(), "half", 10, strings.NewReader("half")); !errors.Is(err, store.ErrLength) {
		t.Error(err)
	}
	if len(s.asked) > 0 {
		t.Error(s.asked)
	}
	if left, err := os.ReadDir(b.cfg.Spool); err != nil || len(left) > 0 {
		t.Error("left in the spool", left, err)
	}
}

func TestErrorsSayWhatIsWrongWithoutTheSecret(t *testing.T) {
	cfg := newStandIn(t).config(t)
	cfg.Bucket = "nobodys"
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = b.List(t.Context(), "", func(string) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "NoSuchBucket") || strings.Contains(err.Error()+b.String(), secretKey) {
		t.Error(err)
	}
}
