package obs

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, path string, checks ...Check) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(NewRegistry(), false, checks...).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestReadyNamesWhatIsNot(t *testing.T) {
	good := Check{"store", func() error { return nil }}
	bad := Check{"certificate", func() error { return errors.New("out of date") }}
	if code, body := get(t, "/readyz", good); code != 200 || body != "ok\n" {
		t.Error(code, body)
	}
	if code, body := get(t, "/readyz", good, bad); code != 503 || body != "certificate: out of date\n" {
		t.Error(code, body)
	}
	if code, _ := get(t, "/healthz", bad); code != 200 {
		t.Error("alive is not ready:", code)
	}
}

func TestMetricsHaveRuntimeAndProcess(t *testing.T) {
	_, body := get(t, "/metrics")
	for _, m := range []string{"go_goroutines", "process_open_fds"} {
		if !strings.Contains(body, m) {
			t.Errorf("no %s", m)
		}
	}
	if code, _ := get(t, "/other"); code != 404 {
		t.Error(code)
	}
}

func TestTheLoggerKeepsToItsLevelAndFormat(t *testing.T) {
	var b bytes.Buffer
	l, err := NewLogger(&b, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	l.Info("quiet")
	l.Warn("loud", "cid", "1")
	if s := b.String(); strings.Contains(s, "quiet") || !strings.Contains(s, `"cid":"1"`) {
		t.Error(s)
	}
	for _, c := range [][2]string{{"loud", "text"}, {"info", "xml"}} {
		if _, err := NewLogger(&b, c[0], c[1]); err == nil {
			t.Error(c)
		}
	}
}
