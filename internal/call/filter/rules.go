package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/jingle"
)

// Bounds of a file.
const (
	MostBytes      = 64 << 10
	MostRules      = 64
	MostConditions = 8 // of one rule
	Longest        = 30 * 24 * time.Hour
	mostWord       = 256
)

// Rules are those of one file.
type Rules struct {
	Serial          uint64
	Issued, Expires time.Time
	List            []Rule
}

// Rule refuses the calls of which all its conditions are true.
type Rule struct {
	Name string // letters, digits and hyphens, for logs and counters
	// About is "propose", "session" or an action of XEP-0166 §7.2.
	About      string
	Conditions []Condition
}

// Condition is a word of a rule: a field, how it is compared, and with what.
type Condition struct {
	Field, Op, Value string
	number           int64 // seconds for ages
}

// field is how a condition on it is written.
type field struct {
	name, ops string
	read      func(value string) (int64, error)
}

// fields are all that a rule can look at.
func fields() []field {
	return []field{
		{"media", "=", oneOf("audio", "video")},
		{"sender", "=", oneOf("account", "component")},
		{"age", "<", age},
		{"codec", "=", word},
		{"parameter", "=", word},
		{"extension", "=", word},
		{"feedback", "=", word},
		{"candidate", "=", oneOf("host", "srflx", "prflx", "relay")},
		{"contents", ">", number},
		{"payloads", ">", number},
		{"candidates", ">", number},
	}
}

func oneOf(values ...string) func(string) (int64, error) {
	return func(v string) (int64, error) {
		for _, w := range values {
			if v == w {
				return 0, nil
			}
		}
		return 0, fmt.Errorf("%q is none of %q", v, values)
	}
}

func word(v string) (int64, error) {
	if v == "" {
		return 0, errors.New("nothing is asked for")
	}
	return 0, nil
}

func number(v string) (int64, error) { return strconv.ParseInt(v, 10, 32) }

// age is days, such as 7d, or what time.ParseDuration reads.
func age(v string) (int64, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return int64(n) * 24 * 3600, err
	}
	d, err := time.ParseDuration(v)
	if err == nil && d <= 0 {
		err = errors.New("no account is so young")
	}
	return int64(d / time.Second), err
}

// Parse reads the lines of a file but for its signature. The error names the line.
func Parse(text string) (*Rules, error) {
	if len(text) > MostBytes {
		return nil, fmt.Errorf("more than %d bytes", MostBytes)
	}
	r, seen := new(Rules), map[string]bool{}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if n == 0 {
			if line != "mirsal call rules 1" {
				return nil, errors.New("line 1: this is no file of call rules")
			}
			continue
		}
		if err := r.line(line, seen); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return r, r.check()
}

func (r *Rules) line(line string, seen map[string]bool) (err error) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(line, "#") {
		return nil
	}
	if words[0] == "refuse" {
		return r.rule(words[1:], seen)
	}
	if len(words) != 2 || seen[words[0]] {
		return fmt.Errorf("%q stands once, with one word behind it", words[0])
	}
	seen[words[0]] = true
	switch words[0] {
	case "serial":
		r.Serial, err = strconv.ParseUint(words[1], 10, 63)
	case "issued":
		r.Issued, err = time.Parse(time.RFC3339, words[1])
	case "expires":
		r.Expires, err = time.Parse(time.RFC3339, words[1])
	default:
		err = fmt.Errorf("%q is not known", words[0])
	}
	return err
}

func (r *Rules) rule(words []string, seen map[string]bool) error {
	switch {
	case len(words) < 3:
		return errors.New("a rule has a name, what it is about, and conditions: one that refuses everything is none")
	case len(words) > 2+MostConditions || len(r.List) == MostRules:
		return errors.New("too many")
	case !isName(words[0]) || seen["rule "+words[0]]:
		return fmt.Errorf("%q is no name, or there twice", words[0])
	case !isAbout(words[1]):
		return fmt.Errorf("%q is nothing that calls consist of", words[1])
	}
	seen["rule "+words[0]] = true
	out := Rule{Name: words[0], About: words[1]}
	for _, w := range words[2:] {
		c, err := condition(w)
		if err != nil {
			return err
		}
		if out.About == "propose" && c.ofSession() {
			return fmt.Errorf("%s: an invitation tells nothing of it", w)
		}
		out.Conditions = append(out.Conditions, c)
	}
	r.List = append(r.List, out)
	return nil
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z')
	})
}

func isAbout(s string) bool {
	if s == "propose" || s == "session" {
		return true
	}
	for a := jingle.ContentAccept; a <= jingle.TransportReplace; a++ {
		if a.String() == s {
			return true
		}
	}
	return false
}

func condition(w string) (Condition, error) {
	i := strings.IndexAny(w, "=<>")
	if i < 0 || len(w) > mostWord {
		return Condition{}, fmt.Errorf("%.64q is no condition", w)
	}
	c := Condition{Field: w[:i], Op: w[i : i+1], Value: w[i+1:]}
	for _, f := range fields() {
		if f.name != c.Field {
			continue
		}
		if f.ops != c.Op {
			return c, fmt.Errorf("%s is compared by %s", c.Field, f.ops)
		}
		n, err := f.read(c.Value)
		if err != nil {
			return c, fmt.Errorf("%s: %w", c.Field, err)
		}
		c.number = n
		return c, nil
	}
	return c, fmt.Errorf("%.64q is not known", c.Field)
}

// ofSession tells whether a condition is about what only sessions have.
func (c Condition) ofSession() bool {
	return c.Field != "media" && c.Field != "sender" && c.Field != "age"
}

func (r *Rules) check() error {
	switch {
	case r.Serial == 0 || r.Issued.IsZero() || r.Expires.IsZero():
		return errors.New("serial, issued and expires must be there")
	case !r.Expires.After(r.Issued) || r.Expires.Sub(r.Issued) > Longest:
		return errors.New("rules end within 30 days of being issued")
	case len(r.List) == 0:
		return nil // which ends the former ones
	}
	return nil
}
