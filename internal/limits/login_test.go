package limits

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// try is one attempt to log in and how long it had to wait.
func try(p *Peer, account string) (time.Duration, error) {
	begun := time.Now()
	err := p.Login(context.Background(), account, false)
	return time.Since(begun), err
}

// Attack 21: a flood of guesses locks nobody out.
func TestTenThousandGuessesDoNotLockTheVictimOut(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		home := guest(t, l, at(1, 1))
		home.Succeeded("alice")
		var guessing sync.WaitGroup
		var mu sync.Mutex
		refusals := 0
		for i := range 10_000 {
			guessing.Go(func() {
				p := guest(t, l, at(1000+i%2000, i/2000)) // five addresses of each of 2,000 prefixes
				for range 5 {
					if _, err := try(p, "alice"); err != nil {
						mu.Lock()
						refusals++
						mu.Unlock()
						continue
					}
					p.Failed("alice")
				}
				p.Close()
			})
			if i%100 == 0 {
				time.Sleep(time.Second)
			}
		}
		if d, err := try(home, "alice"); d != 0 || err != nil {
			t.Errorf("from home: %v, %v", d, err)
		}
		if d, err := try(guest(t, l, at(1, 99)), "alice"); d <= 0 || d > l.cfg.Delay || err != nil {
			t.Errorf("from another address of the network: %v, %v", d, err)
		}
		if d, err := try(guest(t, l, at(2, 1)), "alice"); d <= 0 || d > l.cfg.Delay || err != nil {
			t.Errorf("from a new place: %v, %v", d, err)
		}
		if d, err := try(guest(t, l, at(2, 1)), "bob"); d != 0 || err != nil {
			t.Errorf("somebody else: %v, %v", d, err)
		}
		begun := time.Now()
		if err := guest(t, l, at(1000, 1)).Login(t.Context(), "alice", true); err != nil || time.Since(begun) != 0 {
			t.Errorf("with a token, even from where the guesses come: %v", err)
		}
		guessing.Wait()
		if refusals == 0 {
			t.Error("not one guess was refused")
		}
	})
}

func TestAnAddressCanGuessSoManyTimesAMinute(t *testing.T) {
	within(t, func(c *Config) { anyNumber(c); c.Connections = 0 }, func(t *testing.T, l *Limits) {
		guesses := 0
		var mu sync.Mutex
		var all sync.WaitGroup
		end := time.Now().Add(10 * time.Minute)
		for i := range 100 {
			all.Go(func() {
				for time.Now().Before(end) {
					p := guest(t, l, at(1, 1))
					if _, err := try(p, "alice"+string(rune('a'+i%26))); err == nil {
						mu.Lock()
						guesses++
						mu.Unlock()
						p.Failed("alice" + string(rune('a'+i%26)))
					}
					p.Close()
					time.Sleep(time.Second)
				}
			})
		}
		all.Wait()
		// eight at a time wait three seconds each
		if most := 100 + 20 + addressWaits*10*60/3; guesses > most || guesses < most/2 {
			t.Errorf("%d guesses in ten minutes", guesses)
		}
		time.Sleep(debt)
		if d, err := try(guest(t, l, at(1, 1)), "alice"); d != 0 || err != nil {
			t.Errorf("when it is over: %v, %v", d, err)
		}
	})
}

func TestMistakesOfPeopleCostNothing(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p := guest(t, l, at(1, 1))
		for range 21 {
			if d, err := try(p, "alice"); d != 0 || err != nil {
				t.Fatal(d, err)
			}
			p.Failed("alice")
		}
		if d, err := try(p, "alice"); d <= 0 || d > l.cfg.Delay || err != nil {
			t.Errorf("after more than twenty: %v, %v", d, err)
		}
	})
}

