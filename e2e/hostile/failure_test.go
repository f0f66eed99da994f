package hostile

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/store"
	"mirsal/internal/store/sqlite"
)

// A full disk and power cuts are in e2e/crash and internal/store/sqlite.

// The clock jumps back a day: what the archive got before has later times than what
// it gets now. Ids stay unique, the order is that of coming, nothing is lost, and
// nothing is taken for old. Case 60
func TestAClockThatJumpsBack(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "alice", "bob", "mallory", "witness")
	v := &victim{Server: s, ctx: t.Context()}
	mallory := v.connect(t, "mallory")
	for i := range 3 {
		say(t, mallory, fmt.Sprintf("<message type='chat' id='b%d' to='%s'><body>before %d</body></message>", i, bare("witness"), i))
	}
	ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	fromTomorrow(t, s.Data)
	for round := range 2 { // the second start reads what the first wrote with the clock of today
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		mallory = v.connect(t, "mallory")
		say(t, mallory, fmt.Sprintf("<message type='chat' id='a%d' to='%s'><body>after %d</body></message>", round, bare("witness"), round))
		ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	v.pair = v.chat(t)
	defer v.undisturbed(t)
	witness := v.connect(t, "witness")
	say(t, witness, "<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'/></iq>")
	var bodies, ids []string
	for _, n := range first(upTo(t, witness, "m")) {
		r := n.Child("urn:xmpp:mam:2", "result")
		ids = append(ids, r.Attr("id"))
		bodies = append(bodies, child("body")(r.Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message")))
	}
	if want := []string{"before 0", "before 1", "before 2", "tomorrow", "after 0", "after 1"}; !slices.Equal(bodies, want) {
		t.Errorf("the archive has %q, want %q", bodies, want)
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("ids %q", ids)
	}
	witness = v.connect(t, "witness") // another one: who reads the archive is given nothing besides
	say(t, witness, "<presence/>")
	var came []string
	for _, n := range passed(t, witness, witness) {
		if n.Name.Local == "message" {
			came = append(came, child("body")(n))
		}
	}
	for len(came) < len(bodies) {
		if n := next(t, witness); n.Name.Local == "message" {
			came = append(came, child("body")(n))
		}
	}
	if !slices.Equal(came, bodies) {
		t.Errorf("who was away is given %q, want %q", came, bodies)
	}
}

// fromTomorrow puts a message into a stopped server's archive that came tomorrow.
func fromTomorrow(t *testing.T, data string) {
	t.Helper()
	db, err := sqlite.Open(data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(24 * time.Hour).UnixMilli()
	body := "<message xmlns='jabber:client' from='" + bare("mallory") + "/x' to='" + bare("witness") + "' type='chat'><body>tomorrow</body></message>"
	err = db.Append(&store.Group{First: db.Last() + 1, Time: at, Records: []store.Record{{Time: at, Body: []byte(body), Entries: []store.Entry{
		{Owner: bare("mallory"), Peer: bare("witness"), Flags: 1}, {Owner: bare("witness"), Peer: bare("mallory"), Flags: 2 | 4},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Another program locks the database: nothing is acknowledged or delivered until it
// lets go, and then everything is. Case 60
func TestALockedDatabaseHoldsAndLosesNothing(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "alice", "bob", "mallory", "witness")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	v.undisturbed(t)
	mallory := v.connect(t, "mallory")
	files, err := filepath.Glob(filepath.Join(s.Data, "*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock, err := db.Conn(v.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(v.ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Skipf("the server lets nobody lock its database: %v", err)
	}
	say(t, mallory, "<message type='chat' id='held' to='"+bare("witness")+"'><body>held</body></message>")
	within(t, "the server to say that it cannot store", func() bool {
		status, _, err := v.Get(v.ctx, "/readyz")
		return err == nil && status == 503
	})
	if _, err := lock.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	_ = lock.Close()
	witness := v.connect(t, "witness")
	within(t, "what was held to be in the archive", func() bool { return lastArchived(t, witness) == "held" })
	v.undisturbed(t)
}

// writer sends numbered messages in a resumable session, and keeps what the server
// has not acknowledged.
type writer struct {
	*xmppclient.Conn
	id      string
	written int // messages 1 to written were sent
}

// TestStopsUnderLoad stops the server, as an operator would, in the midst of traffic,
// several times: each session is told why, goes on after the start, and in the end
// every message came once, in order. Case 61
func TestStopsUnderLoad(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "carol", "witness")
	v := &victim{Server: s, ctx: t.Context()}
	reader := &writer{Conn: v.available(t, "witness")}
	w := &writer{Conn: v.connect(t, "carol")}
	for _, c := range []*writer{reader, w} {
		id, err := c.EnableSM(v.ctx, true)
		if err != nil {
			t.Fatal(err)
		}
		c.id = id
	}
	var got []int
	for range 4 {
		stopped := make(chan error, 1)
		writing := make(chan struct{})
		go func() { // until the stream ends
			defer close(writing)
			for {
				w.written++ // also where sending fails: the server may have it
				if w.Send(fmt.Sprintf("<message type='chat' id='%d' to='%s'><body>%d</body></message>", w.written, bare("witness"), w.written)) != nil {
					return
				}
			}
		}()
		for begun := len(got); len(got) < begun+200; {
			got = take(t, reader, got)
		}
		go func() { stopped <- s.Stop() }()
		got = untilStopped(t, reader, got)
		untilStopped(t, w, nil)
		<-writing
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		v.goOn(t, reader, "witness")
		v.goOn(t, w, "carol")
	}
	for len(got) < w.written {
		got = take(t, reader, got)
	}
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("at place %d came message %d", i+1, n)
		}
	}
	for _, n := range passed(t, w.Conn, reader.Conn) {
		if n.Name.Local == "message" {
			t.Errorf("more came: %s", n)
		}
	}
}

// take reads one element, and notes the number of a message.
func take(t *testing.T, c *writer, got []int) []int {
	t.Helper()
	n := next(t, c.Conn)
	if n.Is(xmppclient.NSSM, "r") {
		if err := c.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	if body := child("body")(n); body != "" {
		n, err := strconv.Atoi(body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	return got
}

// untilStopped reads to the end of the stream, which must say why it ends.
// RFC 6120 §4.9.3.22
func untilStopped(t *testing.T, c *writer, got []int) []int {
	t.Helper()
	why := ""
	for {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		n, err := c.Next(ctx)
		cancel()
		if err != nil {
			if why != "system-shutdown" {
				t.Errorf("the stream ends with %q, %v", why, err)
			}
			return got
		}
		if n.Is(xmppclient.NSStream, "error") {
			why = n.Children[0].Name.Local
		}
		if body := child("body")(n); body != "" {
			number, _ := strconv.Atoi(body)
			got = append(got, number)
		}
	}
}

// goOn resumes a session and sends again what the server does not have.
func (v *victim) goOn(t *testing.T, c *writer, name string) {
	t.Helper()
	sent, handled, address := c.Sent(), c.Handled(), c.JID
	c.Conn = v.loggedIn(t, name)
	c.JID = address
	has, err := c.ResumeSM(v.ctx, c.id, sent, handled)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	// all that was sent in the session are messages, so h is how many of them arrived
	if lost := int(sent - has); lost > 0 && c.written > 0 {
		c.Count(has, handled)
		for n := int(has) + 1; n <= c.written; n++ {
			say(t, c.Conn, fmt.Sprintf("<message type='chat' id='%d' to='%s'><body>%d</body></message>", n, bare("witness"), n))
		}
	}
}
