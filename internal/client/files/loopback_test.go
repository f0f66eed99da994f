package files

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestALinkToThisMachineIsFetchedFromAServerWithTLSToo(t *testing.T) {
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "the file") })
	plain := strings.Replace(base, "https://", "http://", 1)
	a, err := doer.Get(t.Context(), GetRequest{URL: plain + "/a"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if raw, err := io.ReadAll(a.Body); err != nil || string(raw) != "the file" || a.Status != 200 {
		t.Errorf("%d %q %v", a.Status, raw, err)
	}
}
