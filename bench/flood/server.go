package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	domain   = "localhost"
	password = "a password of the bench"
	patience = 30 * time.Second
)

// server is the program under attack, with data of its own.
type server struct {
	dir   string
	cmd   *exec.Cmd
	addrs map[string]string
}

// startServer starts one with accounts and the default limits, which hold for
// loopback addresses too.
func startServer(o *options) (*server, error) {
	dir, err := os.MkdirTemp(o.data, "flood")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.start(o.server); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) start(program string) error {
	data, accounts := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "accounts")
	if err := os.WriteFile(accounts, []byte("alice\t"+password+"\nbob\t"+password+"\n"), 0o600); err != nil {
		return err
	}
	// the server knows its domain once it ran
	if err := s.serve(program, data); err != nil {
		return err
	}
	out, err := exec.Command(program, "account", "import", "--data", data, accounts).CombinedOutput()
	if err != nil {
		return fmt.Errorf("account import: %w: %s", err, out)
	}
	return nil
}

func (s *server) serve(program, data string) error {
	logFile, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	s.cmd = exec.Command(program, "serve", "--data", data, "--domain", domain,
		"--c2s", "127.0.0.1:0", "--c2s-tls", "127.0.0.1:0", "--http", "off", "--http-plain", "off", "--ops", "127.0.0.1:0",
		"--set", "e2ee=optional", "--set", "limits.exempt=")
	s.cmd.Stderr = logFile
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			s.addrs = map[string]string{}
			for f := range strings.FieldsSeq(rest) {
				name, addr, _ := strings.Cut(f, "=")
				s.addrs[name] = addr
			}
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return nil
		}
	}
	return fmt.Errorf("the server does not become ready; log in %s", s.dir)
}

// stop ends the server and removes its data.
func (s *server) stop() error {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
		defer late.Stop()
		if err := s.cmd.Wait(); err != nil {
			return fmt.Errorf("the server: %w; log in %s", err, s.dir)
		}
	}
	return os.RemoveAll(s.dir)
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// metrics are the numbers of the operator's port whose names begin with mirsal_ or
// go_, by name with labels.
func (s *server) metrics() (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addrs["ops"]+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	all := map[string]float64{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			all[name] = v
		}
	}
	return all, lines.Err()
}
