package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// texts are what a peer reads of what was sent, in order.
func (p *peer) texts(sent []string) (out []string) {
	for _, raw := range sent {
		text, err := p.reads(raw)
		if err != nil {
			text = err.Error()
		}
		out = append(out, text)
	}
	return out
}

func (d *desk) delivery(chat string) (out []string) {
	for _, m := range d.must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		out = append(out, m.Text+" "+string(m.Delivery))
	}
	return out
}

func TestAStuckChatHoldsUpNobodyElse(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, q := d.peer(bob), d.peer(eve)
		d.lie = func(q conn.Request) (string, bool) { return "silence", q.To.String() == bob }
		for i := range 3 {
			d.must(&port.Send{Chat: bob, Text: fmt.Sprint("to bob ", i)})
			d.must(&port.Send{Chat: eve, Text: fmt.Sprint("to eve ", i)})
		}
		same(t, "eve", q.texts(d.take("<encrypted")), "to eve 0", "to eve 1", "to eve 2")
		d.lie = nil
		d.wire.lie = nil
		d.down()
		d.up(false)
		same(t, "bob", p.texts(d.takeTo(bob)), "to bob 0", "to bob 1", "to bob 2")
	})
}

// takeTo is what was sent to somebody, encrypted.
func (d *desk) takeTo(who string) (out []string) {
	for _, s := range d.take("<encrypted") {
		if strings.Contains(s, " to='"+who+"'") {
			out = append(out, s)
		}
	}
	return out
}

func TestWhatWasLostIsSentAgainUnderItsIdAndWhatWasHandledIsNot(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.must(&port.Send{Chat: bob, Text: "one"})
		d.must(&port.Send{Chat: bob, Text: "two"})
		d.wire.mu.Lock()
		tickets := []uint64{}
		for _, n := range d.tickets {
			if n != 0 {
				tickets = append(tickets, n)
			}
		}
		d.wire.mu.Unlock()
		first := d.take("<encrypted")
		d.down()
		d.up(true)
		if again := d.takeTo(bob); len(again) != 0 {
			t.Errorf("%d were sent again on a session that goes on", len(again))
		}
		d.down()
		d.happens(&conn.Handled{Tickets: tickets[:1]}, &conn.Lost{Tickets: tickets[1:]})
		d.up(false)
		again := d.takeTo(bob)
		if len(again) != 1 || parse(t, again[0]).Attr("id") != parse(t, first[1]).Attr("id") {
			t.Errorf("sent again: %d", len(again))
		}
		same(t, "bob", p.texts(again), "two")
		same(t, "the lines", d.delivery(bob), "one sent", "two pending")
	})
}

func TestWhatIsInTheOutboxSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.signIn()
		p := d.peer(bob)
		d.must(&port.Send{Chat: bob, Text: "before"})
		d.take("")
		d.down()
		d.must(&port.Send{Chat: bob, Text: "in the dark"})
		d.stop()
		d.start()
		d.up(false)
		same(t, "bob", p.texts(d.takeTo(bob)), "before", "in the dark")
		d.stop()
	})
}

func TestWithoutAKeyNothingLeavesAndRetrySendsItLater(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		id := d.must(&port.Send{Chat: bob, Text: "a secret"}).(*port.Done).Message
		if sent := d.take("secret"); len(sent) != 0 {
			t.Errorf("sent in the clear: %v", sent)
		}
		same(t, "the line", d.delivery(bob), "a secret failed")
		p := d.peer(bob)
		d.gets()
		time.Sleep(time.Hour) // until the list is asked for again
		d.must(&port.Retry{Chat: bob, Message: id})
		same(t, "bob", p.texts(d.takeTo(bob)), "a secret")
		if a := d.do(&port.Retry{Chat: bob, Message: id}); len(a) != 1 || port.FailureOf(a[0]) == nil {
			t.Errorf("once more is answered by %v", a)
		}
	})
}

func TestWhatWasWrittenToBeEncryptedDoesNotLeaveInTheClear(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		d.down()
		id := d.must(&port.Send{Chat: bob, Text: "a secret"}).(*port.Done).Message
		d.must(&port.SetEncryption{Chat: bob, On: false})
		d.up(false)
		if sent := d.take("a secret"); len(sent) != 0 {
			t.Errorf("sent in the clear: %v", sent)
		}
		d.must(&port.Retry{Chat: bob, Message: id}) // a person has seen that it is open now
		if sent := d.take("<body>a secret"); len(sent) != 1 {
			t.Errorf("sent %d times", len(sent))
		}
	})
}

