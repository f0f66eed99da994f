package screen

import (
	"net"
	"testing"
)

func TestAStrangerCallsOnceByALink(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "bob"}, "--set", "upload.public_url=http://"+h.web, "--set", "listen.turn=127.0.0.1:0",
		"--set", "turn.relay_address="+ownAddress(t), "--set", "turn.allow_private=true", "--set", "turn.host=localhost")
	h.tell("calllinks", nil)
}

// ownAddress is one of this machine's that is not the loopback's, of which calls tell nobody.
func ownAddress(t *testing.T) string {
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
