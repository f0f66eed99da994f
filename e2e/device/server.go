package device

import (
	"net"
	"path/filepath"
	"testing"

	"mirsal/e2e/mirsal"
)

const (
	// Domain is whose people these tests are: links to its files lead to this machine.
	Domain = "localhost"
	// Password is what everybody signs in with.
	Password = "a password of tests"
)

// Server is bin/mirsal for Domain. It keeps its ports when it starts again, as servers do.
type Server struct {
	*mirsal.Server
	Bin string
	C2S string // HOST:PORT of clients
	Web string // HOST:PORT of files and of the WebSocket, in the clear
	CA  string // file of the authority that signs its certificates
}

// Serve starts a server with accounts of these names, and more arguments of serve.
func Serve(t testing.TB, names []string, args ...string) *Server {
	t.Helper()
	s := &Server{Bin: mirsal.Build(t), C2S: FreePort(t), Web: FreePort(t)}
	s.Server = mirsal.Start(t, mirsal.Options{Bin: s.Bin, Args: append([]string{"--domain", Domain, "--c2s", s.C2S,
		"--http-plain", s.Web, "--set", "upload.public_url=http://" + s.Web}, args...)})
	s.CA = filepath.Join(s.Data, "tls", "ca.pem")
	s.Accounts(Password, names...)
	return s
}

// FreePort is a port of this machine where nobody listens now.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// OwnAddress is an IPv4 address of this machine that is not the loopback's, of which calls tell nobody.
func OwnAddress(t testing.TB) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Fatal("this machine has no IPv4 address but the loopback's")
	return ""
}
