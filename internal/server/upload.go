package server

import (
	"context"
	"net"
	"path/filepath"

	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/store/folder"
	"mirsal/internal/store/s3"
	"mirsal/internal/xep/admin"
	"mirsal/internal/xep/upload"
	"mirsal/internal/xmpp/jid"
)

// openBlobs opens the place where files are kept, if any are. A bucket is not asked for
// here: that it does not answer stops nobody, and the first sweep logs it.
func (s *Server) openBlobs() (err error) {
	cfg := &s.Config.Upload
	if !cfg.Enabled {
		return nil
	}
	if cfg.Store == config.InS3 {
		s.blobs, err = s.openBucket()
		return err
	}
	dir := cfg.Folder
	if dir == "" {
		dir = filepath.Join(s.Config.Data, "uploads")
	}
	s.blobs, err = folder.Open(dir)
	return err
}

func (s *Server) openBucket() (store.Blob, error) {
	cfg := &s.Config.Upload.S3
	secret, err := cfg.Secret()
	if err != nil {
		return nil, err
	}
	return s3.Open(s3.Config{
		Endpoint: cfg.Endpoint, Bucket: cfg.Bucket, Region: cfg.Region, AccessKey: cfg.AccessKey, SecretKey: secret,
		Prefix: cfg.Prefix, Spool: filepath.Join(s.Config.Data, "uploads-spool"),
	})
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
	s.serveAdministrators(u.Commands())
}

// filesOf is what administrators are told of an account's files.
func (s *Server) filesOf(ctx context.Context, owner jid.JID) (admin.Files, bool, error) {
	if s.features.upload == nil {
		return admin.Files{}, false, nil
	}
	use, err := s.features.upload.UseOf(ctx, owner)
	return admin.Files{Number: use.Files, Most: use.FilesMost, Bytes: use.Bytes, Quota: use.BytesMost}, true, err
}

// filesURL is what links to files begin with, empty where there can be none: also on
// this machine alone clients take no links without TLS.
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
		return ""
	case "443":
		return "https://" + host
	default:
		return "https://" + net.JoinHostPort(host, port)
	}
}

// startUploads begins to sweep.
func (s *Server) startUploads() {
	if s.features.upload == nil {
		return
	}
	s.features.upload.Start()
	s.onClose(s.features.upload.Close)
}
