package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"mirsal/internal/client/port"
)

// late is an engine that answers when it is told to.
type late struct{ asked []port.Command }

func (l *late) Do(c port.Command) { l.asked = append(l.asked, c) }

func TestThePortEndsWhenAllIsAnswered(t *testing.T) {
	var out bytes.Buffer
	a, e := newAnswers(&out), &late{}
	for _, line := range []string{`{"do":"listChats","ref":1}`, `{"do":"attend","here":true}`, `nonsense`, `{"do":"unheard-of","ref":5}`, `{"do":"listContacts","ref":2}`} {
		a.takeLine(e, []byte(line))
	}
	waited := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.wait(ctx, e) // nobody answers: it ends by its time
	go func() {
		<-a.all
		close(waited)
	}()
	a.tell(&port.ChatList{Ref: port.Ref{Ref: 1}})
	a.tell(&port.Done{Ref: port.Ref{Ref: lastRef}})
	select {
	case <-waited:
		t.Fatal("it ended before the last answer")
	default:
	}
	a.tell(&port.ContactList{Ref: port.Ref{Ref: 2}})
	<-waited
	a.tell(&port.Status{State: "offline"})
	text := out.String()
	if len(e.asked) != 4 || strings.Count(text, "\n") != 5 || strings.Contains(text, "18446744073709551615") || !strings.Contains(text, `"ref":5`) {
		t.Errorf("%d asked, printed:\n%s", len(e.asked), text)
	}
}
