package client

import (
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
)

// The keys go first, then the sign-in: where the second fails that is said, and the same command goes on with it.
func TestRemovingADeviceGoesOnWhereItWasInterrupted(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		devices := []omemo.Listed{{ID: 77}, {ID: d.engine.keys.ID()}}
		slices.SortFunc(devices, func(x, y omemo.Listed) int { return int(int64(x.ID) - int64(y.ID)) })
		d.gets("<message from='" + me + "'><event xmlns='" + nsEvent + "'><items node='" + omemo.Legacy.DevicesNode() + "'><item id='current'>" +
			string(omemo.AppendDevices(nil, omemo.Legacy, devices)) + "</item></items></event></message>")
		answer := "error resource-constraint"
		d.wire.lie = func(q conn.Request) (string, bool) {
			return answer, strings.HasPrefix(string(q.Payload), "<list xmlns='"+nsAccess+"'")
		}
		if f := port.FailureOf(d.do(&port.RemoveDevice{ID: 77})[0]); f == nil || f.Code != port.Unreachable {
			t.Errorf("the server did not say who has access: %v", f)
		}
		answer = "<clients xmlns='" + nsAccess + "'><client id='lost'><keys xmlns='" + nsDevice + "' device='77'/></client></clients>"
		d.questions("")
		d.must(&port.RemoveDevice{ID: 77})
		if q := d.questions("<revoke"); len(q) != 1 || !strings.Contains(string(q[0].Payload), "'lost'") {
			t.Errorf("asked: %v", q)
		}
		answer = "<clients xmlns='" + nsAccess + "'/>"
		if f := port.FailureOf(d.do(&port.RemoveDevice{ID: 77})[0]); f == nil || f.Code != port.Missing {
			t.Errorf("there is nothing left of it: %v", f)
		}
	})
}

func TestTheKeyOfANewDeviceOfOnesOwnIsAskedForWhereItIsLookedAt(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.anotherDevice(me)
		others := func() (out []port.Device) {
			list := d.must(&port.ListDevices{}).(*port.DeviceList).Devices
			return slices.DeleteFunc(list, func(x port.Device) bool { return x.Here })
		}
		others()
		d.wait()
		if got := others(); len(got) != 1 || got[0].Fingerprint == "" {
			t.Errorf("one's other devices are %+v", got)
		}
	})
}
