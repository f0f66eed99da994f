package timeline

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What stands on the stream besides messages: that the server has one, and the answer to
// a query, behind all that was archived before it.
const (
	ack    Kind = 200
	answer Kind = 201
)

// answered is a page on its way.
type answered struct {
	q    Query
	page []Incoming
	fin  Fin
}

// server is an archive and what has not been delivered yet.
type server struct {
	archive string
	log     []Incoming // in the archive's order, with ids and times
	flying  []Incoming // on the stream, not read yet
}

func (v *server) add(in Incoming) Incoming {
	n := len(v.log) + 1
	in.StanzaID = fmt.Sprintf("%s#%d", v.archive, (n*7919)%100003) // ids have no order
	in.Time = epoch.Add(time.Duration(n) * time.Second)
	v.log = append(v.log, in)
	return in
}

func (v *server) at(id string) int {
	return slices.IndexFunc(v.log, func(in Incoming) bool { return in.StanzaID == id })
}

// ask answers a query as an archive does.
func (v *server) ask(q Query) ([]Incoming, Fin) {
	var all []Incoming
	for i, in := range v.log {
		if q.With != "" && in.Chat != q.With || q.After != "" && i <= v.at(q.After) || q.Before != "" && i >= v.at(q.Before) || in.Time.Before(q.Start) {
			continue
		}
		in.Source, in.Lock.State = Archive, ""
		all = append(all, in)
	}
	const most = 3
	fin := Fin{Complete: len(all) <= most}
	if q.Backward {
		all = all[max(0, len(all)-most):]
	} else {
		all = all[:min(len(all), most)]
	}
	if len(all) > 0 {
		fin.First, fin.Last = all[0].StanzaID, all[len(all)-1].StanzaID
	}
	return all, fin
}

// play is a person's day: messages come in every way, the stream breaks, the program dies.
type play struct {
	*desk
	t      *rapid.T
	v      *server
	room   bool
	online bool
	n      int
	said   map[string][]Incoming // by author: texts, to be changed
	sent   map[string]bool       // origin-ids given to the server
	pages  []answered
	sealed bool // texts can be opened once, as ratchets have it
	// what was opened, by origin-id, and what is being opened and not kept yet
	opened, opening map[string]bool
}

func (p *play) chats() []string {
	if p.room {
		return []string{tea}
	}
	return []string{bob, eve}
}

// message is a new one of somebody: a text, or a change of one.
func (p *play) message(by string) Incoming {
	p.n++
	id := fmt.Sprintf("i%d", p.n)
	var in Incoming
	switch {
	case p.room && by == own:
		in = inRoom("me", id, "text "+id)
		in.Mine, in.Real, in.Occupant, in.Sender = true, own, "", own
	case p.room:
		in = inRoom(by, id, "text "+id)
	case by == own:
		in = mine(rapid.SampledFrom(p.chats()).Draw(p.t, "to"), id, "text "+id)
	default:
		in = from(by, id, "text "+id)
	}
	in.StanzaID, in.Source = "", Live
	return p.vary(by, in)
}

// vary makes a change of an earlier text out of a text, sometimes.
func (p *play) vary(by string, in Incoming) Incoming {
	key := by + tail + in.Chat
	kind := rapid.SampledFrom([]Kind{Text, Text, Text, Edit, Retract, React, Nothing}).Draw(p.t, "kind")
	old := p.said[key]
	if kind == React {
		for _, who := range append(p.chats(), own, "kim", "lee") {
			old = append(old, p.said[who+tail+in.Chat]...)
		}
	}
	if kind == Nothing {
		in.Kind, in.Text = Nothing, ""
		return in
	}
	if kind == Text || len(old) == 0 {
		return in
	}
	target := rapid.SampledFrom(old).Draw(p.t, "target")
	ref := target.OriginID
	if p.room && kind != Edit {
		ref = target.StanzaID
	}
	if kind == React {
		in.Text = ""
		return in.as(React, ref).with(rapid.SampledFrom([][]string{{"+"}, {"+", "!"}, {}}).Draw(p.t, "signs")...)
	}
	if kind == Retract {
		in.Text = ""
	}
	return in.as(kind, ref)
}

