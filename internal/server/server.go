// Package server wires the parts of Mirsal together and runs them: it knows
// everybody, and nobody knows it. What there is to wire is ordinary code, read
// from top to bottom; the features are the list in features.go.
//
// Two servers can run in one process.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/archive"
	"mirsal/internal/assets"
	"mirsal/internal/auth"
	"mirsal/internal/c2s"
	"mirsal/internal/certs"
	"mirsal/internal/component"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/httpd"
	"mirsal/internal/obs"
	"mirsal/internal/store"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
)

// Options are what tests choose for themselves. The zero value is right for
// `mirsal serve`.
type Options struct {
	Store store.Store  // instead of SQLite in the data directory; closed by the server
	Log   *slog.Logger // instead of the configured one
}

// Server is one running server.
type Server struct {
	Config config.Config
	Domain jid.JID
	Auth   *auth.Auth
	Router *core.Router
	Log    *slog.Logger

	store      store.Store
	blobs      store.Blob // nil where no files are kept
	archive    *archive.Archive
	certs      *certs.Certs
	c2s        *c2s.Server
	web        *httpd.Server
	screen     *assets.Set // nil where none is wanted
	components *component.Server
	metrics    *prometheus.Registry
	features   features
	sleepers   *sleepers
	relay      relay
	ports      []port
	open       map[string]net.Listener // by name, from the beginning of the start
	http       []*http.Server
	closers    []func()  // in the order of starting
	asked      chan bool // an administrator wants an end: to start again, or not
	fatal      chan error
}

// Start opens the store and the ports. On an error nothing stays open.
func Start(ctx context.Context, cfg config.Config, o Options) (*Server, error) {
	s := &Server{Config: cfg, store: o.Store, Log: o.Log, fatal: make(chan error, 1), asked: make(chan bool, 1), metrics: obs.NewRegistry()}
	if o.Store != nil {
		s.onClose(func() { s.close("store", o.Store) })
	}
	if err := s.start(ctx); err != nil {
		s.closeAll()
		return nil, err
	}
	return s, nil
}

// start is the story of how a server comes up.
func (s *Server) start(ctx context.Context) (err error) {
	if s.Log == nil {
		if s.Log, err = obs.NewLogger(os.Stderr, s.Config.Log.Level, s.Config.Log.Format); err != nil {
			return err
		}
	}
	if s.Domain, err = jid.Parse(s.Config.Domain); err != nil || !s.Domain.IsDomain() {
		return fmt.Errorf("the domain %q is not a host name", s.Config.Domain)
	}
	if err := s.bind(ctx); err != nil {
		return err
	}
	if err := s.openScreen(); err != nil {
		return err
	}
	if err := s.openCerts(); err != nil {
		return err
	}
	if err := s.openStore(); err != nil {
		return err
	}
	if err := s.startCore(ctx); err != nil {
		return err
	}
	if err := s.Auth.Finish(ctx, func(bare jid.JID) { gone(s.Router.Host(), bare) }); err != nil {
		return err
	}
	if err := s.wake(ctx); err != nil {
		return err
	}
	if err := s.startAdministration(); err != nil {
		return err
	}
	if err := s.startRelay(); err != nil {
		return err
	}
	s.serve()
	s.startInvitations()
	s.startUploads()
	return nil
}

func (s *Server) openStore() (err error) {
	if s.store != nil {
		return nil // given
	}
	s.store, err = sqlite.Open(s.Config.Data, sqlite.Options{Logger: s.Log, Synchronous: strings.ToUpper(s.Config.Store.Synchronous)})
	if err == nil {
		s.onClose(func() { s.close("store", s.store) })
	}
	return err
}

// wake brings everybody back who was here. The sleeping sessions are forgotten
// last: whatever fails before leaves them to the next start.
func (s *Server) wake(ctx context.Context) error {
	if err := s.sleepers.thaw(ctx, s.Router, s.Log); err != nil {
		return err
	}
	s.Router.Start()
	s.onClose(s.Router.Stop)
	if err := s.startControl(); err != nil {
		return err
	}
	if err := s.Auth.SetPublic(ctx, s.publicURL()); err != nil {
		return err
	}
	if err := s.sleepers.forget(ctx); err != nil {
		return errors.Join(err, s.sleepers.freeze(ctx, s.Router, s.unsay()))
	}
	return nil
}

