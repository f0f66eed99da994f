package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestServicesAreTakenApart(t *testing.T) {
	s := Services{Calls: []string{
		"stun:a.example.org", "turn:a.example.org?transport=tcp", "turns:a.example.org:443?transport=tcp", "turn:192.0.2.1:3479", "stuns:[2001:db8::1]", "turn:[2001:db8::1]:99",
	}}
	list, err := s.List()
	want := "[{stun a.example.org 3478 udp} {turn a.example.org 3478 tcp} {turns a.example.org 443 tcp} {turn 192.0.2.1 3479 udp} {stuns 2001:db8::1 5349 tcp} {turn 2001:db8::1 99 udp}]"
	if err != nil || fmt.Sprint(list) != want {
		t.Errorf("%v %v", list, err)
	}
}

func TestServicesThatNobodyCouldUseAreRefused(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"services.calls=example.org", "begin with stun:"},
		{"services.calls=http://example.org", "begin with stun:"},
		{"services.calls=stun:", "no host"},
		{"services.calls=stun://example.org", "no host"},
		{"services.calls=stun:a@b", "no host"},
		{"services.calls=stun:a:0", "port"},
		{"services.calls=stun:a:70000", "port"},
		{"services.calls=stun:a:b", "no host"},
		{"services.calls=turn:a?transport=sctp", "udp or tcp"},
		{"services.calls=turn:a.example.org", "services.secret"},
		{"services.life=1m", "services.life"},
	} {
		if _, err := Load("", []string{c.set}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.set, err, c.want)
		}
	}
	if _, err := Load("", []string{"services.calls=turn:a.example.org", "services.secret=0123456789abcdef"}); err != nil {
		t.Error(err)
	}
}
