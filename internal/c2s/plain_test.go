package c2s

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
)

// secureDial connects somebody over TLS from the first byte.
func (p *port) secureDial() *peer {
	here, there := net.Pipe()
	p.srv.start(there, Via{}, true)
	c := &peer{t: p.T, net: tls.Client(here, &tls.Config{InsecureSkipVerify: true})}
	c.listen()
	return c
}

func TestPlainIsForTLSAndForWhoWantsIt(t *testing.T) {
	const plain = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>"
	for _, wanted := range []bool{false, true} {
		onPort(t, func(cfg *Config) { cfg.RequireTLS, cfg.Plain = false, wanted }, nil, func(p *port) {
			for _, c := range []*peer{p.dial(), p.secureDial()} {
				_, secure := c.net.(*tls.Conn)
				may := secure && wanted
				if s := c.say(hello); strings.Contains(s, ">PLAIN<") != may {
					t.Errorf("TLS %v, wanted %v: offered %s", secure, wanted, s)
				}
				if s := c.say(plain); strings.Contains(s, "<success ") != may {
					t.Errorf("TLS %v, wanted %v: answered %s", secure, wanted, s)
				}
			}
		})
	}
}
