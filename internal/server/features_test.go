package server

import (
	"os"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/store/memory"
)

// row is one line of spec/features.txt or spec/index.txt, split.
func rows(t *testing.T, file string) (all [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../spec/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 2 && !strings.HasPrefix(line, "#") {
			all = append(all, f)
		}
	}
	return all
}

// advertised is what discovery says of a whole server, "where feature" each.
func advertised(t *testing.T) map[string]bool {
	t.Helper()
	s, err := Start(t.Context(), local(t), Options{Store: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, host := map[string]bool{}, s.Router.Host()
	add := func(where string, at core.Target) {
		for _, f := range host.DiscoAt(at).Features {
			all[where+" "+f] = true
		}
	}
	add("server", core.Server)
	add("account", core.Account)
	host.Sites(func(site *core.Site) {
		name, _, _ := strings.Cut(site.Name.String(), ".")
		if name == "conference" {
			add("rooms", site.Host)
			add("room", site.Node)
			return
		}
		add(name, site.Host)
	})
	return all
}

func covers(pattern, feature string) bool {
	if begin, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(feature, begin)
	}
	return pattern == feature
}

func TestWhatIsAdvertisedIsInTheListOfFeaturesAndTheReverse(t *testing.T) {
	list, said := rows(t, "features.txt"), advertised(t)
	for feature := range said {
		listed := false
		for _, r := range list {
			listed = listed || covers(r[1]+" "+r[2], feature)
		}
		if !listed {
			t.Errorf("%s is advertised and stands in no row of spec/features.txt", feature)
		}
	}
	for _, r := range list {
		found := r[1] == "shows"
		for feature := range said {
			found = found || covers(r[1]+" "+r[2], feature)
		}
		if !found {
			t.Errorf("spec/features.txt: %s %s is not advertised", r[1], r[2])
		}
	}
}

func TestTheListOfFeaturesAgreesWithTheIndex(t *testing.T) {
	shown := map[string]bool{}
	for _, r := range rows(t, "features.txt") {
		shown[r[0]] = true
	}
	for _, r := range rows(t, "index.txt") {
		spoken := strings.HasPrefix(r[0], "XEP-") && (r[2] == "done" || r[2] == "partial") && ofServer(r[3])
		switch {
		case spoken && !shown[r[0]]:
			t.Errorf("%s is %s, and spec/features.txt does not say how it shows", r[0], r[2])
		case !spoken && shown[r[0]]:
			t.Errorf("%s stands in spec/features.txt and is %s", r[0], r[2])
		}
		delete(shown, r[0])
	}
	for number := range shown {
		t.Errorf("%s stands in spec/features.txt and in no row of spec/index.txt", number)
	}
}

// ofServer tells whether a row of the index names a package that is not the
// client's alone.
func ofServer(packages string) bool {
	for p := range strings.SplitSeq(packages, ",") {
		if !strings.HasPrefix(p, "internal/client") && p != "internal/omemo" {
			return true
		}
	}
	return false
}
