package reports

import (
	"strings"
	"testing"
)

func TestAReportIsClosedOnce(t *testing.T) {
	world(t, func(d *desk) {
		d.report("bob@example.org/phone", "spam@example.org", "")
		id := d.ids()[0]
		if got := d.do("close", "id="+id); !strings.Contains(got, "Closed: 1") {
			t.Error(got)
		}
		got := d.do("close", "id="+id)
		if !strings.Contains(got, "was closed already, by alice@example.org") || !strings.Contains(got, "type='error'") || strings.Contains(got, "Closed:") {
			t.Error("closed twice:", got)
		}
		d.report("bob@example.org/phone", "spam@example.org", "")
		if got := d.do("close", "id="+id); !strings.Contains(got, "Closed: 1") {
			t.Error("reported anew:", got)
		}
	})
}
