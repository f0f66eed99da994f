package client

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// nonsense is what the fields of a command are filled with.
var nonsense = []string{"", "x", "@", "a@b/c@d", "<&'\">", "\x00\xff", bob, me, "nobody@example.org/\U0001F600", tea}

func filled(c port.Command, text string, number int64) port.Command {
	v := reflect.New(reflect.TypeOf(c).Elem())
	for i := range v.Elem().NumField() {
		switch f := v.Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(text)
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.String {
				f.Set(reflect.ValueOf([]string{text, text}))
			}
		case reflect.Int:
			f.SetInt(number)
		case reflect.Uint32, reflect.Uint64:
			f.SetUint(uint64(number) & 0xffffffff)
		case reflect.Bool:
			f.SetBool(number%2 == 0)
		}
	}
	return v.Interface().(port.Command)
}

// TestEveryCommandIsAnsweredOnceWhateverIsInIt asks for everything, with everything,
// in all states that an engine can be in.
func TestEveryCommandIsAnsweredOnceWhateverIsInIt(t *testing.T) {
	states := map[string]func(d *desk){
		"without an account": func(d *desk) {},
		"online":             func(d *desk) { d.signIn() },
		"offline":            func(d *desk) { d.signIn(); d.down() },
		"never online":       func(d *desk) { d.engine.Do(&port.SignIn{Address: me, Password: "x"}); d.wait() },
		"signed out":         func(d *desk) { d.signIn(); d.must(&port.SignOut{}) },
		"in a room": func(d *desk) {
			d.signIn()
			d.roomInfo(me, bob)
			d.enter(tea)
			d.befriend(bob)
			d.must(&port.Send{Chat: bob, Text: "hello"})
		},
	}
	for state, prepare := range states {
		synctest.Test(t, func(t *testing.T) {
			d := sit(t, keep.NewMemory())
			prepare(d)
			for _, text := range nonsense {
				for _, blank := range port.Commands() {
					switch blank.(type) {
					case *port.SignIn, *port.SignOut, *port.LinkShow, *port.LinkConfirm, *port.LinkJoin:
						continue // they end or change the state; tested by themselves
					}
					for _, number := range []int64{-1, 0, 1, 1 << 40} {
						d.ref++
						ref := d.ref
						c := filled(blank, text, number)
						port.SetRef(c, ref)
						d.engine.Do(c)
						time.Sleep(time.Minute) // rooms that do not answer
						d.wait()
						if n := len(d.answers(ref, 0)); n != 1 {
							t.Errorf("%s: %T with %q and %d has %d answers", state, c, text, number, n)
						}
					}
				}
				if d.engine.broken != nil {
					t.Errorf("%s: %q broke the engine: %v", state, text, d.engine.broken)
				}
			}
			d.stop()
		})
	}
}

func TestSigningInWithNonsenseIsAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		for _, address := range []string{"", "x", "example.org", "@", "a@b@c", "\xff"} {
			if a := d.do(&port.SignIn{Address: address, Password: "x"}); len(a) != 1 || port.FailureOf(a[0]).Code != port.BadCommand {
				t.Errorf("%q is answered by %v", address, a)
			}
		}
		d.signIn()
		if a := d.do(&port.SignIn{Address: bob}); len(a) != 1 || port.FailureOf(a[0]) == nil {
			t.Errorf("another account is answered by %v", a)
		}
		d.stop()
	})
}

func TestACodeOfAnotherThanWhomOneMeansIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p := d.peer(bob)
		spy := "xmpp:" + me + "?omemo-sid-77=" + p.Fingerprint()
		for _, c := range []*port.Verify{{Code: p.SafetyCode(), Address: eve}, {Code: p.SafetyCode(), Address: me}, {Code: spy}, {Code: spy, Address: bob}} {
			if f := port.FailureOf(d.do(c)[0]); f == nil || f.Code != port.Tampered {
				t.Errorf("%+v: %v", c, f)
			}
		}
		if n := len(d.engine.keys.Decisions()); n != 0 {
			t.Errorf("%d keys were compared", n)
		}
		for _, c := range []*port.Verify{{Code: p.SafetyCode(), Address: bob + "/phone"}, {Code: p.SafetyCode()}, {Code: spy, Address: me}} {
			d.must(c)
		}
	})
}