// TestAReactionWaitsForKeysAsATextDoes: as long as it is not known in which profile somebody reads,
// nothing goes beside the envelope that could go inside it.
func TestAReactionWaitsForKeysAsATextDoes(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.peer(bob)
		h := d.holds("eu.siacs.conversations.axolotl.bundles:", bob)
		d.befriend(bob)
		d.gets("<message type='chat' from='" + bob + "/x' id='1'><body>look</body></message>")
		m := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0]
		d.must(&port.React{Chat: bob, Message: m.ID, Emoji: []string{"👍"}})
		if sent := d.take("👍"); len(sent) > 0 {
			t.Errorf("before the keys are here: %v", sent)
		}
		h.tell()
		if sent := d.take("👍"); len(sent) != 1 {
			t.Errorf("with them it was sent %d times", len(sent))
		}
	})
}

func TestAFullConnectionUsesUpNoKeysAndGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.take("")
		var want []string
		for i := range mostUnder + 50 {
			want = append(want, fmt.Sprint("message ", i))
			d.must(&port.Send{Chat: bob, Text: want[i]})
		}
		d.wire.mu.Lock()
		tickets := append([]uint64(nil), d.tickets...)
		d.wire.mu.Unlock()
		same(t, "the first", p.texts(d.takeTo(bob)), want[:mostUnder]...)
		d.happens(&conn.Handled{Tickets: tickets})
		d.wait()
		same(t, "the rest", p.texts(d.takeTo(bob)), want[mostUnder:]...)
	})
}

// failing is a store of which the n-th Apply from now on fails.
type failing struct {
	*keep.Memory
	n     int
	after func()
}

var errFull = errors.New("the disk is full")

func (f *failing) Apply(b *keep.Batch) error {
	if b.Len() > 0 {
		if f.n--; f.n == 0 {
			f.after()
			f.n = 1
			return errFull
		}
	}
	return f.Memory.Apply(b)
}

// TestAStoreThatFailsStopsTheEngineBeforeAnythingElseHappens lets each write fail in
// turn: then nothing is sent, settled or told but the status.
func TestAStoreThatFailsStopsTheEngineBeforeAnythingElseHappens(t *testing.T) {
	for n := 1; n < 200; n++ {
		done := false
		synctest.Test(t, func(t *testing.T) {
			store := &failing{Memory: keep.NewMemory()}
			d := sit(t, store)
			var sent, settled, told int
			failed := false
			store.n = n
			store.after = func() {
				if !failed {
					failed = true
					d.wire.mu.Lock()
					sent, settled, told = len(d.sent), d.settled, len(d.told)
					d.wire.mu.Unlock()
				}
			}
			d.engine.Do(&port.SignIn{Address: me, Password: "x"})
			d.wait()
			d.happens(&conn.Up{})
			d.wait()
			if !failed {
				store.work(d)
			}
			if done = !failed; done {
				d.stop()
				return
			}
			if err := <-d.ended; !errors.Is(err, errFull) {
				t.Errorf("write %d: the engine ended with %v", n, err)
			}
			if len(d.sent) != sent || d.settled != settled {
				t.Errorf("write %d: something was sent or settled after it had failed", n)
			}
			if rest := d.told[told:]; len(rest) != 1 || rest[0].(*port.Status).Failure.Code != port.Internal {
				t.Errorf("write %d: it told %v", n, rest)
			}
		})
		if done {
			if n < 15 {
				t.Errorf("only %d writes were tried", n)
			}
			return
		}
	}
	t.Error("there is no end of writes")
}

func TestAMessageLeavesOnlyOnceItsRatchetStepIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Memory: keep.NewMemory(), after: func() {}}
		d := sit(t, store)
		d.signIn()
		d.peer(bob)
		d.must(&port.Send{Chat: bob, Text: "one"})
		if len(d.takeTo(bob)) != 1 {
			t.Fatal("the first message has not left")
		}
		store.n = 2 // the first is the outbox, the second the ratchet
		d.engine.Do(&port.Send{Chat: bob, Text: "two"})
		if err := <-d.ended; !errors.Is(err, errFull) {
			t.Errorf("the engine ended with %v", err)
		}
		if sent := d.takeTo(bob); len(sent) != 0 {
			t.Error("the message left, and its ratchet step is forgotten")
		}
	})
}

