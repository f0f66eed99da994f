package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A tree is every Go package of the module, keyed by its folder.
type tree struct {
	fset *token.FileSet
	pkgs map[string]*pkg
}

// A pkg is one folder of Go files; build tags are ignored, so that rules hold
// on every platform.
type pkg struct {
	dir   string
	files []*file
}

type file struct {
	path      string
	test      bool
	generated bool
	ast       *ast.File
	lines     int
}

const module = "mirsal"

// loadModule parses the module this test belongs to.
func loadModule(t *testing.T) *tree {
	t.Helper()
	tr, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// load parses every Go file of fsys, except what the go tool itself would not
// look at and modules nested in this one.
func load(fsys fs.FS) (*tree, error) {
	tr := &tree{fset: token.NewFileSet(), pkgs: map[string]*pkg{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipDir(fsys, p, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasPrefix(d.Name(), "_"):
			return nil
		}
		return tr.add(fsys, p)
	})
	return tr, err
}

func skipDir(fsys fs.FS, p, name string) bool {
	if p == "." {
		return false
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules" {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(p, "go.mod"))
	return err == nil
}

func (tr *tree) add(fsys fs.FS, p string) error {
	src, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(tr.fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(p)
	if tr.pkgs[dir] == nil {
		tr.pkgs[dir] = &pkg{dir: dir}
	}
	tr.pkgs[dir].files = append(tr.pkgs[dir].files, &file{
		path: p, test: strings.HasSuffix(p, "_test.go"), generated: ast.IsGenerated(f),
		ast: f, lines: strings.Count(string(src), "\n"),
	})
	return nil
}

// sorted returns the packages in the order of their folders.
func (tr *tree) sorted() []*pkg {
	var dirs []string
	for d := range tr.pkgs {
		dirs = append(dirs, d)
	}
	slices.Sort(dirs)
	var out []*pkg
	for _, d := range dirs {
		out = append(out, tr.pkgs[d])
	}
	return out
}

// code returns the files that people write and that reach the binary.
func (p *pkg) code() []*file {
	return slices.DeleteFunc(slices.Clone(p.files), func(f *file) bool { return f.test || f.generated })
}

// imports returns what the package imports outside its tests, generated files
// included, each once.
func (p *pkg) imports() []string {
	var out []string
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, im := range f.ast.Imports {
			s, _ := strconv.Unquote(im.Path.Value)
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// where gives "file:line" of a node.
func (tr *tree) where(n ast.Node) string {
	pos := tr.fset.Position(n.Pos())
	return pos.Filename + ":" + strconv.Itoa(pos.Line)
}
