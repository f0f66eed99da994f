package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// child is this program in another role, with one processor and the lowest
// priority: it takes what the server and the pair leave over.
func child(role string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("nice", append([]string{"-n", "19", self, "-role", role}, args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

// generate runs the generator against an address for a while and returns what it
// saw, and the CPU it took.
func generate(o *options, kind, addr string, d time.Duration) (map[string]float64, error) {
	cmd, err := child("attack", "-kind", kind, "-addr", addr, "-rate", strconv.Itoa(o.rate), "-total", strconv.Itoa(o.total),
		"-together", strconv.Itoa(o.together), "-prefixes", strconv.Itoa(o.prefixes), "-hold", o.hold.String(), "-flood", d.String())
	if err != nil {
		return nil, err
	}
	late := time.AfterFunc(d+patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the generator: %w", err)
	}
	seen := map[string]float64{}
	if err := json.Unmarshal(out, &seen); err != nil {
		return nil, err
	}
	seen["cores"] = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() / d.Seconds()
	return seen, nil
}

// startSink starts a sink and returns its address and what ends it.
func startSink() (addr string, stop func(), err error) {
	cmd, err := child("sink")
	if err != nil {
		return "", nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		in.Close()
		_ = cmd.Wait()
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the sink: %w", err)
	}
	return addr[:len(addr)-1], stop, nil
}

// sink takes connections and makes handshakes with those who want one, until
// standard input ends. It has no limits and does nothing else.
func sink() error {
	cert, err := certificate()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		l.Close()
	}()
	config := &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true}
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue
		}
		go swallow(tls.Server(c, config))
	}
}

func swallow(c *tls.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, c)
}

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{domain}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
