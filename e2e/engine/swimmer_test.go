package engine

import (
	"sync"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// swimmer is a device that sends its share, whatever happens to it.
type swimmer struct {
	*device.Device
	t     *testing.T
	chat  string   // where it sends to
	texts []string // what it has to say, in order

	mu  sync.Mutex
	has map[string]port.Delivery // its own messages, by text, as far as heard
}

// begin starts the device's process. A connection that breaks is made again at once,
// as when a person looks: the pauses between attempts are tested elsewhere.
func (s *swimmer) begin() {
	s.Start(func(ev port.Event) {
		switch ev := ev.(type) {
		case *port.Status:
			if ev.State == "offline" {
				go func() { _, _ = s.Call(&port.Attend{Here: true}) }()
			}
		case *port.MessageChanged:
			s.note(ev.Message)
		case *port.Page:
			for _, m := range ev.Messages {
				s.note(m)
			}
		}
	})
}

func (s *swimmer) note(m port.Message) {
	if m.Mine {
		s.mu.Lock()
		s.has[m.Text] = m.Delivery
		s.mu.Unlock()
	}
}

// delivery is how far one of its own messages has come, "" if it is not kept.
func (s *swimmer) delivery(text string) port.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has[text]
}

// window is how many messages a device has in its outbox at most.
const window = 20

// talk sends until all is said and the server has it. Whether a message was taken
// by a process that was killed meanwhile is looked up in the next.
func (s *swimmer) talk() {
	for i, text := range s.texts {
		for s.delivery(text) == "" && !s.t.Failed() {
			_, err := s.Call(&port.Send{Chat: s.chat, Text: text})
			if f, ok := err.(*port.Failure); ok {
				s.t.Errorf("%s: %q: %v", s.Name, text, f)
			} else if err != nil {
				s.look()
			}
		}
		if i%window == window-1 || i == len(s.texts)-1 {
			s.drain(s.texts[i/window*window : i+1])
		}
	}
}

// look asks for the newest lines until a process answers.
func (s *swimmer) look() {
	for s.page("") == nil && !s.t.Failed() {
		time.Sleep(glance) // until it was started again
	}
}

// page asks for the lines before one, or for the newest; nil: no process has answered.
func (s *swimmer) page(before string) *port.Page {
	const most = 200
	ev, err := s.Call(&port.History{Chat: s.chat, Before: before, Limit: most})
	if err != nil {
		return nil
	}
	return ev.(*port.Page)
}

// lookFor looks further back, as far as it must: the others have gone on meanwhile.
func (s *swimmer) lookFor(texts []string) {
	before := ""
	for s.waits(texts) > 0 {
		p := s.page(before)
		if p == nil || len(p.Messages) == 0 || !p.More {
			return
		}
		before = p.Messages[0].ID
	}
}

// waits is how many of its messages the server does not have yet, as far as heard.
func (s *swimmer) waits(texts []string) (n int) {
	for _, text := range texts {
		switch s.delivery(text) {
		case port.Failed:
			s.t.Errorf("%s: %q failed", s.Name, text)
		case port.Pending, "":
			n++
		}
	}
	return n
}

// glance is between two looks.
const glance = 20 * time.Millisecond

// drain waits until the server has these.
func (s *swimmer) drain(texts []string) {
	const looks = 50 // until what is known is looked up
	limit := time.Now().Add(2 * time.Minute)
	for n := 1; !s.t.Failed(); n++ {
		waits := s.waits(texts)
		if waits == 0 {
			return
		}
		if time.Now().After(limit) {
			s.t.Errorf("%s: %d messages wait in vain, the status is %+v", s.Name, waits, s.Status())
		}
		if n%looks == 0 {
			s.lookFor(texts)
		}
		time.Sleep(glance)
	}
}