// work is a little of everything; it stops where the store fails.
func (f *failing) work(d *desk) {
	p := d.peer(bob)
	steps := []func(){
		func() { d.befriend(bob) },
		func() { d.engine.Do(&port.Send{Chat: bob, Text: "hello"}) },
		func() { d.happens(stanzaOf(d.t, p.says("hi", "type='chat' from='"+bob+"/x' id='1'", ""))) },
		func() { d.engine.Do(&port.Retract{Chat: bob, Message: "m1"}) },
		func() { d.engine.Do(&port.JoinRoom{Address: tea}) },
		func() { d.happens(stanzaOf(d.t, here(tea, "me", me, "110"))) },
		func() { d.happens(stanzaOf(d.t, gone(tea, "me", "<status code='110'/><status code='307'/>"))) },
		func() { d.engine.Do(&port.SetEncryption{Chat: bob, On: false}) },
		func() { d.engine.Do(&port.LeaveRoom{Address: tea}) },
		func() { d.engine.Do(&port.SignOut{Forget: true}) },
	}
	for _, step := range steps {
		if d.engine.broken != nil {
			return
		}
		step()
		d.wait()
	}
}

// disk lends one file; uploads wait for the test.
type disk struct {
	files.Doer
	put chan error
}

func (k *disk) Open(string) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader("content")), 7, nil
}
func (k *disk) Part(string) files.Part { return nil }
func (k *disk) Save(string, string) (files.Sink, func() string, error) {
	return nil, nil, errors.New("no")
}
func (k *disk) HTTP() files.Doer     { return k }
func (k *disk) Policy() files.Policy { return files.Policy{} }
func (k *disk) Put(ctx context.Context, r files.PutRequest) (*files.Answer, error) {
	select {
	case err := <-k.put:
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		return &files.Answer{Status: 201, Body: io.NopCloser(strings.NewReader(""))}, err
	case <-ctx.Done():
		return &files.Answer{}, ctx.Err()
	}
}

func slots(q conn.Request, e string) (string, bool) {
	switch {
	case strings.Contains(e, nsItems):
		return "<query xmlns='" + nsItems + "'><item jid='upload.example.org'/></query>", true
	case strings.Contains(e, nsInfo) && q.To.String() == "upload.example.org":
		return "<query xmlns='" + nsInfo + "'><identity category='store' type='file'/><feature var='urn:xmpp:http:upload:0'/></query>", true
	case strings.Contains(e, "urn:xmpp:http:upload:0"):
		return "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://upload.example.org/a'/><get url='https://upload.example.org/a'/></slot>", true
	}
	return "", false
}

func withFiles(t *testing.T, f func(t *testing.T, d *desk, k *disk, p *peer)) {
	synctest.Test(t, func(t *testing.T) {
		k := &disk{put: make(chan error)}
		d := sit(t, keep.NewMemory())
		d.engine.Files = k
		d.signIn()
		d.lie = func(q conn.Request) (string, bool) { return slots(q, string(q.Payload)) }
		p := d.peer(bob)
		d.take("")
		f(t, d, k, p)
		d.stop()
	})
}

func TestAFileAndItsCaptionLeaveWhenItIsUploaded(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		d.must(&port.SendFile{Chat: bob, Path: "/x.png", Text: "look"})
		if len(d.takeTo(bob)) != 0 {
			t.Error("the message left before its file")
		}
		k.put <- nil
		d.wait()
		got := p.texts(d.takeTo(bob))
		if len(got) != 2 || !strings.HasPrefix(got[0], "aesgcm://upload.example.org/") || got[1] != "look" {
			t.Errorf("bob has %q", got)
		}
		said := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages
		if f := said[0].File; f.Caption != said[1].ID || f.Text != "look" || f.State != "here" {
			t.Errorf("the file is %+v, the caption %s", f, said[1].ID)
		}
		if left := d.find("look"); len(left) == 0 || left[0] == "files.uploads" {
			t.Errorf("the caption is in %v", left)
		}
	})
}

func TestAnUploadThatWasCancelledFailsAndRetryBeginsAnew(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		d.must(&port.SendFile{Chat: bob, Path: "/x.png"})
		d.must(&port.Cancel{Command: d.ref})
		m := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0]
		if m.Delivery != port.Failed || m.File.State != "failed" {
			t.Errorf("the message is %+v", m)
		}
		d.must(&port.Retry{Chat: bob, Message: m.ID})
		k.put <- nil
		d.wait()
		if got := p.texts(d.takeTo(bob)); len(got) != 1 {
			t.Errorf("bob has %q", got)
		}
	})
}

