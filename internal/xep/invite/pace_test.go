package invite

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnAddressHasSomeTriesAndThenOneNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		count := func(addrs ...string) (n int) {
			for i := range 3 * tries {
				if p.allow(netip.MustParseAddr(addrs[i%len(addrs)])) {
					n++
				}
			}
			return n
		}
		if n := count("192.0.2.1", "::ffff:192.0.2.1"); n != tries {
			t.Error(n)
		}
		if n := count("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"); n != tries {
			t.Error("one network of IPv6:", n)
		}
		time.Sleep(nextTry)
		if n := count("192.0.2.1"); n != 1 {
			t.Error(n)
		}
		if n := count("192.0.2.2"); n != tries {
			t.Error("another address:", n)
		}
	})
}
