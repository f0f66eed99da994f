package server

import "mirsal/internal/limits"

// newLimits makes the budgets that are configured.
func (s *Server) newLimits() *limits.Limits {
	l := &s.Config.Limits
	cfg := limits.Default()
	cfg.Enabled, cfg.Exempt, cfg.Strangers = l.Enabled, l.Networks(), s.Config.C2S.Strangers
	cfg.AddressStrangers, cfg.Connections, cfg.Handshakes = l.Strangers, l.Connections, l.Handshakes
	cfg.Logins, cfg.Delay = l.Logins, l.LoginDelay.Duration
	cfg.Stanzas, cfg.Bytes, cfg.Registrations = l.StanzaRate, l.ByteRate, l.Registrations
	made := limits.New(cfg, limits.NewMetrics(s.metrics), s.Log)
	s.onClose(made.Close)
	return made
}
