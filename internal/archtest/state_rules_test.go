package archtest

import "testing"

func TestStateIsToldFromTables(t *testing.T) {
	for src, refused := range map[string]bool{
		`var ErrGone = errors.New("gone")`:                           false,
		`var table = map[string]int{"a": 1}`:                         false,
		`var names = [256]bool{'a': true}`:                           false,
		`var expr = regexp.MustCompile("a")`:                         false,
		`var pool = sync.Pool{New: func() any { return nil }}`:       false,
		`var pool sync.Pool; func f() { use(&pool) }`:                false,
		"//go:embed a.txt\nvar text string":                          false,
		`var _ I = (*T)(nil)`:                                        false,
		`var n int`:                                                  true,
		`var n = 1; func f() { n++ }`:                                true,
		`var n = 1; func f() { n := 2; n++; use(n) }`:                false,
		`var n = 1; func f() { n = 2 }`:                              true,
		`var m = map[string]int{}; func f() { m["a"] = 1 }`:          true,
		`var m = map[string]int{}; func f() { delete(m, "a") }`:      true,
		`var s = T{}; func f() { s.x.y = 1 }`:                        true,
		`var s = T{}; func f() { use(&s) }`:                          true,
		`var mu sync.Mutex`:                                          true,
		`var mu = sync.Mutex{}`:                                      true,
		`var n atomic.Int64`:                                         true,
		`var n = atomic.Pointer[T]{}`:                                true,
		`var c = make(chan int)`:                                     true,
		`var srv = &Server{}`:                                        true,
		`var reg = prometheus.NewRegistry()`:                         true,
		`var root = x509.NewCertPool()`:                              true,
		`func init() {}; var n = 1`:                                  false, // TestNoInitFunctions' business
		`var n = 1; type T struct{ n int }; func f(t T) { t.n = 2 }`: false,
		`var table = []string{"a"}; func f() { for _, table[0] = range table { use(nil) } }`: true,
	} {
		tr := parse(t, "internal/core", "package p\n"+src+"\n")
		if got := stateViolations(tr, nil, nil); (len(got) > 0) != refused {
			t.Errorf("%s: violations %q, want refused %v", src, got, refused)
		}
	}
}

func TestInitFunctionsAreFoundAndMethodsOfThatNameAreNot(t *testing.T) {
	tr := parse(t, "internal/core", "package p\ntype t struct{}\nfunc (t) init() {}\nfunc init() {}\n")
	if got := initFunctions(tr); len(got) != 1 {
		t.Errorf("found %q, want the one on line 4", got)
	}
}