// say has the server take a message of somebody else's, or of one's own other device.
func (p *play) say() {
	people := append([]string{own}, p.chats()...)
	if p.room {
		people = []string{own, "kim", "lee"}
	}
	by := rapid.SampledFrom(people).Draw(p.t, "by")
	in := p.v.add(p.message(by))
	if in.Kind == Text {
		p.said[by+tail+in.Chat] = append(p.said[by+tail+in.Chat], in)
	}
	if !p.online {
		return
	}
	if in.Mine && !p.room {
		in.Source = Carbon
		if rapid.Bool().Draw(p.t, "bare carbon") {
			in.StanzaID = ""
		}
	}
	p.v.flying = append(p.v.flying, in)
}

// read takes what comes first on the stream; sometimes it comes twice.
func (p *play) read() {
	if len(p.v.flying) == 0 {
		return
	}
	in := p.v.flying[0]
	if !rapid.Bool().Draw(p.t, "again") {
		p.v.flying = p.v.flying[1:]
	}
	p.done(p.take(in))
}

func (p *play) take(in Incoming) (Change, error) {
	switch in.Kind {
	case ack:
		return p.b.Sent(in.OriginID, p.v.clock())
	case answer:
		a := p.pages[in.Time.Unix()]
		return p.takePage(a.q, a.page, a.fin)
	}
	return p.b.Apply(p.open(in), in.Time)
}

// takePage reads a page as an engine does: what is known is not read again.
func (p *play) takePage(q Query, page []Incoming, fin Fin) (Change, error) {
	page = slices.Clone(page)
	for i, in := range page {
		known, err := p.b.Known(q.Archive, in.StanzaID)
		if err != nil {
			p.t.Fatal(err)
		}
		if known {
			page[i] = Incoming{Envelope: Envelope{StanzaID: in.StanzaID, Source: in.Source, Time: in.Time}}
		} else {
			page[i] = p.open(in)
		}
	}
	return p.b.TakePage(q, page, fin, p.v.clock())
}

// open decrypts a message: what is said in it is had once.
func (p *play) open(in Incoming) Incoming {
	if !p.sealed || in.Kind != Text && in.Kind != Edit {
		return in
	}
	if p.sent[in.OriginID] { // one's own, come back: nobody opens what he has sealed
		in.Kind, in.Text, in.Unreadable = Text, "", "echo"
		return in
	}
	if p.opened[in.OriginID] || p.opening[in.OriginID] {
		in.Kind, in.Text, in.Ref, in.Again = Nothing, "", "", true
	}
	p.opening[in.OriginID] = true
	return in
}

// done keeps a change, unless the program dies before.
func (p *play) done(c Change, err error) bool {
	defer clear(p.opening)
	if err == nil && rapid.IntRange(0, 19).Draw(p.t, "dies") == 0 {
		p.restart()
		p.cut()
		return false
	}
	p.keep(c, err)
	return true
}

// keep stores the ratchets' steps with a change.
func (p *play) keep(c Change, err error) {
	p.desk.keep(c, err)
	maps.Copy(p.opened, p.opening)
	clear(p.opening)
}

// cut ends the stream: what was on it is lost.
func (p *play) cut() {
	p.online, p.v.flying = false, nil
	p.b.Offline(p.v.archive)
}

func (p *play) connect() {
	if p.online {
		p.cut()
	}
	if p.done(p.b.Online(p.v.archive, false)) {
		p.online = true
	}
}

// send writes something here, and perhaps gives it to the server.
func (p *play) send() {
	o, c, err := p.b.Compose(Draft{Chat: rapid.SampledFrom(p.chats()).Draw(p.t, "to"), Room: p.room, Text: fmt.Sprintf("mine %d", p.n)}, p.v.clock())
	p.n++
	if p.done(c, err) && rapid.Bool().Draw(p.t, "goes out") {
		p.hand(o)
	}
}

func (v *server) clock() time.Time { return epoch.Add(time.Duration(len(v.log)) * time.Second) }

// hand gives an outgoing message to the server, once, and perhaps hears that it has it.
func (p *play) hand(o Outgoing) {
	if !p.online {
		return
	}
	if !p.sent[o.OriginID] {
		p.sent[o.OriginID] = true
		in := mine(o.Chat, o.OriginID, o.Text)
		if p.room {
			in = inRoom("me", o.OriginID, o.Text)
			in.Mine, in.Real, in.Sender, in.Occupant = true, own, own, ""
		}
		in.Source, in.StanzaID = Live, ""
		in = p.v.add(in)
		if p.room {
			p.v.flying = append(p.v.flying, in)
		}
	}
	p.v.flying = append(p.v.flying, Incoming{Kind: ack, OriginID: o.OriginID})
}

