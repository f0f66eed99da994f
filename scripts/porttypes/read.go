package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A source is what the package port declares, in its order.
type source struct {
	structs  []structure
	unions   []union           // named strings with their values
	names    map[string]string // Go type → name on the wire
	commands []string          // Go types
	events   []string
	codes    []string // of failures
}

type structure struct {
	name, doc string
	fields    []field
}

type field struct {
	name, doc string
	kind      string // the Go type as written
	optional  bool
	ref       bool   // the embedded number
	embedded  string // another structure, whose fields stand here
}

type union struct {
	name   string
	values []string
}

// read parses the files of the package in the order of their names.
func read(dir string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no Go files in %s (%v)", dir, err)
	}
	s := &source{names: map[string]string{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		s.file(file, filepath.Base(path))
	}
	return s, nil
}

func (s *source) file(file *ast.File, name string) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.method(d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				s.spec(d, spec, name == "failure.go")
			}
		}
	}
}

// method takes a wire name from func (*Send) command() string { return "send" }.
func (s *source) method(d *ast.FuncDecl) {
	kind := d.Name.Name
	if d.Recv == nil || kind != "command" && kind != "event" {
		return
	}
	star, ok := d.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return
	}
	result := d.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BasicLit)
	wire, _ := strconv.Unquote(result.Value)
	goName := star.X.(*ast.Ident).Name
	s.names[goName] = wire
	if kind == "command" {
		s.commands = append(s.commands, goName)
	} else {
		s.events = append(s.events, goName)
	}
}

func (s *source) spec(d *ast.GenDecl, spec ast.Spec, failures bool) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		doc := spec.Doc.Text()
		if doc == "" {
			doc = d.Doc.Text()
		}
		switch kind := spec.Type.(type) {
		case *ast.StructType:
			if ast.IsExported(spec.Name.Name) && spec.Name.Name != "Ref" {
				s.structs = append(s.structs, structure{spec.Name.Name, doc, fields(kind)})
			}
		case *ast.Ident:
			s.unions = append(s.unions, union{name: spec.Name.Name})
		}
	case *ast.ValueSpec:
		s.constant(spec, failures)
	}
}

// constant files a string under its type, or under the failures' codes.
func (s *source) constant(spec *ast.ValueSpec, failures bool) {
	if len(spec.Values) != 1 {
		return
	}
	lit, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	value, _ := strconv.Unquote(lit.Value)
	kind, typed := spec.Type.(*ast.Ident)
	switch {
	case typed:
		for i := range s.unions {
			if s.unions[i].name == kind.Name {
				s.unions[i].values = append(s.unions[i].values, value)
				return
			}
		}
		s.unions = append(s.unions, union{kind.Name, []string{value}})
	case failures:
		s.codes = append(s.codes, value)
	}
}

func fields(t *ast.StructType) []field {
	var out []field
	for _, f := range t.Fields.List {
		if len(f.Names) == 0 {
			name := written(f.Type)
			out = append(out, field{ref: name == "Ref", embedded: name})
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		doc := strings.TrimSpace(f.Doc.Text() + f.Comment.Text())
		out = append(out, field{name: name, doc: doc, kind: written(f.Type), optional: options != ""})
	}
	return out
}

// written is a type as it stands in the source.
func written(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return written(e.X)
	case *ast.ArrayType:
		return "[]" + written(e.Elt)
	case *ast.SelectorExpr:
		return written(e.X) + "." + e.Sel.Name
	}
	return fmt.Sprintf("%T", e)
}

var answered = regexp.MustCompile(`(?:Answer:|answered by)\s+([A-Z]\w*)`)

// answer is the event that answers a command, by its comment.
func (s *source) answer(doc string) string {
	if m := answered.FindStringSubmatch(doc); m != nil && s.names[m[1]] != "" {
		return m[1]
	}
	return "Done"
}
