// Command handshake measures what a TLS 1.3 handshake and one echoed line cost
// a server that does nothing else: the floor under every login and resumption.
//
//	go run ./bench/handshake [-n 2000] [-together 100]
//
// The server is this program again, as a child, so that its CPU can be told
// from the clients'. It prints one line of JSON: microseconds of user and system
// time of the server for each connection. Loopback only; it ends by itself.
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
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

func main() {
	n := flag.Int("n", 2000, "connections")
	together := flag.Int("together", 100, "connections at a time")
	child := flag.Bool("serve", false, "be the server, until standard input ends")
	flag.Parse()
	log.SetFlags(0)
	var err error
	if *child {
		err = serve()
	} else {
		err = measure(*n, *together)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// measure starts a server, makes the connections, and prints what it cost.
func measure(n, together int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-serve")
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = connectAll(addr[:len(addr)-1], n, together)
	}
	stop.Close()
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return err
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	user, system := cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"args": os.Args[1:], "mode": "handshake", "time": time.Now().UTC().Format(time.RFC3339), "connections": n,
		"server_cpu_us_per_connection": per(user + system), "server_sys_us_per_connection": per(system),
	})
}

func connectAll(addr string, n, together int) error {
	work := make(chan struct{})
	failed := make(chan error, together)
	var all sync.WaitGroup
	for range together {
		all.Go(func() {
			for range work {
				if err := connect(addr); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
	for i := 0; i < n && err == nil; i++ {
		select {
		case work <- struct{}{}:
		case err = <-failed:
		}
	}
	close(work)
	all.Wait()
	return err
}

func connect(addr string) error {
	c, err := tls.Dial("tcp", addr, &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, len("hello\n")))
	return err
}

// serve echoes one line to each connection.
func serve() error {
	cert, err := certificate()
	if err != nil {
		return err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, CurvePreferences: []tls.CurveID{tls.X25519}, SessionTicketsDisabled: true,
	})
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		l.Close()
	}()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go echo(c)
	}
}

func echo(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	line := make([]byte, len("hello\n"))
	if _, err := io.ReadFull(c, line); err == nil {
		c.Write(line)
	}
}

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
