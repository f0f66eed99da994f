//go:build linux

package nat

import (
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/e2e/netns"
)

// Who is where. The addresses are private, and no way leads out.
const (
	serverAddr = "10.77.0.1"
	aliceGate  = "10.77.0.2"
	bobGate    = "10.77.0.3"
	cafeGate   = "10.77.0.4"
	aliceAddr  = "192.168.1.2"
	guestAddr  = "192.168.1.3" // at alice's
	carolAddr  = "192.168.1.4" // there too
	bobAddr    = "192.168.2.2"
	cafeAddr   = "192.168.3.2" // alice, elsewhere
	host       = "mirsal.test"
	plainRelay = 3478
	tlsRelay   = 5349
)

// scene is a server with a relay in the world, and the homes of alice and bob, each behind
// a router, with a café down the road.
type scene struct {
	t      testing.TB
	server *mirsal.Server
	bin    string
	ca     string

	world, gateA, gateB, gateC *netns.Space
	alice, bob, guest, carol   *person
}

func newScene(t testing.TB) *scene {
	netns.Need(t)
	s := &scene{t: t, bin: mirsal.Build(t), world: netns.New(t, "the world")}
	s.world.Switch("br0", serverAddr+"/24")
	s.gateA = s.gate("alice's router", aliceGate, "192.168.1.1")
	s.gateB = s.gate("bob's router", bobGate, "192.168.2.1")
	s.gateC = s.gate("the café's router", cafeGate, "192.168.3.1")
	s.serve()
	s.alice = s.person("alice", aliceAddr, "192.168.1.1", s.gateA)
	s.bob = s.person("bob", bobAddr, "192.168.2.1", s.gateB)
	s.guest = s.person("bob", guestAddr, "192.168.1.1", s.gateA)
	s.guest.name = "bob's phone"
	s.carol = s.person("carol", carolAddr, "192.168.1.1", s.gateA)
	s.routers(netns.Cone, netns.Cone)
	s.gateC.Translate(netns.Cone, "wan", cafeAddr)
	s.meet()
	return s
}

func (s *scene) gate(name, outside, inside string) *netns.Space {
	g := netns.New(s.t, name)
	g.Cable("wan", outside+"/24", "", s.world, "br0")
	g.Switch("lan", inside+"/24")
	return g
}

// routers says what those of alice and bob are like, and which TCP ports they let nobody reach.
func (s *scene) routers(alice, bob netns.Kind, blocked ...int) {
	s.t.Helper()
	s.gateA.Translate(alice, "wan", aliceAddr, blocked...)
	s.gateB.Translate(bob, "wan", bobAddr, blocked...)
}

func (s *scene) serve() {
	s.server = mirsal.Start(s.t, mirsal.Options{Bin: s.world.Program(s.bin), Args: []string{
		"--domain", host, "--c2s", serverAddr + ":5222", "--c2s-tls", "off",
		"--set", "listen.turn=" + serverAddr + ":3478", "--set", "listen.turns=" + serverAddr + ":5349",
		"--set", "turn.allow_private=true", "--set", "turn.relay_address=" + serverAddr, "--set", "turn.min_port=50000", "--set", "turn.max_port=50999",
		"--set", "calls.pair=1000", "--set", "calls.callee=1000", "--set", "calls.caller=1000", "--set", "calls.newcomer=1000",
	}})
	s.ca = filepath.Join(s.server.Data, "tls", "ca.pem")
	s.server.Accounts(device.Password, "alice", "bob", "carol")
}

// person is somebody's device in a namespace of its own.
type person struct {
	*device.Device
	s     *scene
	name  string
	space *netns.Space
	bin   string // runs there
}

func (s *scene) person(name, at, via string, gate *netns.Space) *person {
	p := &person{s: s, name: name, space: netns.New(s.t, name)}
	p.space.Hosts(serverAddr + " " + host)
	p.space.Cable("eth0", at+"/24", via, gate, "lan")
	// the relay's certificate is signed by an authority of our own
	p.bin = p.space.Program(s.bin, "SSL_CERT_FILE="+s.ca)
	p.Device = device.New(s.t, p.bin, name, name+"@"+host, s.ca)
	return p
}

// meet signs all in and makes everybody a contact of alice's.
func (s *scene) meet() {
	all := []*person{s.alice, s.bob, s.guest, s.carol}
	for _, p := range all {
		p.Start(nil)
		p.SignIn(device.Password, serverAddr+":5222")
	}
	device.Meet(s.alice.Device, s.bob.Device)
	device.Meet(s.alice.Device, s.carol.Device)
	for _, p := range all {
		p.Close()
	}
}
