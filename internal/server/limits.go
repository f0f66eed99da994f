package server

import (
	"syscall"

	"mirsal/internal/limits"
)

// newLimits makes the budgets that are configured.
func (s *Server) newLimits() *limits.Limits {
	l := &s.Config.Limits
	cfg := limits.Default()
	cfg.Enabled, cfg.Exempt, cfg.Strangers = l.Enabled, l.Networks(), s.Config.C2S.Strangers
	cfg.Strangers, cfg.Web = within(cfg.Strangers, openFiles()/4), within(cfg.Strangers, openFiles()/8)
	cfg.AddressStrangers, cfg.Connections, cfg.Handshakes = l.Strangers, l.Connections, l.Handshakes
	cfg.Logins, cfg.Delay = l.Logins, l.LoginDelay.Duration
	cfg.Stanzas, cfg.Bytes, cfg.Registrations = l.StanzaRate, l.ByteRate, l.Registrations
	made := limits.New(cfg, limits.NewMetrics(s.metrics), s.Log)
	s.onClose(made.Close)
	return made
}

// within is a number of connections, 0 for any, that leaves open files to others.
func within(n, most int) int {
	if n <= 0 || n > most {
		return most
	}
	return n
}

// openFiles is how many files and connections this process may have open.
func openFiles() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 1024 // what most systems allow at the least
	}
	return int(min(r.Cur, 1<<30))
}
