package command

import (
	"strings"
	"testing"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func answered(pairs ...string) form.Form {
	f := form.Form{Kind: form.Submit}
	for i := 0; i < len(pairs); i += 2 {
		f.Fields = append(f.Fields, form.Field{Var: pairs[i], Values: strings.Split(pairs[i+1], "|")})
	}
	return f
}

func TestOnlyWhatWasAskedForIsTaken(t *testing.T) {
	asked := form.Form{Kind: form.Ask, Fields: []form.Field{
		{Kind: form.Fixed, Values: []string{"Fill this in"}}, {Var: "name", Required: true}, {Var: "size", Values: []string{"10"}},
	}}
	c := &Call{Answers: answered("before", "kept", "name", "old")}
	all, err := c.Take(asked, answered("name", "new", "admin", "1"))
	if err != nil || len(all.Fields) != 3 || all.Value("before") != "kept" || all.Value("name") != "new" || all.Value("size") != "10" || all.Field("admin") != nil {
		t.Errorf("%+v %v", all, err)
	}
	if c.Answers.Value("name") != "old" {
		t.Error("the call was changed")
	}
	for _, missing := range []form.Form{answered(), answered("name", ""), answered("name", " | ")} {
		if _, err := c.Take(asked, missing); stanza.AsError(err).Condition != stanza.BadRequest || len(stanza.AsError(err).App) == 0 {
			t.Errorf("%+v: %v", missing, err)
		}
	}
}

func TestAQuestionOfYesOrNoHasNoOtherAnswer(t *testing.T) {
	asked := form.Form{Kind: form.Ask, Fields: []form.Field{{Var: "all", Kind: form.Boolean, Values: []string{"0"}}}}
	for value, fine := range map[string]bool{"1": true, "false": true, "": true, "yes": false, "1|0": false} {
		if _, err := (&Call{}).Take(asked, answered("all", value)); (err == nil) != fine {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := (&Call{}).Take(asked, answered()); err != nil {
		t.Error(err)
	}
}

func TestAListForThoseWithoutFormsIsNotSent(t *testing.T) {
	table := &Table{Columns: []form.Field{{Var: "jid"}}, Rows: [][]string{{"a@b"}}}
	r := Result{Form: form.Form{Kind: form.Result}, List: table}
	if b := string(r.Append(nil)); strings.Contains(b, "a@b") || r.Rows() != table {
		t.Error(b)
	}
}

func TestLinesAreOneTextAndEmptyValuesNone(t *testing.T) {
	c := &Call{Answers: answered("text", " a|b| ", "list", "x|| y ")}
	if c.Text("text") != "a\nb" || strings.Join(c.Values("list"), ",") != "x,y" || c.Text("none") != "" || c.Values("none") != nil {
		t.Errorf("%q %q", c.Text("text"), c.Values("list"))
	}
}

func TestAResultIsWellFormedWhateverIsInIt(t *testing.T) {
	const evil = "<&'\">"
	for _, r := range []Result{
		Said(evil),
		{Form: form.Form{Kind: form.Result, Of: evil, Title: evil, Fields: []form.Field{{Var: evil, Label: evil, Values: []string{evil}}}}},
		{Notes: []Note{{Error, evil}}, Form: form.Form{Of: evil, Title: evil}, Table: &Table{
			Columns: []form.Field{{Var: evil, Label: evil}, {Var: "b"}}, Rows: [][]string{{evil, ""}, {"1", "2"}},
		}},
	} {
		b := append(r.Append([]byte("<command xmlns='"+NS+"'>")), "</command>"...)
		e, err := xtok.Parse(b, xtok.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if r.Table == nil {
			continue
		}
		x, rows := e.Child(form.NS, "x"), 0
		for c := range x.Children() {
			if c.Is(form.NS, "item") {
				rows++
			}
		}
		if rows != 2 || x.Child(form.NS, "reported").First().Attr("var") != evil || x.Child(form.NS, "item").First().Child(form.NS, "value").Text() != evil {
			t.Errorf("%s", b)
		}
	}
}
