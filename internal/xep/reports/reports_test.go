package reports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// desk is a world where alice is the administrator.
type desk struct {
	*coretest.World
	t *testing.T
	f *Reports
	// fails: who the administrators are cannot be read.
	fails atomic.Bool
}

// restarted is the feature in the next run of the server.
func (d *desk) restarted() *Reports {
	d.t.Helper()
	f := &Reports{all: map[string]*Report{}, each: map[string]int{}, bucket: d.f.bucket, told: d.f.told, router: d.Router, Config: d.f.Config}
	if err := f.Load(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return f
}

func world(t *testing.T, f func(d *desk)) {
	t.Helper()
	d := &desk{t: t}
	coretest.Run(t, func(w *coretest.World) {
		d.World = w
		d.f = New(w.Router, memory.New(), Config{
			Admins: func(context.Context) ([]jid.JID, error) {
				if d.fails.Load() {
					return nil, errors.New("the storage fails")
				}
				return []jid.JID{jid.MustParse("alice@example.org")}, nil
			},
			Log: slog.New(slog.DiscardHandler),
		})
		d.f.Register(w.Host)
	}, func(*coretest.World) { f(d) })
}

// report has somebody report somebody.
func (d *desk) report(by, about, content string) {
	d.t.Helper()
	e, err := xtok.Parse([]byte("<report xmlns='"+ns+"' reason='urn:xmpp:reporting:spam'>"+content+"</report>"), xtok.Limits{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.f.Take(d.t.Context(), jid.MustParse(by), jid.MustParse(about), e)
}

func (d *desk) do(node string, fields ...string) string {
	d.t.Helper()
	given := map[string][]string{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		given[name] = append(given[name], value)
	}
	for _, c := range d.f.Commands() {
		if strings.Contains(c.Node, "#"+node+"-report") {
			r, err := c.Run(&command.Call{Ctx: d.t.Context(), By: jid.MustParse("alice@example.org/phone")}, given)
			if err != nil {
				return err.Error()
			}
			return string(r.Append(nil))
		}
	}
	d.t.Fatal("no command", node)
	return ""
}

func (d *desk) ids() []string {
	items, err := d.f.bucket.Scan(d.t.Context(), server, store.Range{})
	if err != nil {
		d.t.Fatal(err)
	}
	var ids []string
	for _, i := range items {
		ids = append(ids, i.Key)
	}
	return ids
}

func TestAReportWaitsUntilItIsClosed(t *testing.T) {
	world(t, func(d *desk) {
		d.report("bob@example.org/phone", "spam@example.org", "<text xml:lang='de'>Gei&lt;ges</text><text>Go away</text><report-origin/>"+
			"<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='42'/><body xmlns='jabber:client'>not kept</body>")
		ids := d.ids()
		if len(ids) != 1 {
			t.Fatal(ids)
		}
		id := ids[0]
		for _, want := range []string{id, "spam@example.org", "<value>spam</value>", "bob@example.org", "open"} {
			if got := d.do("list"); !strings.Contains(got, want) {
				t.Errorf("%s: %s", want, got)
			}
		}
		got := d.do("show", "id="+id[:6])
		for _, want := range []string{"de: Gei&lt;ges", "Go away", "bob@example.org 42", "urn:xmpp:reporting:spam"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s", want, got)
			}
		}
		if strings.Contains(got, "not kept") {
			t.Error(got)
		}
		if got := d.do("close", "id="+id, "id=nothing"); !strings.Contains(got, "Closed: 1") || !strings.Contains(got, "no report nothing") {
			t.Error(got)
		}
		if strings.Contains(d.do("list"), id) || !strings.Contains(d.do("list", "all=1"), "closed") || !strings.Contains(d.do("show", "id="+id), "<value>alice@example.org</value>") {
			t.Error("it is not closed")
		}
		d.report("bob@example.org/phone", "spam@example.org", "")
		if got := d.do("list"); !strings.Contains(got, "<value>2</value>") {
			t.Error("reported anew, it is open anew:", got)
		}
	})
}

func TestReportsAreBounded(t *testing.T) {
	world(t, func(d *desk) {
		long := strings.Repeat("é", maxText)
		var texts string
		for i := range 2 * maxTexts {
			texts += fmt.Sprintf("<text xml:lang='l%d'>%s</text>", i, long)
		}
		for content, most := range map[string]int{
			texts: maxTexts * maxText,
			strings.Repeat("<stanza-id xmlns='urn:xmpp:sid:0' by='"+long+"' id='1'/>", 5*maxMessages): maxMessages * (maxName + 20),
		} {
			d.report("bob@example.org/x", "a@example.org", content)
			item, err := d.f.bucket.Get(t.Context(), server, d.ids()[0])
			if err != nil || len(item.Value) > most+500 {
				t.Error(len(item.Value), most, err)
			}
		}
		for i := range 2 * mostEach {
			d.report("bob@example.org/x", fmt.Sprintf("u%d@example.org", i), "")
		}
		d.report("carol@example.org/x", "a@example.org", "")
		if n := len(d.ids()); n != mostEach+1 {
			t.Error(n)
		}
	})
}

func TestAdministratorsAreToldOnceAndNotOften(t *testing.T) {
	world(t, func(d *desk) {
		alice := d.Login("alice@example.org/phone")
		told := func(after time.Duration) int {
			time.Sleep(after)
			got := alice.Got()
			if strings.Contains(got, "spam@") {
				t.Error("it names people:", got)
			}
			return strings.Count(got, "wait for an administrator")
		}
		d.report("bob@example.org/x", "spam@example.org", "")
		if n := told(2 * time.Minute); n != 1 {
			t.Error(n)
		}
		d.report("carol@example.org/x", "spam@example.org", "")
		d.report("dave@example.org/x", "spam@example.org", "")
		if n := told(30 * time.Minute); n != 0 {
			t.Error(n, "in the same hour")
		}
		if n := told(time.Hour); n != 1 {
			t.Error(n, "after it")
		}
		if n := told(5 * time.Hour); n != 0 {
			t.Error(n, "although nothing is new")
		}
	})
}

func TestWhatNobodyWasToldOfOutlivesARestart(t *testing.T) {
	world(t, func(d *desk) {
		alice := d.Login("alice@example.org/phone")
		told := func(f *Reports, after time.Duration) int {
			f.tick(time.Now().Add(after))
			return strings.Count(alice.Got(), "wait for an administrator")
		}
		d.report("bob@example.org/x", "spam@example.org", "")
		f := d.restarted()
		d.f.news = false // the old run is over
		if n := told(f, time.Second); n != 1 {
			t.Error(n, "of what came just before a restart")
		}
		if n := told(d.restarted(), 5*time.Hour); n != 0 {
			t.Error(n, "again after a restart")
		}
		time.Sleep(10*time.Minute + time.Second) // between two ticks of the old run
		d.report("carol@example.org/x", "spam@example.org", "")
		f = d.restarted()
		if n := told(f, 0); n != 0 {
			t.Error(n, "in the same hour, because of a restart")
		}
		if n := told(f, time.Hour); n != 1 {
			t.Error(n, "after the hour")
		}
	})
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	world(t, func(d *desk) {
		alice := d.Login("alice@example.org/phone")
		d.fails.Store(true)
		d.report("bob@example.org/x", "spam@example.org", "")
		time.Sleep(2 * time.Minute)
		d.fails.Store(false)
		time.Sleep(2 * time.Hour)
		if got := alice.Got(); strings.Count(got, "wait for an administrator") != 1 {
			t.Error(got)
		}
	})
}

func TestReportsGoWithEitherSideAndWithTime(t *testing.T) {
	world(t, func(d *desk) {
		d.report("bob@example.org/x", "carol@example.org", "")
		d.report("dave@example.org/x", "bob@example.org/phone", "")
		d.report("dave@example.org/x", "erin@example.org", "")
		d.f.gone(jid.MustParse("bob@example.org"))
		if got := d.do("list"); strings.Contains(got, "bob@") || !strings.Contains(got, "erin@") || len(d.ids()) != 1 {
			t.Error(got, d.ids())
		}
		d.Absent = append(d.Absent, "gone")
		d.report("gone@example.org/x", "erin@example.org", "")
		if len(d.ids()) != 1 {
			t.Error("a report of one who is being removed is kept")
		}
		f := d.restarted()
		if len(f.all) != 1 || f.each["dave@example.org"] != 1 {
			t.Error("it does not outlive a restart")
		}
		f.tick(time.Now().Add(life + time.Minute))
		if ids := d.ids(); !slices.Equal(ids, nil) || len(f.each) != 0 {
			t.Error(ids, f.each)
		}
	})
}
