package files

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// away is an upload that finds no network, and its answer when it has one.
func away(t *testing.T, s *sending, n *Network) <-chan error {
	done := make(chan error, 1)
	tr := &Transfers{Doer: s.web, Rand: rand.Reader, Network: n}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		_, err := tr.Upload(ctx, s.out, s.slots.ask, nil)
		done <- err
	}()
	return done
}

func arrivedAtOnce(t *testing.T, done <-chan error, within time.Duration) {
	t.Helper()
	began := time.Now()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > within {
		t.Errorf("it went on after %v", took)
	}
}

func TestAnUploadDoesNotGiveUpWithoutANetworkAndGoesOnWhenItIsBack(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s, n := newSending(200_000), &Network{}
		s.web.steps = []step{{after: 70_000}}
		s.slots.errs = append(s.slots.errs, nil)
		for range 40 {
			s.slots.errs = append(s.slots.errs, errBroke)
		}
		n.Set(false)
		done := away(t, s, n)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("it was given up: %v", <-done)
		}
		if asked := len(s.slots.asked); asked > 40 {
			t.Errorf("%d attempts without a network", asked)
		}
		s.slots.errs = nil
		n.Set(true)
		arrivedAtOnce(t, done, 0)
	})
}

func TestAnUploadThatStandsStillIsBegunAnewSoonAfterTheNetworkIsBack(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s, n := newSending(200_000), &Network{}
		s.web.steps = []step{{stall: true}}
		done := away(t, s, n)
		synctest.Wait()
		n.Set(false)
		n.Set(true)
		arrivedAtOnce(t, done, soon)
	})
}

func TestANetworkThatComesAndGoesEndsNoPauseThatTheServerAskedFor(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s, n := newSending(200_000), &Network{}
		busy := answer(503, nil)
		busy.RetryAfter = "90"
		s.web.steps = []step{{answer: busy}}
		began, done := time.Now(), away(t, s, n)
		synctest.Wait()
		n.Set(false)
		n.Set(true)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 90*time.Second || took > 91*time.Second {
			t.Errorf("it went on after %v", took)
		}
	})
}

func TestWithANetworkAnUploadThatGetsNowhereIsGivenUp(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s, n := newSending(200_000), &Network{}
		for range 40 {
			s.slots.errs = append(s.slots.errs, errBroke)
		}
		var f *Failure
		if err := <-away(t, s, n); !errors.As(err, &f) || f.Kind != Unreachable {
			t.Errorf("got %v", err)
		}
	})
}
