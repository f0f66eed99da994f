package server

import (
	"context"
	"net"
	"path/filepath"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/store/folder"
	"mirsal/internal/store/s3"
	"mirsal/internal/xep/upload"
	"mirsal/internal/xmpp/jid"
)

// openBlobs opens the place where files are kept, if any are. That a bucket does not
// answer is logged and stops nobody: it may come back before a file does.
func (s *Server) openBlobs(ctx context.Context) (err error) {
	cfg := &s.Config.Upload
	if !cfg.Enabled {
		return nil
	}
	if cfg.Store == config.InS3 {
		s.blobs, err = s.openBucket(ctx)
		return err
	}
	dir := cfg.Folder
	if dir == "" {
		dir = filepath.Join(s.Config.Data, "uploads")
	}
	s.blobs, err = folder.Open(dir)
	return err
}

func (s *Server) openBucket(ctx context.Context) (store.Blob, error) {
	cfg := &s.Config.Upload.S3
	secret, err := cfg.Secret()
	if err != nil {
		return nil, err
	}
	b, err := s3.Open(s3.Config{
		Endpoint: cfg.Endpoint, Bucket: cfg.Bucket, Region: cfg.Region, AccessKey: cfg.AccessKey, SecretKey: secret,
		Prefix: cfg.Prefix, Spool: filepath.Join(s.Config.Data, "uploads-spool"),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := b.Check(ctx); err != nil {
		s.Log.Error("files cannot be kept for now", "err", err)
	}
	return b, nil
}

// addUploads attaches the files that people send. Without a web side that can be named
// in a link there are none; a domain that is an address has no upload.DOMAIN.
func (s *Server) addUploads(h *core.Host) {
	cfg, at := &s.Config.Upload, s.filesURL()
	site, err := jid.Parse("upload." + s.Domain.String())
	if s.blobs == nil || at == "" || err != nil {
		return
	}
	u := upload.New(s.Router, s.store, s.blobs, upload.Config{
		Site: site, URL: at, MaxSize: int64(cfg.MaxSize), Quota: int64(cfg.Quota), Files: cfg.Files, Keep: cfg.Keep.Duration,
		MinFree: int64(cfg.MinFree), Log: s.Log, Metrics: s.metrics,
	})
	u.Register(h)
	s.features.upload = u
}

// filesURL is what links to files begin with, empty where there can be none. TLS comes
// first, also on this machine alone: clients take no other links.
// XEP-0363#request
func (s *Server) filesURL() string {
	if u := s.Config.Upload.PublicURL; u != "" {
		return u
	}
	if u, err := s.Config.Public(); err == nil && u != nil {
		return u.String()
	}
	host := s.Domain.Domain()
	switch port := portOf(s.Addr("http")); port {
	case "":
	case "443":
		return "https://" + host
	default:
		return "https://" + net.JoinHostPort(host, port)
	}
	return s.publicURL()
}

// startUploads begins to sweep.
func (s *Server) startUploads() {
	if s.features.upload == nil {
		return
	}
	s.features.upload.Start()
	s.onClose(s.features.upload.Close)
}
