//go:build !js

package seat

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestWhoWaitsOnASocketGoesOnWhenItIsCut(t *testing.T) {
	n, err := newNetwork(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	one, err := n.ListenUDP("udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	two, err := n.DialUDP("udp4", nil, one.LocalAddr().(*net.UDPAddr)) // whom nobody answers
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := two.Read(make([]byte, 1))
		ended <- err
	}()
	n.cut()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading ends with %v", err)
	}
	late, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := late.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading from one opened behind it ends with %v", err)
	}
}
