package scripts

import (
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"mirsal/e2e/xmppclient"
)

// names are what the variables of a script stand for.
type names map[string]string

// ours is the namespace of our fields in the forms of rooms: they are named "{ours}field", which looks like
// a variable, and so is one that stands for itself.
const ours = "urn:mirsal:rooms:0"

var variable = regexp.MustCompile(`\{(!?[^{}]+)\}`)

// fill replaces the variables that are known by their values, escaped for XML.
// With all, an unknown one is an error.
func (n names) fill(text string, all bool) (string, error) {
	var missing string
	filled := variable.ReplaceAllStringFunc(text, func(v string) string {
		value, ok := n[v[1:len(v)-1]]
		if !ok {
			missing = v
			return v
		}
		return escapeXML(value)
	})
	if all && missing != "" {
		return "", fmt.Errorf("nothing is known as %s yet", missing)
	}
	return filled, nil
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// matcher compares what arrived with what was expected, and remembers what the
// variables stood for. The zero reason is a match.
type matcher struct{ bound names }

// match tells why a node is not what the pattern says, empty when it is, and
// adds to the names what it learned.
func (n names) match(pattern, got *xmppclient.Node) string {
	m := matcher{maps.Clone(n)}
	if why := m.node(pattern, got); why != "" {
		return why
	}
	maps.Copy(n, m.bound)
	return ""
}

// special is the prefix of what in a pattern is no XML to be there.
const special = "script"

func (m *matcher) node(p, got *xmppclient.Node) string {
	if p.Name != got.Name {
		return fmt.Sprintf("<%s xmlns='%s'> is not <%s xmlns='%s'>", got.Name.Local, got.Name.Space, p.Name.Local, p.Name.Space)
	}
	if why := m.attrs(p, got); why != "" {
		return fmt.Sprintf("in <%s>: %s", p.Name.Local, why)
	}
	if want := strings.TrimSpace(p.Text); want != "" && !m.value(want, strings.TrimSpace(got.Text)) {
		return fmt.Sprintf("in <%s>: the text is %q, not %q", p.Name.Local, strings.TrimSpace(got.Text), want)
	}
	return m.inside(p, got)
}

func (m *matcher) inside(p, got *xmppclient.Node) string {
	var wanted, banned []*xmppclient.Node
	for _, c := range p.Children {
		if c.Is(special, "without") {
			banned = append(banned, c.Children...)
		} else {
			wanted = append(wanted, c)
		}
	}
	if why := m.children(wanted, got.Children); why != "" {
		return fmt.Sprintf("in <%s>: %s", p.Name.Local, why)
	}
	for _, b := range banned {
		for _, c := range got.Children {
			if (&matcher{maps.Clone(m.bound)}).node(b, c) == "" {
				return fmt.Sprintf("in <%s>: there is a <%s> that must not be there", p.Name.Local, c.Name.Local)
			}
		}
	}
	if exact(p) && (len(got.Children) != len(wanted) || len(wanted) == 0 && strings.TrimSpace(p.Text) != strings.TrimSpace(got.Text)) {
		return fmt.Sprintf("in <%s>: there is more than what was expected", p.Name.Local)
	}
	return ""
}

func exact(p *xmppclient.Node) bool {
	for _, a := range p.Attrs {
		if a.Name.Space == special && a.Name.Local == "exactly" {
			return true
		}
	}
	return false
}

// children finds a distinct child for each one wanted, in any order, trying
// every assignment: variables may make one fit where another does not.
func (m *matcher) children(wanted, got []*xmppclient.Node) string {
	if len(wanted) == 0 {
		return ""
	}
	why := ""
	for i, c := range got {
		try := matcher{maps.Clone(m.bound)}
		reason := try.node(wanted[0], c)
		if reason == "" {
			rest := append(append([]*xmppclient.Node(nil), got[:i]...), got[i+1:]...)
			reason = try.children(wanted[1:], rest)
			if reason == "" {
				m.bound = try.bound
				return ""
			}
		}
		if c.Name == wanted[0].Name {
			why = reason
		}
	}
	if why != "" {
		return why
	}
	return fmt.Sprintf("there is no <%s xmlns='%s'>", wanted[0].Name.Local, wanted[0].Name.Space)
}

func (m *matcher) attrs(p, got *xmppclient.Node) string {
	for _, a := range p.Attrs {
		if a.Name.Space == special {
			continue
		}
		value, there := attr(got, a.Name)
		switch {
		case a.Value == "(none)" && there:
			return fmt.Sprintf("there is %s='%s', which must not be", a.Name.Local, value)
		case a.Value == "(none)":
		case !there:
			return fmt.Sprintf("%s is missing", a.Name.Local)
		case !m.value(a.Value, value):
			return fmt.Sprintf("%s is '%s', not '%s'", a.Name.Local, value, a.Value)
		}
	}
	return ""
}

func attr(n *xmppclient.Node, name xml.Name) (string, bool) {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// value compares a text with one that may hold variables. * is anything but
// nothing; {!x} is anything but what x stands for.
func (m *matcher) value(want, got string) bool {
	if want == "*" {
		return got != ""
	}
	if strings.HasPrefix(want, "{!") {
		known, ok := m.bound[want[2:len(want)-1]]
		return ok && known != got
	}
	plain := m.bound.raw(want)
	at := variable.FindStringIndex(plain)
	if at == nil {
		return plain == got
	}
	before, after := plain[:at[0]], plain[at[1]:]
	if len(got) <= len(before)+len(after) || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
		return false
	}
	m.bound[plain[at[0]+1:at[1]-1]] = got[len(before) : len(got)-len(after)]
	return true
}

// raw is fill without escaping, for values that are already out of XML.
func (n names) raw(text string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := n[v[1:len(v)-1]]; ok {
			return value
		}
		return v
	})
}
