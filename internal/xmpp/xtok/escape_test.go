package xtok

import "testing"

func TestAttributesAndElementsAreEscapedAndLeftOutWhereEmpty(t *testing.T) {
	for _, value := range []string{"", "Ann", "<&'\">\n\t "} {
		e := parse(t, string(append(AppendAttr([]byte("<x"), "a", value), "/>"...)))
		if e.Attr("a") != value || e.HasAttr("a") != (value != "") {
			t.Errorf("%q: %s", value, e.Raw())
		}
		e = parse(t, string(append(AppendElement([]byte("<x>"), "e", value), "</x>"...)))
		if c := e.Child("", "e"); c.Text() != value || c.OK() != (value != "") {
			t.Errorf("%q: %s", value, e.Raw())
		}
	}
}
