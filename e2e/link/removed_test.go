package link

import (
	"slices"
	"testing"
	"time"

	here "mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// own is what a device knows of one of its account's, by its number; nil for none.
func (d *device) own(id uint32) *port.Device {
	d.t.Helper()
	for _, x := range d.keys("") {
		if x.ID == id {
			return &x
		}
	}
	return nil
}

func (d *device) number() uint32 {
	d.t.Helper()
	for _, x := range d.keys("") {
		if x.Here {
			return x.ID
		}
	}
	d.t.Fatal("it does not know itself")
	return 0
}

// out waits until a device knows that it was removed.
func (d *device) out() {
	d.t.Helper()
	until(d, func(s *port.Status) bool {
		return s.State == "refused" && s.Failure != nil && s.Failure.Code == port.Revoked
	})
}

// known waits until the server has been told which keys are a device's.
func (d *device) known(id uint32) *port.Device {
	d.t.Helper()
	var x *port.Device
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if x = d.own(id); x != nil && x.Access != nil {
			return x
		}
	}
	d.t.Fatalf("nothing is known of the sign-in of %d: %+v", id, x)
	return nil
}

// R26: who is removed is out, knows why, does not come back by itself, and reads nothing more.
func TestARemovedDeviceIsOutAndStaysOut(t *testing.T) {
	s := here.Serve(t, []string{"alice", "bob"})
	phone, laptop, b := signIn(t, s, "alice", "phone"), signIn(t, s, "alice", "laptop"), signIn(t, s, "bob", "bob's")
	tablet := empty(t, s, "tablet")
	joined := tablet.begin(&port.LinkJoin{Code: phone.shows(), Label: "tablet"})
	phone.asked()
	phone.Must(&port.LinkConfirm{Accept: true})
	if f := <-joined; f != nil {
		t.Fatal(f)
	}
	tablet.Synced()
	for _, gone := range []*device{laptop, tablet} {
		id := gone.number()
		a := phone.known(id).Access
		if a.Software != "mirsal chat" || a.First.IsZero() || a.Last.IsZero() || !a.Online || a.Here || !slices.Contains(a.By, "token") {
			t.Errorf("%s: %+v", gone.label, a)
		}
		phone.Must(&port.RemoveDevice{ID: id})
		gone.out()
		if d := phone.own(id); d != nil && (d.Active || d.Access != nil) {
			t.Errorf("%s is still there: %+v", gone.label, d)
		}
		gone.Close()
		gone.Start()
		gone.out()
	}
	if f := laptop.fails(&port.SignIn{Address: alice, Password: here.Password, Server: s.C2S}); f != port.Revoked {
		t.Error("it is let in by the password that it knew:", f)
	}
	b.says(alice, "after the removal")
	phone.hears("after the removal")
	if n := len(active(phone)); n != 1 {
		t.Errorf("%d devices are on the list", n)
	}
}

func active(d *device) (ids []uint32) {
	for _, x := range d.keys("") {
		if x.Active {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

func TestADeviceThatIsAwayLearnsThatItWasRemoved(t *testing.T) {
	s := here.Serve(t, []string{"alice"})
	phone, laptop := signIn(t, s, "alice", "phone"), signIn(t, s, "alice", "laptop")
	id := laptop.number()
	phone.known(id)
	laptop.Close()
	phone.Must(&port.RemoveDevice{ID: id})
	laptop.Start()
	laptop.out()
	if got := active(phone); !slices.Equal(got, []uint32{phone.number()}) {
		t.Errorf("the list is %v", got)
	}
}

func TestWhoSignsOutForGoodHasNoTokenAtTheServerAndMayComeBack(t *testing.T) {
	s := here.Serve(t, []string{"alice"})
	phone, laptop := signIn(t, s, "alice", "phone"), signIn(t, s, "alice", "laptop")
	id := laptop.number()
	phone.known(id)
	laptop.Must(&port.SignOut{Forget: true})
	until(laptop, func(s *port.Status) bool { return s.State == "offline" })
	for _, a := range phone.Must(&port.ListDevices{}).(*port.DeviceList).Others {
		if slices.Contains(a.By, "token") {
			t.Errorf("%+v", a)
		}
	}
	if d := phone.own(id); d != nil && (d.Active || d.Access != nil && slices.Contains(d.Access.By, "token")) {
		t.Errorf("%+v", d.Access)
	}
	laptop.Must(&port.SignIn{Address: alice, Password: here.Password, Server: s.C2S})
	laptop.Synced()
	phone.known(id)
}
