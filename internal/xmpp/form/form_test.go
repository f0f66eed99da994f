package form

import (
	"reflect"
	"strings"
	"testing"

	"mirsal/internal/xmpp/xtok"
)

func read(t *testing.T, xml string) (Form, error) {
	t.Helper()
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return Read(e)
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	f := Form{Kind: Submit, Of: "urn:x", Title: "T<", Fields: []Field{
		{Var: "a", Kind: TextSingle, Label: "L'", Values: []string{"1 & 2"}},
		{Var: "b", Kind: ListMulti, Values: []string{"x", ""}},
		{Var: "c", Kind: Boolean},
	}}
	got, err := read(t, string(f.Append(nil)))
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("%s was read as %+v, %v", f.Append(nil), got, err)
	}
}

func TestPeopleCanReadEveryOption(t *testing.T) {
	f := Form{Kind: Ask, Fields: []Field{
		{Var: "a", Kind: ListSingle, Options: []string{"10", "none"}, Names: []string{"10", "as many as come"}},
		{Var: "b", Kind: ListSingle, Options: []string{"x"}},
	}}
	got := string(f.Append(nil))
	for _, want := range []string{
		"<option label='10'><value>10</value></option><option label='as many as come'><value>none</value></option>",
		"<option label='x'><value>x</value></option>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestValuesAreFoundByName(t *testing.T) {
	f := Form{Fields: []Field{{Var: "yes", Values: []string{"1"}}, {Var: "no", Values: []string{"false"}}, {Var: "odd", Values: []string{"TRUE"}}, {Var: "none"}}}
	for name, want := range map[string][2]bool{"yes": {true, true}, "no": {false, true}, "odd": {}, "none": {}, "missing": {}} {
		if v, ok := f.Bool(name); v != want[0] || ok != want[1] {
			t.Errorf("%s is %v, %v", name, v, ok)
		}
	}
	if f.Value("odd") != "TRUE" || f.Value("none") != "" || f.Field("missing") != nil {
		t.Error("values by name")
	}
}

func TestHostileFormsAreRefused(t *testing.T) {
	field := "<field var='a'><value>1</value></field>"
	for name, xml := range map[string]string{
		"no form":         "<x xmlns='urn:y' type='submit'/>",
		"no type":         "<x xmlns='jabber:x:data'/>",
		"unknown type":    "<x xmlns='jabber:x:data' type='y'/>",
		"field twice":     "<x xmlns='jabber:x:data' type='submit'>" + field + field + "</x>",
		"two FORM_TYPEs":  "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>1</value><value>2</value></field></x>",
		"too many values": "<x xmlns='jabber:x:data' type='submit'><field var='a'>" + strings.Repeat("<value/>", MostValues+1) + "</field></x>",
		"too many fields": "<x xmlns='jabber:x:data' type='submit'>" + manyFields(MostFields+1) + "</x>",
	} {
		if f, err := read(t, xml); err == nil {
			t.Errorf("%s was read as %d fields", name, len(f.Fields))
		}
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<field var='" + strings.Repeat("a", i+1) + "'/>")
	}
	return b.String()
}
