package server

import (
	"net"
	"net/http"
	"net/netip"

	"mirsal/internal/core"
	"mirsal/internal/httpd"
	"mirsal/internal/people"
	"mirsal/internal/xep/adhoc"
	"mirsal/internal/xep/invite"
)

// addInvitations attaches invitations to people, and their commands.
func (s *Server) addInvitations(h *core.Host, ppl *people.People) {
	inv := invite.New(s.Auth, invite.Config{
		Domain: s.Domain, UsersMayInvite: s.Config.Auth.UsersMayInvite, Befriend: ppl.BefriendIn, Log: s.Log,
		Client: func(r *http.Request) netip.Addr { return httpd.Client(r).Addr() },
		Allow:  s.inviteTries(), Browser: s.browser(), Called: s.called, Group: s.group,
	})
	inv.Register(h)
	ppl.Vouch = append(ppl.Vouch, inv.Vouch)
	s.features.invite = inv

	cmds := s.features.running.adhoc
	cmds.Add(adhoc.Command{Node: invite.NodeInvite, Name: "Invite somebody to be your contact", Allow: inv.MayInvite, Run: inv.Invite})
	cmds.Add(adhoc.Command{Node: invite.NodeCreate, Name: "Invite somebody to have an account", Allow: inv.MayCreate, Run: inv.CreateAccount})
}

// inviteTries is how many guesses at invitations and names an address has: the
// feature's own pace, or any number where limits are off. It takes nothing from the
// budget of registrations, which others need.
func (s *Server) inviteTries() func(netip.Addr) bool {
	if s.Config.Limits.Enabled {
		return nil
	}
	return func(netip.Addr) bool { return true }
}

// publicURL is where the web pages are: as configured, else by the domain and the
// port of HTTPS; on this machine alone by the one without TLS, whose certificate
// no browser has to be told to trust.
func (s *Server) publicURL() string {
	if u, err := s.Config.Public(); err == nil && u != nil {
		return u.String()
	}
	host := s.Domain.Domain()
	if plain := portOf(s.Addr("http-plain")); host == "localhost" && plain != "" {
		return "http://" + net.JoinHostPort(host, plain)
	}
	switch port := portOf(s.Addr("http")); port {
	case "":
		return ""
	case "443":
		return "https://" + host
	default:
		return "https://" + host + ":" + port
	}
}

// startInvitations lets promises be kept.
func (s *Server) startInvitations() {
	s.features.invite.Start()
	s.onClose(s.features.invite.Close)
}