// startCore makes the archive, the router and the features.
func (s *Server) startCore(ctx context.Context) (err error) {
	cfg := &s.Config
	if s.Auth, err = auth.New(ctx, s.store, jid.JID{}, cfg.Auth); err != nil {
		return err
	}
	if err := s.adopt(ctx); err != nil {
		return err
	}
	s.sleepers = newSleepers(s.store, cfg.Limits.Resumption.Duration)
	s.archive, err = archive.New(ctx, s.store, s.store, archive.Config{
		Resumption: cfg.Limits.Resumption.Duration,
		Keep:       archive.Keep{Days: cfg.Archive.Keep.Days, Delivered: cfg.Archive.Keep.Delivered},
		Fatal:      s.stopOn, Contact: s.contact, Log: s.Log, Metrics: s.metrics,
	})
	if err != nil {
		return err
	}
	s.onClose(s.archive.Close)
	host := core.NewHost()
	s.Router = core.NewRouter(core.Parts{
		Domain: s.Domain, Host: host, Archive: s.archive, Accounts: s.Auth, Log: s.Log, Metrics: s.metrics,
		Limits: core.Limits{
			Queue: cfg.Limits.Queue, Sessions: cfg.Limits.Sessions,
			Hibernating: cfg.Limits.Hibernated, Resumption: cfg.Limits.Resumption.Duration,
		},
	})
	if err := s.openBlobs(); err != nil {
		return err
	}
	if err := s.loadRelay(ctx); err != nil {
		return err
	}
	s.addFeatures(host)
	if err := s.features.blocking.Load(ctx); err != nil {
		return err
	}
	if err := s.features.last.Load(ctx); err != nil {
		return err
	}
	if err := s.features.push.Load(ctx); err != nil {
		return err
	}
	if err := s.loadRooms(ctx); err != nil {
		return err
	}
	if err := s.loadAdministration(ctx); err != nil {
		return err
	}
	host.Every(idleEvery, (&idleGC{}).tick)
	s.Auth.OnRemove(auth.Removal{Closing: s.endSessions, Gone: func(bare jid.JID) { gone(host, bare) }})
	return nil
}

// adopt gives new data its domain, once there is a certificate to serve it with:
// a first start that fails must not decide whose the data is.
func (s *Server) adopt(ctx context.Context) error {
	if has := s.Auth.Domain(); !has.IsZero() && has != s.Domain {
		return fmt.Errorf("the data in %s belongs to %s, not to %s: name another folder with --data, or the domain that this one has with --domain %s",
			s.Config.Data, has, s.Domain, has)
	}
	if err := s.ownCerts(); err != nil {
		return err
	}
	return s.Auth.Adopt(ctx, s.Domain)
}

// contact tells whether peer is in the owner's roster.
func (s *Server) contact(owner, peer jid.JID) bool {
	_, ok := s.features.people.Contact(owner, peer)
	return ok
}

// endSessions ends every session of an account that is being removed.
func (s *Server) endSessions(bare jid.JID) {
	for _, sess := range s.Router.Directory().Sessions(bare) {
		// XEP-0077 §3.2
		sess.Close(&stream.Error{Condition: "not-authorized", Text: "this account was removed"})
	}
}

func gone(h *core.Host, bare jid.JID) {
	for _, f := range h.AccountGone {
		f(bare)
	}
}

// stopOn ends the server for an error after which the state on disk is unknown.
func (s *Server) stopOn(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

func (s *Server) onClose(f func()) { s.closers = append(s.closers, f) }

func (s *Server) close(what string, c io.Closer) {
	if err := c.Close(); err != nil {
		s.Log.Error("closing failed", "what", what, "err", err)
	}
}

func (s *Server) closeAll() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.closers = nil
}

// stopPatience is how long connections may take to end: longer only when the
// disk does not answer.
const stopPatience = 10 * time.Second

// Close stops gracefully: clients hear that the system shuts down, resumable
// sessions are kept with their queues, everything appended is committed.
func (s *Server) Close() error {
	s.features.running.admin.Close()
	if s.features.rooms != nil {
		s.features.rooms.Close()
	}
	s.web.Stop()
	s.closeRelay()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.c2s.Stop()
		s.components.Stop()
	}()
	select {
	case <-stopped:
	case <-time.After(stopPatience):
		s.Log.Warn("some connections do not end; the disk may not answer")
	}
	s.Router.Directory().Each((*core.Session).Drain)
	s.archive.Close()
	s.features.invite.Close()
	s.features.people.Wait()
	if s.features.rooms != nil {
		s.features.rooms.Wait()
	}
	s.features.pubsub.Wait()
	s.features.offline.Wait()
	s.features.last.Flush()
	err := s.sleepers.freeze(context.Background(), s.Router, s.unsay())
	s.closeAll()
	return err
}

// unsay takes out of queues what was taken back in rooms.
func (s *Server) unsay() func(context.Context, []core.FrozenPacket) error {
	if s.features.rooms == nil {
		return func(context.Context, []core.FrozenPacket) error { return nil }
	}
	return s.features.rooms.Asleep().Unsay
}

// ErrRestart is returned by Run when an administrator wants the server to start again.
var ErrRestart = errors.New("an administrator wants a restart")

// Run starts a server, says on out where it listens, and stops it when ctx
// ends or an administrator wants that. What comes from reload has it Reload.
func Run(ctx context.Context, cfg config.Config, out io.Writer, reload <-chan os.Signal) error {
	s, err := Start(ctx, cfg, Options{})
	if err != nil {
		return err
	}
	err = s.announce(ctx, out)
	if err == nil {
		err = s.run(ctx, reload)
	}
	stopped := s.Close()
	if stopped != nil && errors.Is(err, ErrRestart) {
		return stopped
	}
	return errors.Join(err, stopped)
}

func (s *Server) run(ctx context.Context, reload <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			s.Log.Info("stopping")
			return nil
		case why := <-s.fatal:
			return fmt.Errorf("stopped, to keep what is on disk: %w", why)
		case again := <-s.asked:
			s.Log.Info("stopping, as an administrator wants", "restart", again)
			if again {
				return ErrRestart
			}
			return nil
		case <-reload:
			s.Reload()
		}
	}
}
