package measure

import (
	"os"
	"testing"
	"time"
)

func TestQuantileIsAValueThatWasSeen(t *testing.T) {
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(100-i)*time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := Quantile(all, q); got != want*time.Millisecond {
			t.Errorf("quantile %v is %v, want %v", q, got, want*time.Millisecond)
		}
	}
	if Quantile(nil, 0.5) != 0 {
		t.Error("a quantile of nothing is not 0")
	}
}

func TestMedianOfAnEvenCountIsBetween(t *testing.T) {
	if got := Median([]float64{9, 1, 3, 5}); got != 4 {
		t.Errorf("got %v", got)
	}
	if got := Median([]float64{9, 1, 3}); got != 3 {
		t.Errorf("got %v", got)
	}
}

func TestUsageOfThisProcessIsThere(t *testing.T) {
	if u := Of(os.Getpid()); u.PSS == 0 || u.Machine == 0 {
		t.Errorf("read %+v", u)
	}
	if u := Of(); u.PSS != 0 || u.CPU != 0 {
		t.Errorf("of no process: %+v", u)
	}
}
