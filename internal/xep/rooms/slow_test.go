package rooms

import (
	"testing"
	"time"
)

func TestWhoChangesPresenceAllTheTimeIsReadMoreSlowly(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		start := time.Now()
		for range 500 {
			a.Send("<presence to='" + den + "/alice'><show>away</show></presence>")
		}
		if d := time.Since(start); d != 0 {
			t.Error("the first 500 took", d)
		}
		for range 1000 {
			a.Send("<presence to='" + den + "/alice'><show>away</show></presence>")
		}
		if d := time.Since(start); d < 9*time.Second || d > 12*time.Second {
			t.Error("1500 took", d)
		}
	})
}