// sync asks the next page; the answer takes its time.
func (p *play) sync() {
	if q, ok := p.b.NextQuery(p.v.archive); ok && p.online {
		p.ask(q)
	}
}

func (p *play) ask(q Query) {
	page, fin := p.v.ask(q)
	p.v.flying = append(p.v.flying, Incoming{Kind: answer, Envelope: Envelope{Time: time.Unix(int64(len(p.pages)), 0)}})
	p.pages = append(p.pages, answered{q, page, fin})
}

// look pages back in a chat.
func (p *play) look() {
	chat := rapid.SampledFrom(p.chats()).Draw(p.t, "chat")
	if p.b.list[chat] == nil || !p.online {
		return
	}
	_, _, fetch, err := p.b.Page(chat, "", rapid.IntRange(1, 20).Draw(p.t, "limit"))
	if err != nil {
		p.t.Fatal(err)
	}
	if fetch != nil {
		p.ask(*fetch)
	}
}

// settle goes online and does all that an engine does until nothing is left to do.
func (p *play) settle() {
	p.connect()
	for !p.online {
		p.connect()
	}
	for range 2 {
		for {
			q, ok := p.b.NextQuery(p.v.archive)
			if !ok {
				break
			}
			page, fin := p.v.ask(q)
			p.keep(p.takePage(q, page, fin))
		}
		left, err := p.b.Outbox()
		if err != nil {
			p.t.Fatal(err)
		}
		for _, o := range left {
			p.hand(o)
			p.online = true
		}
		for len(p.v.flying) > 0 {
			in := p.v.flying[0]
			p.v.flying = p.v.flying[1:]
			p.keep(p.take(in))
		}
		p.keep(p.b.Online(p.v.archive, false))
	}
	p.whole()
}

// whole pages back to the beginning of each chat.
func (p *play) whole() {
	for _, chat := range p.chats() {
		for range 10000 {
			if p.b.list[chat] == nil {
				break
			}
			_, _, fetch, err := p.b.Page(chat, "", 200)
			if err != nil {
				p.t.Fatal(err)
			}
			if fetch == nil {
				break
			}
			page, fin := p.v.ask(*fetch)
			p.keep(p.takePage(*fetch, page, fin))
		}
		if p.b.list[chat] != nil {
			p.jumps(chat)
		}
	}
}

// straight is the same archive read once, from its beginning to its end.
func (p *play) straight() *desk {
	d := newDesk(p.t)
	d.keep(d.b.Online(p.v.archive, false))
	for _, in := range p.v.log {
		in.Source = Live
		d.apply(in)
	}
	return d
}

func testAnyWay(t *testing.T, room, sealed bool) {
	rapid.Check(t, func(t *rapid.T) {
		p := &play{desk: newDesk(t), t: t, v: &server{archive: own}, room: room, sealed: sealed,
			said: map[string][]Incoming{}, sent: map[string]bool{}, opened: map[string]bool{}, opening: map[string]bool{}}
		if room {
			p.v.archive = tea
		}
		t.Repeat(map[string]func(*rapid.T){
			"say": func(*rapid.T) { p.say() }, "say more": func(*rapid.T) { p.say() },
			"read": func(*rapid.T) { p.read() }, "connect": func(*rapid.T) { p.connect() }, "cut": func(*rapid.T) { p.cut() },
			"send": func(*rapid.T) { p.send() }, "sync": func(*rapid.T) { p.sync() }, "look": func(*rapid.T) { p.look() },
			"restart": func(*rapid.T) { p.restart(); p.cut() },
		})
		p.settle()
		want := p.straight()
		for _, chat := range p.chats() {
			if want.b.list[chat] != nil || p.b.list[chat] != nil {
				p.want(chat, want.lines(chat)...)
			}
		}
		if len(p.b.outbox) != 0 {
			t.Fatalf("%d messages are still to be sent", len(p.b.outbox))
		}
	})
}

func TestAnyWayOfComingMakesTheSameConversation(t *testing.T) { testAnyWay(t, false, false) }

func TestAnyWayOfComingMakesTheSameRoom(t *testing.T) { testAnyWay(t, true, false) }

func TestAnyWayOfComingMakesTheSameEncryptedConversation(t *testing.T) { testAnyWay(t, false, true) }

func TestAnyWayOfComingMakesTheSameEncryptedRoom(t *testing.T) { testAnyWay(t, true, true) }
