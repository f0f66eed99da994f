package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func bucketSettings(more ...string) []string {
	return append([]string{
		"upload.store=s3", "upload.s3.endpoint=https://s3.example.org", "upload.s3.bucket=files", "upload.s3.access_key=AK", "upload.s3.secret_key=very secret",
	}, more...)
}

func TestUploadsThatCannotWorkAreRefused(t *testing.T) {
	for set, want := range map[string]string{
		"upload.max_size=10": "upload.max_size", "upload.quota=0": "upload.quota", "upload.files=0": "upload.files",
		"upload.keep=1m": "upload.keep", "upload.store=tape": "upload.store", "upload.public_url=example.org/x": "upload.public_url",
		"upload.store=s3": "upload.s3.bucket",
	} {
		if _, err := Load("", []string{set}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
	for set, want := range map[string]string{
		"upload.s3.endpoint=s3.example.org": "upload.s3.endpoint", "upload.s3.bucket=a/b": "bucket", "upload.s3.access_key=": "upload.s3.access_key",
		"upload.s3.secret_key=": "secret_key", "upload.s3.secret_key_file=/x": "either", "upload.max_size=6000000000": "upload.max_size",
	} {
		_, err := Load("", bucketSettings(set))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "very secret") {
			t.Errorf("%s: %v", set, err)
		}
	}
	for _, sets := range [][]string{
		{"upload.enabled=false", "upload.quota=0"}, {"upload.keep=0s"}, {"upload.public_url=https://files.example.org"}, bucketSettings(),
	} {
		if _, err := Load("", sets); err != nil {
			t.Errorf("%s: %v", sets, err)
		}
	}
}

func TestTheSecretKeyMayStandInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	settings := bucketSettings("upload.s3.secret_key=", "upload.s3.secret_key_file="+path)
	if _, err := Load("", settings); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("very secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load("", settings)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cfg.Upload.S3.Secret(); err != nil || got != "very secret" {
		t.Errorf("%q %v", got, err)
	}
}
