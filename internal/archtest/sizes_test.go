package archtest

import (
	"fmt"
	"go/ast"
	"strings"
	"testing"
)

const (
	longFunction = 120 // lines; longer only for one linear story, and its comment says so
	longFile     = 500 // lines; a smoke alarm, not a rule
)

func TestLongFunctionsTellOneStory(t *testing.T) {
	for _, v := range longFunctions(loadModule(t)) {
		t.Error(v)
	}
}

func TestLongFilesAreNamed(t *testing.T) {
	for _, p := range loadModule(t).sorted() {
		for _, f := range p.files {
			if f.lines > longFile && !f.generated {
				t.Logf("%s has %d lines: is it one thing?", f.path, f.lines)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range loadModule(t).sorted() {
		if code := p.code(); len(code) > 0 && !documented(code) {
			t.Errorf("%s has no package comment: say what it is, what it is not, and its invariants", p.dir)
		}
	}
}

func longFunctions(tr *tree) []string {
	var out []string
	for _, p := range tr.sorted() {
		for _, f := range p.code() {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				n := tr.fset.Position(fn.End()).Line - tr.fset.Position(fn.Pos()).Line + 1
				if n > longFunction && !strings.Contains(strings.ToLower(fn.Doc.Text()), "story") {
					out = append(out, fmt.Sprintf("%s: %s has %d lines: split it, or say in its comment which linear story it tells", tr.where(fn), fn.Name.Name, n))
				}
			}
		}
	}
	return out
}

func documented(files []*file) bool {
	for _, f := range files {
		if strings.TrimSpace(f.ast.Doc.Text()) != "" {
			return true
		}
	}
	return false
}

func TestALongFunctionNeedsTheWordStory(t *testing.T) {
	body := "func f() {\n" + strings.Repeat("\tuse()\n", longFunction) + "}\n"
	if got := longFunctions(parse(t, "internal/core", "package p\n"+body)); len(got) != 1 {
		t.Errorf("a function of %d lines gave %q", longFunction+2, got)
	}
	told := "package p\n// f tells one story: the hand-over.\n" + body
	if got := longFunctions(parse(t, "internal/core", told)); len(got) != 0 {
		t.Errorf("a function whose comment says story gave %q", got)
	}
}
