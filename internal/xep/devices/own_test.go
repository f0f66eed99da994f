package devices

import (
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/core/coretest"
)

const signOut = "<iq type='set' id='3'><sign-out xmlns='urn:mirsal:device:0'/></iq>"

func keys(n string) string {
	return "<iq type='set' id='4'><keys xmlns='urn:mirsal:device:0' device='" + n + "'/></iq>"
}

func TestAClientsNumberOfKeysAndWhichIsTheAskersIsInTheList(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		laptop := connect(t, w, a, "alice@example.org/laptop", "password")
		bob := connect(t, w, a, "bob@example.org/tablet", "password")
		for _, bad := range []string{"", "0", "x", "-1", "2147483648"} {
			phone.Send(keys(bad))
			expect(t, phone.Got(), "bad-request")
		}
		bob.Send("<iq type='set' to='alice@example.org' id='4'><keys xmlns='urn:mirsal:device:0' device='9'/></iq>")
		expect(t, bob.Got(), "service-unavailable")
		phone.Send(keys("2147483647"))
		expect(t, phone.Got(), "type='result'")
		laptop.Send(list)
		expect(t, laptop.Got(), "<device>phone</device></user-agent><keys xmlns='urn:mirsal:device:0' device='2147483647'/></client>",
			"<device>laptop</device></user-agent><here xmlns='urn:mirsal:device:0'/></client>")
	})
}

func TestAClientThatSignsOutHasNoTokenAndMayComeBack(t *testing.T) {
	run(t, func(w *coretest.World, a *auth.Auth) {
		phone := connect(t, w, a, "alice@example.org/phone", "token")
		laptop := connect(t, w, a, "alice@example.org/laptop", "password")
		phone.Send(signOut)
		expect(t, phone.Got(), "type='result'")
		if phone.Ended != "" {
			t.Error("ended before it has said good-bye:", phone.Ended)
		}
		phone.Session.Close(nil)
		laptop.Send(list)
		expect(t, laptop.Got(), "!<device>phone</device>")
		connect(t, w, a, "alice@example.org/phone", "password")
		laptop.Send(list)
		expect(t, laptop.Got(), "<auth><password/></auth>", "<device>phone</device>")
	})
}
