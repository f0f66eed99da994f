package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// inTea is what somebody says in a room, as its archive has it; live is as it comes.
func inTea(n int) string {
	return fmt.Sprintf("<message xmlns='jabber:client' type='groupchat' from='%s/carol' id='m%d'><body>line %03d</body></message>", tea, n, n)
}

func liveInTea(n int) string {
	return strings.Replace(inTea(n), "</message>", fmt.Sprintf("<stanza-id xmlns='urn:xmpp:sid:0' by='%s' id='r%d'/></message>", tea, n), 1)
}

// archiveOf is an archive of a room; one's own is empty.
func (d *desk) archiveOf(room string) *archive {
	a := d.archive()
	d.lie = func(q conn.Request) (string, bool) {
		if q.To.String() != room {
			return "", false
		}
		return a.lie(q)
	}
	return a
}

// heldBack is the next question of a kind, which waits for its answer, which tell gives.
type heldBack struct {
	d    *desk
	tag  uint64
	q    conn.Request
	once bool
}

func (d *desk) holds(part, to string) *heldBack {
	former, h := d.lie, &heldBack{d: d}
	lie := func(q conn.Request) (string, bool) {
		if !h.once && strings.Contains(string(q.Payload), part) && (q.To.String() == to || to == "") {
			h.once, h.tag, h.q = true, d.engine.link.tag, q
			return "silence", true
		}
		if former != nil {
			return former(q)
		}
		return "", false
	}
	d.lie, d.wire.lie = lie, lie
	return h
}

// tell answers what was held back.
func (h *heldBack) tell() {
	h.d.t.Helper()
	if !h.once {
		h.d.t.Fatal("nothing was held back")
	}
	answer, ok := h.d.lie(h.q)
	if !ok {
		answer = h.d.wire.serve(h.q)
	}
	h.d.happens(answerOf(h.d.t, h.q.To, h.tag, answer))
	h.d.wait()
}

func TestARoomThatIsNotLiveYetHidesNoGapWhenTheStreamGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		a := d.archiveOf(tea)
		d.roomInfo(me)
		d.enter(tea)
		a.said = []string{inTea(0)}
		d.gets(liveInTea(0))
		d.down()
		h := d.holds(nsInfo, tea)
		d.up(false) // a new session, in which the room is entered again
		d.enter(tea)
		d.down()
		a.said = append(a.said, inTea(1), inTea(2)) // said before the room was entered
		d.up(true)
		for n := 3; n < 83; n++ {
			a.said = append(a.said, inTea(n))
			d.gets(liveInTea(n))
		}
		h.tell()
		d.gets()
		var want []string
		for n := range 83 {
			want = append(want, fmt.Sprintf("line %03d", n))
		}
		same(t, "the room", d.lines(tea), want...)
	})
}

func TestASessionThatWasNotBegunIsBegunWhenItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.engine.Do(&port.SignIn{Address: me, Password: "secret"})
		d.wait()
		d.up(true)
		if len(d.questions("jabber:iq:roster")) != 1 || len(d.take("<presence")) != 1 {
			t.Error("nothing was asked for")
		}
		d.stop()
	})
}

func TestARoomEnteredAgainWhileItsArchiveIsReadLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		a := d.archiveOf(tea)
		d.roomInfo(me, bob)
		d.enter(tea, here(tea, "bob", bob))
		d.down()
		for n := range 5 {
			a.said = append(a.said, p.saysTo(jid.MustParse(tea), fmt.Sprintf("line %d", n), fmt.Sprintf("type='groupchat' from='%s/bob' id='m%d'", tea, n), "<x xmlns='"+nsMUCUser+"'><item jid='"+bob+"/x'/></x>", me))
		}
		h := d.holds(nsMAM, tea)
		d.up(false)
		d.gets(here(tea, "bob", bob), here(tea, "me", me, "110"))
		if !h.once {
			t.Fatal("the archive is not asked")
		}
		// put out, and in again, on the same session
		d.gets(gone(tea, "me", "<item affiliation='member' role='none'/><status code='110'/><status code='307'/>"))
		again := d.holds(nsMAM, tea)
		d.enter(tea, here(tea, "bob", bob))
		h.tell()
		again.tell()
		d.gets()
		got := slices.DeleteFunc(d.lines(tea), func(s string) bool { return s == "!kicked" })
		same(t, "the room", got, "line 0", "line 1", "line 2", "line 3", "line 4")
		d.stop()
		d.start()
		got = slices.DeleteFunc(d.lines(tea), func(s string) bool { return s == "!kicked" })
		same(t, "the room later", got, "line 0", "line 1", "line 2", "line 3", "line 4")
		d.up(false)
		time.Sleep(time.Second)
	})
}

func TestWhoIsSyncedCanBeWrittenTo(t *testing.T) {
	for _, part := range []string{"<publish node='eu.siacs.conversations.axolotl.devicelist'", "<publish node='eu.siacs.conversations.axolotl.bundles:"} {
		synctest.Test(t, func(t *testing.T) {
			d := sit(t, keep.NewMemory())
			h := d.holds(part, "")
			d.engine.Do(&port.SignIn{Address: me, Password: "secret"})
			d.wait()
			d.up(false)
			if d.status().Synced {
				t.Errorf("%s: it calls itself synced before", part)
			}
			h.tell()
			if s := d.status(); !s.Synced {
				t.Errorf("%s: it is not synced behind: %v", part, d.engine.awaited)
			}
			d.stop()
		})
	}
}

func TestAServerThatTakesNoKeysHoldsUpNobody(t *testing.T) {
	for _, answer := range []string{"error forbidden", "lost timeout", "silence"} {
		synctest.Test(t, func(t *testing.T) {
			d := sit(t, keep.NewMemory())
			d.lie = func(q conn.Request) (string, bool) {
				return answer, strings.Contains(string(q.Payload), "<publish ") || strings.Contains(string(q.Payload), "<configure ")
			}
			d.engine.Do(&port.SignIn{Address: me, Password: "secret"})
			d.wait()
			d.up(false)
			if answer == "silence" {
				time.Sleep(syncTime + time.Second)
				d.wait()
			}
			if !d.status().Synced {
				t.Errorf("%s: waits for %v", answer, d.engine.awaited)
			}
			d.stop()
		})
	}
}

func TestADeviceThatSpeaksBeforeItIsKnownHasItsListAskedForAtOnce(t *testing.T) {
	for _, wrote := range []bool{true, false} {
		bubble(t, func(t *testing.T, d *desk) {
			first := d.peer(bob)
			if wrote { // no contact, but somebody who knows us
				d.must(&port.Send{Chat: bob, Text: "hello"})
				same(t, "bob", first.texts(d.takeTo(bob)), "hello")
			}
			second := d.peer(bob) // the server says nothing of it
			d.questions("")
			before := len(d.told)
			d.gets(second.says("it is me", "type='chat' from='"+bob+"/y' to='"+me+"' id='1'", ""))
			asked := 0
			for _, q := range d.questions("<items ") {
				if q.To.String() == bob && strings.Contains(string(q.Payload), "devicelist") {
					asked++
				}
			}
			if (asked == 1) != wrote {
				t.Errorf("wrote %v: the list is asked for %d times", wrote, asked)
			}
			alerts := 0
			for _, ev := range d.told[before:] {
				if a, ok := ev.(*port.KeyAlert); ok && a.Kind == "new-device" && a.Address == bob {
					alerts++
				}
			}
			if wrote && alerts != 1 {
				t.Errorf("%d alerts", alerts)
			}
		})
	}
}
