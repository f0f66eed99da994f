package transparency

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
)

func entries(t *testing.T, kv store.KV, cfg Config) (list []Entry) {
	t.Helper()
	h := core.NewHost()
	New(kv, cfg).Register(h)
	w := httptest.NewRecorder()
	h.Handlers()["GET /transparency.json"].ServeHTTP(w, httptest.NewRequest("GET", "/transparency.json", nil))
	var answer struct{ Entries []Entry }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err, w.Body)
	}
	return answer.Entries
}

func find(t *testing.T, list []Entry, name string) Entry {
	t.Helper()
	i := slices.IndexFunc(list, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		t.Fatal(name, "is not told of")
	}
	return list[i]
}

func TestEverySpaceIsTold(t *testing.T) {
	kv := memory.New()
	kv.Declare(store.Space{Name: "roster", Fields: "contacts", Purpose: "have them", Life: 90 * time.Second})
	kv.Declare(store.Space{Name: "card", Fields: "a name", Purpose: "show it"})
	kv.Declare(store.Space{Name: "mark", Fields: "a hash", Purpose: "know it again", Until: "the server is gone"})
	list := entries(t, kv, Config{Archive: 24 * time.Hour, Files: time.Hour, Encrypted: true})
	if e := find(t, list, "roster"); e != (Entry{"space", "roster", "contacts", "have them", 90, ""}) {
		t.Error(e)
	}
	if find(t, list, "card").Life != 0 || find(t, list, "messages").Life != 86400 || find(t, list, "files").Life != 3600 {
		t.Error(list)
	}
	if e := find(t, list, "mark"); e != (Entry{"space", "mark", "a hash", "know it again", 0, "the server is gone"}) {
		t.Error(e)
	}
	for _, e := range list {
		if e.Kind == "" || e.Name == "" || e.Fields == "" || e.Purpose == "" {
			t.Errorf("%+v says too little", e)
		}
	}
}

func TestWhatTheOperatorChoseIsTold(t *testing.T) {
	list := entries(t, memory.New(), Config{})
	if e := find(t, list, "messages"); e.Until != delivered || !strings.Contains(e.Fields, "else it can be read") {
		t.Error(e)
	}
	if slices.ContainsFunc(list, func(e Entry) bool { return e.Name == "files" }) {
		t.Error("files, where there are none")
	}
}
