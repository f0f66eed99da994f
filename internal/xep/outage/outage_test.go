package outage

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/command"
)

// do runs a command with fields name=value.
func do(t *testing.T, o *Outage, node string, fields ...string) string {
	t.Helper()
	given := map[string][]string{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		given[name] = append(given[name], value)
	}
	for _, c := range o.Commands() {
		if strings.HasSuffix(c.Node, "#"+node+"-outage") {
			r, err := c.Run(&command.Call{Ctx: t.Context()}, given)
			if err != nil {
				return err.Error()
			}
			return string(r.Append(nil))
		}
	}
	t.Fatal("no command", node)
	return ""
}

func file(t *testing.T, o *Outage) string {
	t.Helper()
	w := httptest.NewRecorder()
	o.serve(w, httptest.NewRequest("GET", Path, nil))
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Content-Type") != "application/json" {
		t.Error(w.Header())
	}
	return w.Body.String()
}

func TestTheFileTellsOfAnOutageUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kv := memory.New()
		o := New(kv, "", "https://example.org")
		if got := file(t, o); got != "{}\n" {
			t.Error(got)
		}
		begin := time.Now().Add(time.Hour).UTC()
		got := do(t, o, "plan", "beginning="+begin.Format(time.RFC3339), "end="+begin.Add(time.Hour).Format(time.RFC3339),
			"message=Back soon", "translations=de: Bald zurück", "translations=ar: نعود قريبا")
		if !strings.Contains(got, "https://example.org/outage.json") {
			t.Error(got)
		}
		var p map[string]any
		if err := json.Unmarshal([]byte(file(t, o)), &p); err != nil {
			t.Fatal(err)
		}
		words, _ := p["message"].(map[string]any)
		if p["planned"] != true || p["beginning"] != begin.Format(time.RFC3339) || words["default"] != "Back soon" || words["de"] != "Bald zurück" {
			t.Error(p)
		}
		// outlives a restart
		o = &Outage{url: o.url, own: true, bucket: o.bucket}
		if err := o.Load(t.Context()); err != nil || !strings.Contains(file(t, o), "Back soon") {
			t.Error(err, file(t, o))
		}
		time.Sleep(2*time.Hour + time.Second)
		if got := file(t, o); got != "{}\n" {
			t.Error("it is over, and still told of:", got)
		}
		o.sweep(time.Now())
		if left, _ := o.bucket.Scan(t.Context(), server, store.Range{}); len(left) > 0 {
			t.Error(left)
		}
	})
}

func TestAnOutageWithoutAnEndIsToldOfUntilItIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(memory.New(), "", "https://example.org")
		do(t, o, "plan", "planned=0")
		time.Sleep(24 * time.Hour)
		if got := file(t, o); !strings.Contains(got, `"planned": false`) || strings.Contains(got, "expected_end") || strings.Contains(got, "message") {
			t.Error(got)
		}
		if got := do(t, o, "clear") + do(t, o, "clear"); !strings.Contains(got, "over") || !strings.Contains(got, "none") || file(t, o) != "{}\n" {
			t.Error(got, file(t, o))
		}
	})
}

func TestAPlanSaysSomethingAndWhatItTakesThePlaceOf(t *testing.T) {
	o := New(memory.New(), "", "https://example.org")
	for _, fields := range [][]string{nil, {"message= "}, {"planned=1"}} {
		if got := do(t, o, "plan", fields...); !strings.Contains(got, "say when it is expected to end") || file(t, o) != "{}\n" {
			t.Error(got, file(t, o))
		}
	}
	if got := do(t, o, "plan", "message=New disks"); strings.Contains(got, "the place of") {
		t.Error(got)
	}
	asked, err := o.when(nil)
	if err != nil || !strings.Contains(asked.Instructions, `"New disks"`) {
		t.Error(asked.Instructions, err)
	}
	got := do(t, o, "plan", "planned=0")
	if !strings.Contains(got, "It takes the place of: from ") || !strings.Contains(got, `New disks`) || strings.Contains(file(t, o), "disks") {
		t.Error(got, file(t, o))
	}
}

func TestWhatIsNoPlanIsRefused(t *testing.T) {
	o := New(memory.New(), "https://status.example.org/x.json", "https://example.org")
	later := func(d time.Duration) string { return time.Now().Add(d).Format(time.RFC3339) }
	for want, fields := range map[string][]string{
		"no time":            {"beginning=tomorrow"},
		"before it begins":   {"beginning=" + later(2*time.Hour), "end=" + later(time.Hour)},
		"longer than":        {"end=" + later(31*24*time.Hour)},
		"more than a year":   {"beginning=" + later(400*24*time.Hour)},
		"over already":       {"beginning=" + later(-2*time.Hour), "end=" + later(-time.Hour)},
		"no language":        {"message=x", "translations=!!: y"},
		"no line":            {"message=x", "translations=default: y"},
		"is missing":         {"translations=de: y"},
		"at most 2000 bytes": {"message=" + strings.Repeat("x", maxText+1)},
	} {
		if got := do(t, o, "plan", fields...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", want, got)
		}
	}
	if got := do(t, o, "plan", "message=x"); !strings.Contains(got, "status.example.org") {
		t.Error(got)
	}
}

func TestClientsAreToldWhereToLook(t *testing.T) {
	for _, c := range []struct {
		elsewhere, public, want string
		serves                  bool
	}{
		{"", "https://example.org", "<value>https://example.org/outage.json</value>", true},
		{"https://status.example.org/a?b&c", "https://example.org", "<value>https://status.example.org/a?b&amp;c</value>", false},
		{"", "", "", false},
	} {
		h := core.NewHost()
		New(memory.New(), c.elsewhere, c.public).Register(h)
		got := ""
		for _, f := range h.DiscoAt(core.Server).Forms {
			got += string(f(nil))
		}
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") || (len(h.Handlers()) > 0) != c.serves {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
