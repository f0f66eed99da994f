package archive_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core/coretest"
)

// TestWhatIsAcknowledgedOrDeliveredIsArchivedInOrder drives senders at random
// against a log that commits or fails at random, and holds every state that an
// outsider can see to what is on disk at that moment.
func TestWhatIsAcknowledgedOrDeliveredIsArchivedInOrder(t *testing.T) {
	for seed := range uint64(20) {
		stepped(t, func(b *bench) { runModel(b, rand.New(rand.NewPCG(seed, 1))) })
	}
}

type modelSender struct {
	*coretest.Client
	id    [16]byte
	sent  []string // bodies, in order; those not kept begin with "-"
	acked int
}

func runModel(b *bench, rnd *rand.Rand) {
	bob := b.Login("bob@example.org/b")
	var delivered []string
	var senders []*modelSender
	for i := range 3 {
		s := &modelSender{Client: b.Bind(fmt.Sprintf("alice%d@example.org/a", i))}
		s.Session.EnableSM(true, func(id [16]byte) []byte { s.id = id; return nil })
		senders = append(senders, s)
	}
	check := func() {
		delivered = append(delivered, strings.Fields(bodies(bob.Got()))...)
		for _, s := range senders {
			s.look()
		}
		b.checkModel(senders, delivered)
	}
	for range 120 {
		switch s := senders[rnd.IntN(len(senders))]; rnd.IntN(6) {
		case 0, 1, 2:
			s.say(rnd.IntN(4) > 0)
		case 3:
			s.Session.AckRequested()
		case 4:
			b.oneStep(nil)
		case 5:
			b.oneStep(errFull)
			time.Sleep(5 * time.Second)
		}
		check()
	}
	for range 20 {
		b.oneStep(nil)
		check()
	}
	for _, s := range senders {
		want := slices.Clone(s.sent)
		if got := from(s, delivered); !slices.Equal(got, want) {
			b.T.Errorf("bob got %q, want %q", got, want)
		}
	}
}

// say sends a message, kept or not.
func (s *modelSender) say(kept bool) {
	body := fmt.Sprintf("%s-%d", s.Session.JID.Local(), len(s.sent)+1)
	hint := ""
	if !kept {
		body, hint = "-"+body, "<no-store xmlns='urn:xmpp:hints'/>"
	}
	s.sent = append(s.sent, body)
	s.Send("<message to='bob@example.org' type='chat'><body>" + body + "</body>" + hint + "</message>")
}

var ackForm = regexp.MustCompile(`<a [^>]*h='(\d+)'`)

// look reads what the sender was told.
func (s *modelSender) look() {
	for _, m := range ackForm.FindAllStringSubmatch(s.Got(), -1) {
		s.acked, _ = strconv.Atoi(m[1])
	}
}

// oneStep lets the group that waits, if any, through or fail.
func (b *bench) oneStep(err error) {
	synctest.Wait()
	select {
	case b.log.step <- err:
	default:
	}
	synctest.Wait()
}

func from(s *modelSender, bodies []string) (out []string) {
	for _, body := range bodies {
		if strings.Contains(body, s.Session.JID.Local()+"-") {
			out = append(out, body)
		}
	}
	return out
}

func (b *bench) checkModel(senders []*modelSender, delivered []string) {
	b.T.Helper()
	var onDisk []string
	for _, r := range b.allRows("bob@example.org") {
		onDisk = append(onDisk, bodies(r))
	}
	for _, d := range delivered {
		if !strings.HasPrefix(d, "-") && !slices.Contains(onDisk, d) {
			b.T.Errorf("%q was delivered and is not archived", d)
		}
	}
	again := open(b.T, b.store, newStore(), b.config())
	defer again.Close()
	for _, s := range senders {
		if got := from(s, delivered); !slices.Equal(got, s.sent[:len(got)]) {
			b.T.Errorf("overtaken: bob got %q of %q", got, s.sent)
		}
		for _, body := range s.sent[:s.acked] {
			if !strings.HasPrefix(body, "-") && !slices.Contains(onDisk, body) {
				b.T.Errorf("%q was acknowledged and is not archived", body)
			}
		}
		if h, ok := again.RecoveredH(s.id); s.acked > 0 && (!ok || int(h) < s.acked) {
			b.T.Errorf("after a crash h would be %d, %v; the client was told %d", h, ok, s.acked)
		}
	}
}
