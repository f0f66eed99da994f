package screen

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/internal/client/port"
)

// A dialler is bob's `mirsal call`, one process at a time.
type dialler struct {
	h      *house
	folder string
	cmd    *exec.Cmd
	lines  chan map[string]any // what it prints; closed at its end
	counts string              // the last of what it has counted
}

func TestTheScreenAndTheTerminalCallEachOther(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "bob"}, "--set", "upload.public_url=http://"+h.web)
	x := &dialler{h: h, folder: filepath.Join(t.TempDir(), "bob")}
	h.answers = map[string]func(string) (string, error){
		"meets": func(name string) (string, error) { return "", x.meets(name + "@" + domain) },
		"dials": func(args string) (string, error) { return "", x.dials(strings.Fields(args)...) },
		"hears": func(string) (string, error) { return "", x.hears() },
		"hangs-up": func(string) (string, error) {
			return "", x.cmd.Process.Signal(os.Interrupt)
		},
		"ends": func(string) (string, error) { return x.ends() },
	}
	h.tell("terminal", nil)
}

// meets signs bob in, and makes him a contact of somebody who asks for it.
func (x *dialler) meets(address string) error {
	s := &device.Server{Server: x.h.Server, CA: filepath.Join(x.h.Data, "tls", "ca.pem")}
	b := device.NewLocal(x.h.t, s, "bob", "bob@"+domain, x.folder)
	defer b.Close()
	b.Must(&port.SignIn{Address: b.Address, Password: password, Server: x.h.Addr("c2s")})
	is := func(state string) {
		b.Until(address+" being "+state, func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == address && c.Contact.State == state
		})
	}
	is("asks")
	b.Must(&port.AddContact{Address: address})
	is("contact")
	return nil
}

// dials starts a process, and waits until it is connected.
func (x *dialler) dials(args ...string) error {
	x.cmd = exec.Command(mirsal.Build(x.h.t), append([]string{"call", "--json", "--stats", "300ms", "--profile", x.folder}, args...)...)
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	x.cmd.Stderr = os.Stderr
	out, err := x.cmd.StdoutPipe()
	if err == nil {
		err = x.cmd.Start()
	}
	if err != nil {
		return err
	}
	x.lines, x.counts = make(chan map[string]any, 10_000), ""
	go func(lines chan<- map[string]any) {
		defer close(lines)
		for all := bufio.NewScanner(out); all.Scan(); {
			var line map[string]any
			if json.Unmarshal(all.Bytes(), &line) == nil {
				lines <- line
			}
		}
	}(x.lines)
	return x.until("being connected", func(line map[string]any) bool { return line["event"] == "status" })
}

// until reads on to a line.
func (x *dialler) until(what string, right func(map[string]any) bool) error {
	for limit := time.After(2 * time.Minute); ; {
		select {
		case line, ok := <-x.lines:
			if !ok {
				return fmt.Errorf("the terminal ended before %s", what)
			}
			if line["event"] == "callStats" {
				raw, _ := json.Marshal(line)
				x.counts = string(raw)
			}
			if right(line) {
				return nil
			}
		case <-limit:
			return fmt.Errorf("the terminal waited in vain for %s; it has counted %s", what, x.counts)
		}
	}
}

// hears waits until enough has come.
func (x *dialler) hears() error {
	return x.until("sound and pictures", func(line map[string]any) bool {
		audio, _ := line["audio"].(map[string]any)
		video, _ := line["video"].(map[string]any)
		packets, _ := audio["packets"].(float64)
		frames, _ := video["frames"].(float64)
		return line["event"] == "callStats" && packets > 20 && frames > 3
	})
}

// ends waits for the end of the process, and tells what it has counted.
func (x *dialler) ends() (string, error) {
	err := x.until("its end", func(map[string]any) bool { return false })
	if wrong := x.cmd.Wait(); wrong != nil {
		return "", errors.Join(err, wrong)
	}
	return x.counts, nil
}
