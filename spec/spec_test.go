// Package spec holds the list of specifications that Mirsal speaks (index.txt)
// and the test that keeps it true. It has no code outside its tests.
package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A row is one line of index.txt.
type row struct {
	line                    int
	number, version, status string
	packages                []string
	title                   string
}

// A citation is a XEP or RFC named in a comment.
type citation struct {
	where  string // file:line
	number string // as in the index
	part   string // "§8.5.2", "#acking" or ""
}

var (
	numberForm  = regexp.MustCompile(`^(XEP|RFC)-\d{4}$`)
	versionForm = regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`)
	cited       = regexp.MustCompile(`\b(XEP|RFC)[- ](\d+)(?:, | )?(§§? ?\d[\w.]*|#[\w-]+)?`)
	versioned   = regexp.MustCompile(`\b(XEP-\d{4})(?:,? version|,)? ?\(?v?(\d+\.\d+(?:\.\d+)?)\b`)
)

func TestTheIndexIsWellFormed(t *testing.T) {
	for _, p := range problems(index(t)) {
		t.Error(p)
	}
}

func TestPackagesOfWhatIsSpokenExist(t *testing.T) {
	for _, r := range index(t) {
		if r.status == "planned" || r.status == "known" {
			continue
		}
		for _, p := range r.packages {
			files, _ := fs.Glob(os.DirFS(".."), p+"/*.go")
			if len(files) == 0 {
				t.Errorf("index.txt:%d: %s is %s in %s, but there is no such package", r.line, r.number, r.status, p)
			}
		}
	}
}

func TestWhatTheCodeCitesIsInTheIndex(t *testing.T) {
	rows := byNumber(index(t))
	for _, c := range citations(t) {
		if _, ok := rows[c.number]; !ok {
			t.Errorf("%s cites %s, which has no row in spec/index.txt: add one, with the status known when it is only recognised or built on", c.where, c.number)
		}
	}
}

func TestFeaturesNameTheirSpecificationAndItsVersion(t *testing.T) {
	rows := byNumber(index(t))
	docs := packageComments(t, "internal/xep")
	for dir, doc := range docs {
		if !strings.Contains(doc, "XEP-") && !strings.Contains(doc, "RFC ") {
			t.Errorf("%s: its package comment names no XEP or RFC", dir)
		}
		for _, m := range versioned.FindAllStringSubmatch(doc, -1) {
			if r, ok := rows[m[1]]; ok && trimZeros(r.version) != trimZeros(m[2]) {
				t.Errorf("%s says %s %s, spec/index.txt says %s", dir, m[1], m[2], r.version)
			}
		}
	}
	for _, r := range rows {
		for _, p := range r.packages {
			if doc, ok := docs[p]; ok && !strings.Contains(doc, r.number) {
				t.Errorf("index.txt:%d: %s is said to be in %s, whose package comment does not name it", r.line, r.number, p)
			}
		}
	}
}

// trimZeros makes 2.5 and 2.5.0 the same.
func trimZeros(version string) string {
	for strings.HasSuffix(version, ".0") {
		version = strings.TrimSuffix(version, ".0")
	}
	return version
}

// problems lists what is wrong with the rows themselves.
func problems(rows []row) []string {
	var out []string
	say := func(r row, format string, args ...any) {
		out = append(out, fmt.Sprintf("index.txt:%d: ", r.line)+fmt.Sprintf(format, args...))
	}
	for i, r := range rows {
		if i > 0 && rows[i-1].number >= r.number {
			say(r, "%s stands behind %s: rows are sorted by number, each once", r.number, rows[i-1].number)
		}
		if !numberForm.MatchString(r.number) {
			say(r, "%q is not XEP-NNNN or RFC-NNNN", r.number)
		}
		if rfc := strings.HasPrefix(r.number, "RFC"); rfc != (r.version == "-") || !rfc && !versionForm.MatchString(r.version) {
			say(r, "version %q: a XEP has one like 1.6.3, a RFC has -", r.version)
		}
		if !slices.Contains([]string{"done", "partial", "planned", "known"}, r.status) {
			say(r, "status %q is not done, partial, planned or known", r.status)
		}
		if r.status == "partial" && !strings.HasSuffix(r.title, "]") {
			say(r, "%s is partial: its title says which part in square brackets", r.number)
		}
	}
	return out
}

func index(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("index.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parseIndex(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func parseIndex(text string) ([]row, error) {
	var rows []row
	n := 0
	for line := range strings.Lines(text) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) < 5 {
			return nil, fmt.Errorf("index.txt:%d: want number, version, status, package, title", n)
		}
		rows = append(rows, row{n, f[0], f[1], f[2], strings.Split(f[3], ","), strings.Join(f[4:], " ")})
	}
	return rows, nil
}

func byNumber(rows []row) map[string]row {
	m := map[string]row{}
	for _, r := range rows {
		m[r.number] = r
	}
	return m
}

// citations reads the comments of every Go file of the module.
func citations(t *testing.T) []citation {
	t.Helper()
	var out []citation
	eachFile(t, ".", func(fset *token.FileSet, p string, f *ast.File) {
		if strings.HasPrefix(p, "spec/") {
			return
		}
		for _, g := range f.Comments {
			for _, c := range g.List {
				at := fmt.Sprintf("%s:%d", p, fset.Position(c.Pos()).Line)
				out = append(out, citationsIn(at, c.Text)...)
			}
		}
	})
	return out
}

func citationsIn(where, comment string) []citation {
	var out []citation
	for _, m := range cited.FindAllStringSubmatch(comment, -1) {
		out = append(out, citation{where, m[1] + "-" + m[2], strings.TrimRight(m[3], ".")})
	}
	return out
}

// packageComments maps the folders below root to their package comments.
func packageComments(t *testing.T, root string) map[string]string {
	t.Helper()
	docs := map[string]string{}
	if _, err := os.Stat("../" + root); err != nil {
		return docs
	}
	eachFile(t, root, func(_ *token.FileSet, p string, f *ast.File) {
		if !strings.HasSuffix(p, "_test.go") {
			docs[path.Dir(p)] += f.Doc.Text()
		}
	})
	return docs
}

func eachFile(t *testing.T, root string, do func(*token.FileSet, string, *ast.File)) {
	t.Helper()
	fset := token.NewFileSet()
	err := fs.WalkDir(os.DirFS(".."), root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, "../"+p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		do(fset, p, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
