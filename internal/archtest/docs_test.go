package archtest

import (
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestArchitectureShowsTheFloors(t *testing.T) {
	var want []string
	for _, f := range floors {
		names := strings.Fields(f.names)
		slices.Sort(names)
		want = append(want, fmt.Sprintf("%d %s", f.floor, strings.Join(names, " ")))
	}
	got := floorBlock(architecture(t))
	if !slices.Equal(got, want) {
		t.Errorf("the floors in ARCHITECTURE.md:\n%s\nthe floors of this test:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// step is how the walk names a place: `folder/file.go: function`.
var step = regexp.MustCompile("`([a-z0-9_/]+\\.go): ([A-Za-z0-9_]+)`")

// TestTheWalkNamesRealFunctions holds ARCHITECTURE.md to the code. Files are
// named from internal/ down. A file that is not there yet is only listed until
// the server that ties everything together is there.
func TestTheWalkNamesRealFunctions(t *testing.T) {
	tr := loadModule(t)
	steps := step.FindAllStringSubmatch(architecture(t), -1)
	if len(steps) < 10 {
		t.Fatalf("found only %d steps `folder/file.go: function` in ARCHITECTURE.md", len(steps))
	}
	var missing []string
	for _, s := range steps {
		f := tr.file("internal/" + s[1])
		switch {
		case f == nil:
			missing = append(missing, s[1])
		case !declares(f.ast, s[2]):
			t.Errorf("ARCHITECTURE.md names %s: %s, but that file has no such function", s[1], s[2])
		}
	}
	if len(missing) == 0 {
		return
	}
	if tr.file("internal/server/server.go") != nil {
		t.Errorf("ARCHITECTURE.md names files that do not exist: %s", strings.Join(missing, ", "))
	}
	t.Logf("not there yet: %s", strings.Join(missing, ", "))
}

// link is a relative link of a Markdown document.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)\s]*)?\)`)

func TestLinksBetweenDocumentsLead(t *testing.T) {
	for _, doc := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/decisions/README.md", "docs/protocol/README.md"} {
		text, err := os.ReadFile("../../" + doc)
		if err != nil {
			t.Error(err)
			continue
		}
		dir := "../../" + doc[:strings.LastIndex(doc, "/")+1]
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(dir + m[1]); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, m[1])
			}
		}
	}
}

func architecture(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// floorBlock reads the first fenced block behind the heading "Floors" as lines
// "floor name name …", names sorted; what stands behind two blanks and a dash
// is a remark.
func floorBlock(doc string) []string {
	_, rest, _ := strings.Cut(doc, "## Floors")
	_, rest, _ = strings.Cut(rest, "```\n")
	block, _, _ := strings.Cut(rest, "```")
	var out []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "  - ")
		if f := strings.Fields(line); len(f) > 1 {
			slices.Sort(f[1:])
			out = append(out, strings.Join(f, " "))
		}
	}
	return out
}

func (tr *tree) file(path string) *file {
	for _, p := range tr.pkgs {
		for _, f := range p.files {
			if f.path == path {
				return f
			}
		}
	}
	return nil
}

// declares says whether the file has a function or method of that name.
func declares(f *ast.File, name string) bool {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == name {
			return true
		}
	}
	return false
}
