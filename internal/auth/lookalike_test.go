package auth

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"mirsal/internal/store/memory"
)

func TestNamesThatPeopleMistakeForEachOtherHaveOneSkeleton(t *testing.T) {
	for _, same := range [][]string{
		{"alice", "ali\u0307ce", "alıce", "alı\u0307ce", "a\u0337lice", "al\u0338ice", "alice\u0332", "alic\u0329e", "ạlice", "alicẹ", "alịce", "a\u0483lice"},
		{"jim", "j\u0307im", "ji\u0307m", "ȷim", "ȷ\u0307ım"},
		{"jími", "jı\u0301mi", "ji\u0307\u0301mi", "jí\u0331mi", "jị́mi"},
		{"cóco", "со\u0301со", "c\u043e\u0301co"},
		{"ngoc", "ngọc"},
		{"françois", "franҫois"},
		{"alice", "a1ice", "al1ce", "al.ice", "a-l_i.c-e", "аlice", "\u0430\u04cfi\u0441\u0435"},
		{"bob", "b0b", "bоb", "b.o.b"},
		{"anna1", "annal", "anna.1"},
		{"maria", "rnaria"},
		{"walter", "vvalter"},
		{"coco", "сосо"},
		{"user5", "user٥", "user۵"},
		{"احمد", "أحمد", "أَحْمَد", "آحمد"},
		{"علي", "على", "علی"},
		{"فاطمة", "فاطمه"},
		{"كريم", "کریم"},
		{"דוד", "דָּוִד"},
	} {
		for _, n := range same[1:] {
			x := looksIndex{}
			x.add(same[0])
			if x.like(n) != same[0] {
				t.Errorf("%q is %q, %q is %q", same[0], skeletons(same[0]), n, skeletons(n))
			}
		}
	}
}

func TestNamesThatDifferHaveDifferentSkeletons(t *testing.T) {
	names := []string{
		"anna", "anne", "hanna", "anna2", "anna3", "jan", "jana", "ali", "all", "eli", "ell", "andre", "andré", "user10", "user11", "user12", "user21",
		"jose", "josé", "zoe", "zoë", "francois", "françois", "lukasz", "łukasz", "serif", "şerif", "soren", "søren", "dorde", "đorđe", "stefan", "ștefan", "žiga", "ziga",
		"żaneta", "zaneta", "inês", "ines", "ångström", "angstrom", "ağaoğlu", "agaoglu", "iñigo", "inigo", "nguyễn", "nguyen", "nguyên", "trần", "tran", "ėjus", "ejus", "rūta", "ruta",
		"gąska", "gaska", "őry", "öry", "ory", "þór", "æsa", "андрей", "андреи", "фёдор", "федор", "їжак", "іжак", "ўладзімір", "уладзімір", "ќиро", "киро", "юлія", "юлия",
		"احمد", "حامد", "حماد", "سعيد", "سعد", "سعاد", "عمر", "عمرو", "نور", "نورا", "هدى", "هادي", "كريم", "كرم", "اكرم", "ليلى", "ليال", "يوسف",
		"bern", "ben", "clara", "dara", "محمد", "محمود", "حسن", "حسين", "иван", "івасик", "olga", "olaf", "müller", "muller", "ester", "3ster",
	}
	x := looksIndex{}
	for _, n := range names {
		if other := x.like(n); other != "" {
			t.Errorf("%s and %s", n, other)
		}
		if reserved(n) || mixed(n) {
			t.Errorf("%s is refused", n)
		}
		x.add(n)
	}
	for _, n := range names {
		x.remove(n)
	}
	if len(x) != 0 {
		t.Error("left behind:", x)
	}
}

func TestASkeletonOfASkeletonIsTheSame(t *testing.T) {
	for _, n := range []string{"alice", "m1rn", "сосо", "أحمد", "vvvv", "rrn", "ﬀ"} {
		if s := skeleton(n, "l"); skeleton(s, "l") != s {
			t.Errorf("%q: %q, %q", n, s, skeleton(s, "l"))
		}
	}
}

func TestTheTableIsInOrder(t *testing.T) {
	if !slices.IsSortedFunc(lookalikes[:], func(a, b lookalike) int { return int(a.is - b.is) }) {
		t.Error("it is not: write it anew with scripts/lookalikes")
	}
}

func TestNoLanguageMixesTheseScripts(t *testing.T) {
	for name, want := range map[string]bool{
		"alice": false, "alice.2": false, "иван": false, "محمد5": false, "محمد٥": false, "田中": false, "tanaka田中": false, "たなカ田": false, "김alice": false,
		"аlice": true, "αlice": true, "محمدx": true, "иvan": true, "محمد٥5": true, "١۲": true, "たな김": true,
	} {
		if mixed(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestTheServersOwnNamesAreKeptForItsPeople(t *testing.T) {
	for name, want := range map[string]bool{
		"admin": true, "adm1n": true, "admin2": true, "ad.min": true, "Root": false, "root": true, "postmaster": true, "مدير": true,
		"ádmin": true, "admi\u0307n": true, "ạdmin": true, "a\u0332dmin": true, "admīn": true, "ađmin": true, "admın": true, "rôôt": true, "søpport": false, "administratör": true, "ädler": false, "süpport7": true, "admin٥": true, "admin-1": true, "пóддержка": true,
		"adam": false, "rootless": false, "helper": false, "infodesk": false,
	} {
		if reserved(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestALookAlikeIsRefusedWhileTheOtherIsThere(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "x")
	if _, err := a.SignUp(t.Context(), "a1ice", "one good secret"); !errors.Is(err, ErrLookAlike) {
		t.Error(err)
	}
	if _, err := a.Add(t.Context(), "a1ice", "x"); !errors.Is(err, ErrLookAlike) {
		t.Error(err)
	}
	in := invite(t, a, false, 0)
	if _, err := a.Redeem(t.Context(), in.Token, "al.ice", "one good secret"); !errors.Is(err, ErrLookAlike) {
		t.Error(err)
	}
	if _, err := a.SignUp(t.Context(), "admin", "one good secret"); !errors.Is(err, ErrReserved) {
		t.Error(err)
	}
	if _, err := a.SignUp(t.Context(), "bоb", "one good secret"); !errors.Is(err, ErrMixed) {
		t.Error(err)
	}
	if _, err := a.AddAnyway(t.Context(), "a1ice", "x"); err != nil {
		t.Error("the operator has the last word:", err)
	}
	for _, name := range []string{"alice", "a1ice"} {
		if err := a.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.SignUp(t.Context(), "a1ice", "one good secret"); err != nil {
		t.Error("nobody is called so any more:", err)
	}
}

func TestOfTwoLookAlikesAtOnceOneIsTaken(t *testing.T) {
	a := open(t, memory.New())
	var wg sync.WaitGroup
	for _, n := range []string{"carlo", "car1o", "carl0", "c.arlo", "c.ar1o", "ca-rlo"} {
		wg.Go(func() {
			if _, err := a.SignUp(t.Context(), n, "one good secret"); err != nil && !errors.Is(err, ErrLookAlike) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.Count() != 1 {
		t.Error(a.Count())
	}
}
