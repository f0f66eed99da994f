package call

import (
	"math/rand/v2"
	"testing"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
)

// TestNoOrderOfWhatOthersSendOpensAnything plays all that others can send, in any order: before a person has done
// something here, nothing is said to the seat; behind the end neither; and nothing of their description reaches the
// seat before create.
func TestNoOrderOfWhatOthersSendOpensAnything(t *testing.T) {
	var stock []jingle.Session
	l := newLine(t)
	l.meddle = func(d *device, s *jingle.Session) bool {
		if d == l.a {
			stock = append(stock, *s)
		}
		return true
	}
	l.reach(life.Active, true)
	l.does(l.a, l.a.Network())
	for seed := range uint64(3000) {
		play(t, rand.New(rand.NewPCG(seed, 7)), stock)
	}
}

func play(t *testing.T, dice *rand.Rand, stock []jingle.Session) {
	d := newDevice(t, "c1", bob+"/b", alice, 2)
	froms := []string{alice + "/a", alice + "/z", alice, eve + "/x", bob + "/other", bob}
	acted, made, over := false, false, false
	look := func(all []Do) {
		for _, x := range all {
			switch {
			case x.Media == nil:
			case !acted:
				t.Fatalf("%+v before a person has done anything", x.Media)
			case over:
				t.Fatalf("%+v behind the end", x.Media)
			case x.Media.Do == "create":
				made = true
			case x.Media.Do == "close":
				over = true
			case !made && (x.Media.Do == "remote" || x.Media.Do == "address"):
				t.Fatalf("%+v before create", x.Media)
			}
		}
	}
	for range 40 {
		from := froms[min(dice.IntN(12), 5)]
		switch dice.IntN(10) {
		case 0, 1, 2, 3:
			v := jingle.Invite{Kind: jingle.Kind(dice.IntN(int(jingle.Finish)) + 1), ID: "c1", Audio: true, Device: uint32(dice.IntN(3)), TieBreak: dice.IntN(9) == 0}
			look(d.Heard(from, v))
		case 4, 5, 6, 7:
			s := stock[dice.IntN(len(stock))]
			if dice.IntN(4) == 0 {
				s.Action = jingle.Action(dice.IntN(int(jingle.TransportReplace)) + 1)
			}
			do, _ := d.HeardSession(from, s)
			look(do)
		case 8:
			look(d.Gave([]port.CallServer{}))
			look(d.Keys())
		case 9:
			if d.Life().State == life.RingingIn && dice.IntN(2) == 0 {
				acted = true
				look(d.Answer(false, ""))
			} else if acted {
				do, _ := d.Described(d.describe("active"))
				look(do)
			}
		}
	}
}
