package sasl

import (
	"strings"
	"testing"
)

// TestAClientBelievesNoServerThatDoesNotKnowTheAccount plays what a hostile
// server says, in place of its first or its last message.
func TestAClientBelievesNoServerThatDoesNotKnowTheAccount(t *testing.T) {
	const salt = "c2FsdHNhbHQ="
	for _, bad := range []string{
		"", "r=,s=" + salt + ",i=4096", "r=else,s=" + salt + ",i=4096", "r=NONCE,s=" + salt + ",i=4096",
		"m=x,r=NONCEx,s=" + salt + ",i=4096", "r=NONCEx,s=" + salt + ",i=4096,m=x", "r=NONCEx,s=,i=4096", "r=NONCEx,s=!,i=4096",
		"r=NONCEx,s=" + salt + ",i=1", "r=NONCEx,s=" + salt + ",i=4095", "r=NONCEx,s=" + salt + ",i=10000001",
		"r=NONCEx,s=" + salt + ",i=99999999999999999999", "r=NONCEx,s=" + salt + ",i=-1", "e=other-error", "r=NONCEx\xff,s=" + salt + ",i=4096",
	} {
		c := started(t)
		if _, done, err := c.Next([]byte(strings.ReplaceAll(bad, "NONCE", c.nonce))); err == nil || done {
			t.Errorf("the client goes on after %q", bad)
		}
	}
	for _, bad := range []string{"", "v=", "v=AAAA", "e=invalid-proof", "v=" + strings.Repeat("A", 43) + "="} {
		c := started(t)
		if _, _, err := c.Next([]byte("r=" + c.nonce + "x,s=" + salt + ",i=4096")); err != nil {
			t.Fatal(err)
		}
		if _, done, err := c.Next([]byte(bad)); err == nil || done {
			t.Errorf("the client believes %q", bad)
		}
		if _, done, err := c.Next(c.expected); err == nil || done {
			t.Error("the client tries again")
		}
	}
}

func started(t *testing.T) *Client {
	c, err := NewClient(SCRAMSHA256, "alice", alicePassword, Binding{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Next(nil); err != nil {
		t.Fatal(err)
	}
	return c
}