// Who has had the password wrong before is refused when too many guess the same
// account's; who comes for the first time is not.
func TestTheFirstAttemptFromAnAddressIsNeverRefusedForTheAccount(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 30 {
			guest(t, l, at(2000+i, 1)).Failed("alice")
		}
		stumbler := guest(t, l, at(1, 1))
		for range stumbles + 1 {
			stumbler.Failed("bob")
		}
		for i := range 2 * nameWaits {
			p := guest(t, l, at(3000+i, 1))
			go p.Login(ctx, "alice", false)
		}
		synctest.Wait()
		if _, err := try(stumbler, "alice"); !refused(err, "logins", "account") {
			t.Errorf("who has failed before: %v", err)
		}
		if _, err := try(guest(t, l, at(5, 1)), "alice"); err != nil {
			t.Errorf("who is new: %v", err)
		}
		cancel()
	})
}

// A neighbour behind the same address can make the victim wait, and no more.
func TestANeighbourInAFamiliarPlaceOnlyDelays(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		guest(t, l, at(1, 1)).Succeeded("alice")
		for range 500 {
			guest(t, l, at(1, 1)).Failed("alice")
		}
		for range 100 {
			p := guest(t, l, at(1, 1))
			go p.Login(context.Background(), "alice", false)
		}
		synctest.Wait()
		if d, err := try(guest(t, l, at(1, 1)), "alice"); d <= 0 || d > l.cfg.Delay || err != nil {
			t.Errorf("at home: %v, %v", d, err)
		}
		if d, err := try(guest(t, l, at(2, 1)), "alice"); d != 0 || err != nil {
			t.Errorf("the neighbour's guesses are felt elsewhere: %v, %v", d, err)
		}
	})
}

// How long an attempt waits tells nothing of whether there is such an account, nor that
// a neighbour has it: only who shares the very address could find out.
func TestTheWaitDoesNotTellWhoLivesInTheNetwork(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		guest(t, l, at(1, 10)).Succeeded("bob")
		guest(t, l, six(1, 10)).Succeeded("bob")
		for i := range 60 {
			for _, name := range []string{"bob", "nobody"} {
				guest(t, l, at(1000+i, 1)).Failed(name)
			}
		}
		for _, a := range []netip.Addr{at(1, 200), six(1, 11)} {
			bob, err1 := try(guest(t, l, a), "bob")
			nobody, err2 := try(guest(t, l, a), "nobody")
			if bob != nobody || bob == 0 || err1 != nil || err2 != nil {
				t.Errorf("from %s: bob waits %v (%v), and one who does not exist %v (%v)", a, bob, err1, nobody, err2)
			}
		}
	})
}

// One account with many networks must not make others' places forgotten.
func TestAnAccountHasFewFamiliarPlaces(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		home := guest(t, l, at(1, 1))
		home.Succeeded("alice")
		for i := range 1000 {
			guest(t, l, at(500+i, 1)).Succeeded("mallory")
		}
		if n := len(l.familiar.refs); n != 2+2*placesMost {
			t.Errorf("%d places are remembered", n)
		}
		if !l.familiar.knows(home.origin.prefix) || !l.familiar.knows(home.origin.addr) {
			t.Error("alice's home was forgotten")
		}
		l.Gone("mallory")
		l.Gone("alice")
		if len(l.familiar.refs)+len(l.familiar.of) != 0 {
			t.Error("a removed account's places are kept")
		}
	})
}

func TestAnExemptAddressIsNotHeldBackForOthers(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p := guest(t, l, at(1, 1))
		p.origin = Origin{}
		for range 1000 {
			p.Failed("mallory")
		}
		if d, err := try(p, "alice"); d != 0 || err != nil {
			t.Error(d, err)
		}
		if d, _ := try(p, "mallory"); d == 0 {
			t.Error("guesses at one account cost nothing")
		}
		for range 2 * nameWaits {
			go p.Login(context.Background(), "mallory", false)
		}
		synctest.Wait()
		if d, err := try(p, "mallory"); d > l.cfg.Delay || err != nil {
			t.Errorf("the account's owner, among many that guess: %v, %v", d, err)
		}
	})
}