func TestFilesOfAChatGoOneAfterTheOther(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		for range 12 {
			d.must(&port.SendFile{Chat: bob, Path: "/x.png"})
		}
		first := d.must(&port.History{Chat: bob, Limit: 12}).(*port.Page).Messages[0].ID
		if len(d.engine.uploading) != 1 || d.engine.uploading[first] == nil {
			t.Errorf("on their way are %v, not %s", d.engine.uploading, first)
		}
		for range 12 {
			k.put <- nil
			d.wait()
		}
		if got := p.texts(d.takeTo(bob)); len(got) != 12 || len(d.engine.uploading) != 0 {
			t.Errorf("bob has %d files", len(got))
		}
	})
}

func TestAFileIsGivenUpByItsMessage(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		id := d.must(&port.SendFile{Chat: bob, Path: "/x.png"}).(*port.Done).Message
		d.must(&port.Cancel{Message: id})
		m := d.must(&port.History{Chat: bob, Limit: 5}).(*port.Page).Messages[0]
		if m.Delivery != port.Failed || len(d.engine.uploading) != 0 {
			t.Errorf("the message is %+v", m)
		}
	})
}

func TestAFileWhoseMessageIsTakenBackGoesNoFurther(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		id := d.must(&port.SendFile{Chat: bob, Path: "/x.png", Text: "caption-77"}).(*port.Done).Message
		d.must(&port.Retract{Chat: bob, Message: id})
		d.wait()
		if left := d.find("caption-77"); len(left) != 0 {
			t.Errorf("the caption is in %v", left)
		}
		if len(d.engine.uploading) != 0 || len(d.takeTo(bob)) != 0 {
			t.Error("the file goes on")
		}
	})
}

func TestAnUploadGoesOnAfterARestartAndALostConnection(t *testing.T) {
	withFiles(t, func(t *testing.T, d *desk, k *disk, p *peer) {
		d.down()
		d.must(&port.SendFile{Chat: bob, Path: "/x.png"}) // begins when there is a connection
		d.stop()
		d.start()
		d.engine.Files = k
		d.up(false)
		k.put <- nil
		d.wait()
		if got := p.texts(d.takeTo(bob)); len(got) != 1 {
			t.Errorf("bob has %q", got)
		}
	})
}

// Attack: members of a room with as many devices as there may be. What no server takes would
// end the stream, and be sent again on the next one, for ever.
func TestAMessageThatNoServerTakesFailsAndHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		members, before := []string{me}, []string{}
		for i := range 10 {
			who := fmt.Sprintf("u%d@example.net", i)
			p := d.peer(who)
			list, own := "", ""
			for node, item := range d.nodes {
				if node == fmt.Sprintf("%s %s.bundles:%d", who, nsLegacy, p.ID()) {
					own = item
				}
			}
			for id := range 100 {
				list += fmt.Sprintf("<device id='%d'/>", id+1)
				d.nodes[fmt.Sprintf("%s %s.bundles:%d", who, nsLegacy, id+1)] = own
			}
			d.nodes[who+" "+nsLegacy+".devicelist"] = "<item id='current'><list xmlns='" + nsLegacy + "'>" + list + "</list></item>"
			members, before = append(members, who), append(before, here(tea, fmt.Sprint("n", i), who))
		}
		d.roomInfo(members...)
		d.enter(tea, before...)
		d.take("")
		sent := d.must(&port.Send{Chat: tea, Text: "to all"}).(*port.Done)
		m, _, err := d.engine.lines.Message(sent.Message)
		if err != nil || m.Delivery != port.Failed || !strings.Contains(m.Failure, "devices") {
			t.Errorf("the message is %s, %q, %v", m.Delivery, m.Failure, err)
		}
		for _, raw := range d.take("<message") {
			if len(raw) > 256<<10 {
				t.Errorf("%d bytes are sent", len(raw))
			}
		}
		if out, err := d.engine.lines.Outbox(); len(out) != 0 || err != nil {
			t.Errorf("%d messages wait, %v", len(out), err)
		}
	})
}

// forgetful is a store that gives nothing of one table.
type forgetful struct {
	keep.Store
	table keep.Table
}

func (f forgetful) Get(t keep.Table, key string) ([]byte, error) {
	if t == f.table {
		return nil, errors.New("the disk is gone")
	}
	return f.Store.Get(t, key)
}

// What the store cannot open is not lost: it is not acknowledged.
func TestAStoreThatFailsWhileAMessageIsOpenedEndsTheEngine(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		d.befriend(bob)
		d.stop()
		d.store = forgetful{d.store, "omemo.read"}
		d.start()
		d.up(false)
		settled := d.settled
		d.gets(p.says("a secret", "type='chat' from='"+bob+"/x' id='1'", ""))
		if d.engine.broken == nil || d.settled != settled {
			t.Errorf("the engine: %v; %d stanzas are settled", d.engine.broken, d.settled-settled)
		}
	})
}
