package screen

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/internal/client/port"
)

// A dialler is bob's `mirsal call`, one process at a time.
type dialler struct {
	*phone.Phone
	h      *house
	folder string
}

func TestTheScreenAndTheTerminalCallEachOther(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "bob"}, "--set", "upload.public_url=http://"+h.web)
	x := &dialler{h: h, folder: filepath.Join(t.TempDir(), "bob")}
	h.answers = map[string]func(string) (string, error){
		"meets":    func(name string) (string, error) { return "", x.meets(name + "@" + domain) },
		"dials":    func(args string) (string, error) { x.dials(args); return "", nil },
		"hears":    func(string) (string, error) { x.hears(); return "", nil },
		"hangs-up": func(string) (string, error) { x.Interrupt(); return "", nil },
		"ends":     func(string) (string, error) { return x.ends() },
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
func (x *dialler) dials(args string) {
	x.Phone = phone.Ready(x.h.t, mirsal.Build(x.h.t), x.folder, strings.Fields(args)...)
}

// hears waits until enough has come.
func (x *dialler) hears() {
	x.Until("sound and pictures", func(l phone.Line) bool { return l.Stats.Audio.Packets > 20 && l.Stats.Video.Frames > 3 })
}

// ends waits for the end of the process, and tells what it has counted.
func (x *dialler) ends() (string, error) {
	x.Exits(0)
	raw, err := json.Marshal(x.Counts())
	return string(raw), err
}
