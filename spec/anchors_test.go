package spec

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCitedSectionsOfXEPsExist needs the sources of the XEPs, which are not
// part of this project: XEPS=DIR names a checkout of them (xep-0198.xml …).
func TestCitedSectionsOfXEPsExist(t *testing.T) {
	dir := os.Getenv("XEPS")
	if dir == "" {
		t.Skip("XEPS=DIR names no folder with the sources of the XEPs")
	}
	known := map[string]map[string]bool{}
	for _, c := range citations(t) {
		number, isXEP := strings.CutPrefix(c.number, "XEP-")
		if !isXEP || c.part == "" {
			continue
		}
		if known[number] == nil {
			known[number] = sections(t, filepath.Join(dir, "xep-"+number+".xml"))
		}
		if part := strings.TrimLeft(c.part, "§ "); !known[number][part] {
			t.Errorf("%s cites %s %s, which that document does not have", c.where, c.number, c.part)
		}
	}
}

// sections lists "5", "5.1", "#acking" … of a XEP's source.
func sections(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	d.Strict = false // the sources use entities that a DTD elsewhere defines
	out := map[string]bool{}
	var count []int
	for {
		tok, err := d.Token()
		if err != nil {
			return out
		}
		if el, ok := tok.(xml.StartElement); ok {
			count = note(out, count, el)
		}
	}
}

// note adds the section that el opens, if it does; count is the number of the
// section before, as [5 1] for 5.1.
func note(out map[string]bool, count []int, el xml.StartElement) []int {
	for _, a := range el.Attr {
		if a.Name.Local == "anchor" {
			out["#"+a.Value] = true
		}
	}
	level, err := strconv.Atoi(strings.TrimPrefix(el.Name.Local, "section"))
	if err != nil || level < 1 || !strings.HasPrefix(el.Name.Local, "section") {
		return count
	}
	for len(count) < level {
		count = append(count, 0)
	}
	count = count[:level]
	count[level-1]++
	var parts []string
	for _, n := range count {
		parts = append(parts, strconv.Itoa(n))
	}
	out[strings.Join(parts, ".")] = true
	return count
}
