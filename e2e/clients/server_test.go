package clients

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
)

const password = "a password of tests"

// patience is how long something may take on a machine that is busy.
const patience = 30 * time.Second

// readable is how a server is started for people who do not encrypt.
const readable = "e2ee=optional"

// A server is bin/mirsal serving localhost, and where it is to be found.
type server struct {
	*mirsal.Server
	ca string // its CA's file
}

// start starts a server as it is by default, but for the settings.
func start(t *testing.T, settings ...string) *server {
	t.Helper()
	args := []string{"--domain", "localhost", "--set", "e2ee=required", "--set", "limits.enabled=true"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	s := mirsal.Start(t, mirsal.Options{Bin: binary, Args: args})
	return &server{Server: s, ca: filepath.Join(s.Data, "tls", "ca.pem")}
}

// accounts makes accounts with the password that everybody here has.
func (s *server) accounts(names ...string) { s.Accounts(password, names...) }

func (s *server) address() (host, port string) {
	host, port, err := net.SplitHostPort(s.Addr("c2s"))
	if err != nil {
		panic(err)
	}
	return host, port
}

// named is a listener's address with the name that the certificate is for.
func (s *server) named(listener string) string {
	_, port, err := net.SplitHostPort(s.Addr(listener))
	if err != nil {
		panic(err)
	}
	return net.JoinHostPort("localhost", port)
}
