package hostile

import (
	"net"
	"strings"
	"testing"
	"time"
)

// Attacks by what they aim at; the number groups those of one kind.
func TestAttacks(t *testing.T) {
	attack(t).all(t, streamAttacks())
}

func streamAttacks() attacks {
	return attacks{
		{"01 nested entities", testDTD},
		{"02 small input, large memory", testSmallInputLargeMemory},
		{"03 depth and size", testDepthAndSize},
		{"03 a header that never ends", testHeaderThatNeverEnds},
		{"04 connections opened and dropped", testOpenAndDrop},
		{"05 comments, instructions, CDATA, entities", testForbiddenMarkup},
		{"06 bytes that are no XML characters", testBadCharacters},
		{"07 the same tree for every parser", testSameTree},
		{"08 markup in every field that is copied", testInjection},
		{"09 elements out of place", testOutOfPlace},
		{"10 a restart for another host", testRestartForAnotherHost},
		{"11 addresses", testAddresses},
		{"12 compression", testCompression},
		{"13 bytes behind starttls", testStartTLSInjection},
		{"14 white space, single bytes, half-closed sockets", testSlowAndSplit},
		{"14 a reader that takes nothing", testSlowReader},
	}
}

// testOpenAndDrop opens and drops thousands of connections at each stage before
// login.
func testOpenAndDrop(t *testing.T, v *victim) {
	stages := []func(c net.Conn){
		func(net.Conn) {},
		func(c net.Conn) { write(c, header[:60]) },
		func(c net.Conn) { write(c, header) },
		func(c net.Conn) { write(c, header+"<auth xmlns='x'>"+strings.Repeat("x", 10_000)) },
		func(c net.Conn) {
			write(c, header+"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\x16\x03\x01\x02\x00\x01")
		},
	}
	v.bounded(t, 96<<20, 0, func() {
		const rounds, atOnce = 20, 250
		for round := range rounds {
			var all []net.Conn
			for i := range atOnce {
				c, err := net.DialTimeout("tcp", v.Addr("c2s"), patience)
				if err != nil {
					t.Fatal(err)
				}
				stages[(round+i)%len(stages)](c)
				all = append(all, c)
			}
			for i, c := range all {
				if i%2 == 0 {
					_ = c.(*net.TCPConn).SetLinger(0) // as if the network had gone
				}
				c.Close()
			}
		}
	})
	within(t, "a newcomer to be let in", func() bool {
		c, err := net.DialTimeout("tcp", v.Addr("c2s"), time.Second)
		if err != nil {
			return false
		}
		defer c.Close()
		write(c, header)
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		return strings.Contains(string(b[:n]), "<stream:stream ")
	})
}
