package archtest

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// Two servers must run in one test process, so nothing at package level may
// change after it was declared: tables, errors, compiled expressions, embedded
// files and sync.Pool are fine; anything written, locked or built by a
// constructor that we do not know is not.

// stateExceptions allows a package-level variable: "package.Name" and why.
var stateExceptions = map[string]string{}

// harmless are the constructors whose values do not change.
var harmless = map[string]bool{
	"errors.New": true, "fmt.Errorf": true, "regexp.MustCompile": true, "strings.NewReplacer": true,
	"sync.OnceValue": true, "sync.OnceValues": true, "template.Must": true, "base64.NewEncoding": true,
	"base32.NewEncoding": true, "precis.NewRestrictedProfile": true, "precis.NewFreeform": true,
	"precis.NewIdentifier": true, "idna.New": true, "language.NewMatcher": true, "big.NewInt": true,
}

func TestNoStateAtPackageLevel(t *testing.T) {
	used := map[string]bool{}
	for _, v := range stateViolations(loadModule(t), stateExceptions, used) {
		t.Error(v)
	}
	for ex := range stateExceptions {
		if !used[ex] {
			t.Errorf("the exception %q is no longer needed: remove it", ex)
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	tr := loadModule(t)
	for _, v := range initFunctions(tr) {
		t.Errorf("%s: no init(): what exists is wired in internal/server, in an order that can be read there", v)
	}
}

func initFunctions(tr *tree) []string {
	var out []string
	for _, p := range tr.sorted() {
		for _, f := range p.code() {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					out = append(out, tr.where(fn))
				}
			}
		}
	}
	return out
}

func stateViolations(tr *tree, exceptions map[string]string, used map[string]bool) []string {
	var out []string
	for _, p := range tr.sorted() {
		if len(p.code()) == 0 || is(short(p.dir), outside) {
			continue
		}
		info := resolve(tr, p)
		written := writes(p, info)
		for _, v := range packageVars(p) {
			why := stateProblem(v, written[info.Defs[v.name]])
			key := short(p.dir) + "." + v.name.Name
			if _, ok := exceptions[key]; ok && why != "" {
				used[key] = true
				continue
			}
			if why != "" {
				out = append(out, tr.where(v.name)+": package-level "+v.name.Name+" "+why+"; two servers must be able to run in one process")
			}
		}
	}
	return out
}

// A packageVar is one name of a var declaration at package level.
type packageVar struct {
	name     *ast.Ident
	typ      ast.Expr // nil when not written
	value    ast.Expr // nil when there is none
	embedded bool
}

func packageVars(p *pkg) []packageVar {
	var out []packageVar
	for _, f := range p.code() {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				out = append(out, specVars(g, s.(*ast.ValueSpec))...)
			}
		}
	}
	return out
}

func specVars(g *ast.GenDecl, s *ast.ValueSpec) []packageVar {
	var out []packageVar
	for i, n := range s.Names {
		v := packageVar{name: n, typ: s.Type, embedded: embeds(g.Doc) || embeds(s.Doc)}
		if i < len(s.Values) {
			v.value = s.Values[i]
		} else if len(s.Values) == 1 {
			v.value = s.Values[0]
		}
		if n.Name != "_" {
			out = append(out, v)
		}
	}
	return out
}

func embeds(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// stateProblem says what makes the variable state, "" when it is none.
func stateProblem(v packageVar, writtenAt bool) string {
	pool := selector(v.typ) == "sync.Pool" || literalOf(v.value) == "sync.Pool"
	switch {
	case v.embedded || pool:
		return ""
	case writtenAt:
		return "is changed after it was declared"
	case v.value == nil:
		return "has no value where it is declared"
	}
	return mutableProblem(v)
}

func mutableProblem(v packageVar) string {
	if _, ok := v.typ.(*ast.ChanType); ok {
		return "is a channel"
	}
	for _, s := range []string{selector(v.typ), literalOf(v.value)} {
		if strings.HasPrefix(s, "sync.") || strings.HasPrefix(s, "atomic.") {
			return "is a " + s
		}
	}
	switch e := v.value.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return "points to something that can change"
		}
	case *ast.CallExpr:
		return constructorProblem(e)
	}
	return ""
}

func constructorProblem(c *ast.CallExpr) string {
	name := selector(c.Fun)
	last := name[strings.LastIndex(name, ".")+1:]
	if name == "make" || name == "new" {
		return "is made empty to be filled"
	}
	if !harmless[name] && (strings.HasPrefix(last, "New") || strings.HasPrefix(last, "new")) {
		return "is built by " + name + ", which is not known to give an unchanging value"
	}
	return ""
}

// selector renders a name or a qualified name, generic arguments dropped.
func selector(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return selector(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return selector(e.X)
	case *ast.IndexListExpr:
		return selector(e.X)
	case *ast.StarExpr:
		return selector(e.X)
	}
	return ""
}

func literalOf(e ast.Expr) string {
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	if l, ok := e.(*ast.CompositeLit); ok {
		return selector(l.Type)
	}
	return ""
}

// resolve binds names within one package. Imports are not read: what they
// export cannot be one of this package's variables.
func resolve(tr *tree, p *pkg) *types.Info {
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}, FakeImportC: true}
	var files []*ast.File
	for _, f := range p.code() {
		files = append(files, f.ast)
	}
	_, _ = conf.Check(p.dir, tr.fset, files, info) // errors are expected: no imports
	return info
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not read") }

// writes finds the objects that some statement of the package changes.
func writes(p *pkg, info *types.Info) map[types.Object]bool {
	out := map[types.Object]bool{}
	mark := func(e ast.Expr) {
		if id := root(e); id != nil && info.Uses[id] != nil {
			out[info.Uses[id]] = true
		}
	}
	for _, f := range p.code() {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			for _, e := range changed(n) {
				mark(e)
			}
			return true
		})
	}
	return out
}

// changed returns the expressions that a node writes to, or lets others write to.
func changed(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.CallExpr:
		if f := selector(n.Fun); (f == "delete" || f == "clear" || f == "copy") && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the variable at the start of x.f[i].g.
func root(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SliceExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	case *ast.ParenExpr:
		return root(e.X)
	}
	return nil
}
