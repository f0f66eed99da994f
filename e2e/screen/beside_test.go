package screen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/client/port"
)

// TestMirsalsScreenBesideConverse measures both on one server, in turns; docs/compare-web.md tells it.
// It has no bounds: it runs where MIRSAL_RESULTS says where its numbers go.
func TestMirsalsScreenBesideConverse(t *testing.T) {
	if os.Getenv("MIRSAL_RESULTS") == "" {
		t.Skip("it measures and tests nothing: bench/README.md")
	}
	var friends []string
	for i := range 50 {
		friends = append(friends, fmt.Sprintf("friend%02d", i))
	}
	h := prepared(t)
	h.opens(append([]string{"alice", "bob"}, friends...), "--set", "e2ee=optional")
	h.circle(friends)
	heard := h.listener()
	h.answers = map[string]func(string) (string, error){
		"heard":  heard,
		"record": func(line string) (string, error) { return "", record(t, "beside-converse")(line) },
	}
	h.tell("beside", map[string]any{"runs": numberOf("MIRSAL_RUNS", 5), "ws": "ws://" + h.web + "/ws"})
}

// circle has alice and everybody be contacts, and everybody write to her once.
func (h *house) circle(friends []string) {
	h.t.Helper()
	alice := h.signedIn("alice", nil)
	for _, name := range append([]string{"bob"}, friends...) {
		alice.Must(&port.AddContact{Address: name + "@" + domain})
		h.writes(name, "<presence type='subscribed' to='alice@"+domain+"'/>", "<presence type='subscribe' to='alice@"+domain+"'/>",
			"<message type='chat' id='m"+name+"' to='alice@"+domain+"'><body>hello from "+name+"</body></message>")
		alice.Hears(name+"@"+domain, "hello from "+name)
		alice.Must(&port.AddContact{Address: name + "@" + domain})
	}
	alice.Close()
}

func (h *house) signedIn(name string, events func(port.Event)) *device.Device {
	h.t.Helper()
	d := device.New(h.t, mirsal.Build(h.t), name, name+"@"+domain, filepath.Join(h.Data, "tls", "ca.pem"))
	d.Start(events)
	d.SignIn(password, h.Addr("c2s"))
	return d
}

// writes has somebody come, send stanzas and go.
func (h *house) writes(name string, stanzas ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: h.Addr("c2s"), Domain: domain})
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Kill()
	for _, err := range []error{c.Login(ctx, name, password), c.Bind(ctx, "once"), c.Send(strings.Join(stanzas, "")), c.Close(ctx)} {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// listener has bob's device note when it hears a text; the answer is that moment in ms and
// whether it was encrypted.
func (h *house) listener() func(text string) (string, error) {
	var mu sync.Mutex
	at := map[string]string{}
	bob := h.signedIn("bob", func(ev port.Event) {
		if m, ok := ev.(*port.MessageChanged); ok && m.New {
			mu.Lock()
			at[m.Message.Text] = fmt.Sprintf("%.1f %s", float64(time.Now().UnixMicro())/1000, m.Message.Lock.State)
			mu.Unlock()
		}
	})
	bob.Must(&port.AddContact{Address: "alice@" + domain})
	return func(text string) (string, error) {
		bob.Hears("alice@"+domain, text)
		mu.Lock()
		defer mu.Unlock()
		return at[text], nil
	}
}
