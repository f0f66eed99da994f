package conformance

import "time"

// Format is the version of the JSON that a Report is written as. It changes
// when a field is renamed or taken away, not when one is added.
const Format = 1

// Result is what was found of one feature.
type Result string

// The results.
const (
	Works     Result = "works"
	Partly    Result = "partly"     // some of it, or not as it should be
	Missing   Result = "missing"    // not there, or said to be there and does not work
	Untested  Result = "untested"   // this account could not show it
	NotServer Result = "not-server" // the suite asks it of clients only
)

// Need is what the suite asks of a server at one level.
type Need string

// The needs.
const (
	Required  Need = "required"
	Component Need = "component" // required; may be a component or a plug-in
	NotAsked  Need = "no"
	NoServer  Need = "not-applicable"
)

func (n Need) asked() bool { return n == Required || n == Component }

// Row is one feature and what was found of it.
type Row struct {
	Key      string `json:"key"` // stable name, as im.history
	Section  string `json:"section"`
	Feature  string `json:"feature"`
	By       string `json:"by"` // specifications, as "XEP-0280"
	Core     Need   `json:"core"`
	Advanced Need   `json:"advanced"`
	Result   Result `json:"result"`
	Evidence string `json:"evidence"`         // a few words
	Remedy   string `json:"remedy,omitempty"` // what its operator can do, when it does not work

	// unseen tells that by its nature no account can see this.
	unseen bool
}

// Verdict is how one section stands at one level.
type Verdict struct {
	Section  string `json:"section"`
	Level    string `json:"level"` // core or advanced
	Met      bool   `json:"met"`
	Works    int    `json:"works"`
	Of       int    `json:"of"`
	Untested int    `json:"untested"`
}

// Report is everything about one server.
type Report struct {
	Format   int       `json:"format"`
	Suite    string    `json:"suite"`
	Program  string    `json:"program"`
	Date     time.Time `json:"date"`
	Account  string    `json:"account"`
	Domain   string    `json:"domain"`
	Address  string    `json:"address"`  // host:port that was signed in at
	Software string    `json:"software"` // as it calls itself (XEP-0092), may be empty
	Rows     []Row     `json:"rows"`
	Verdicts []Verdict `json:"verdicts"`
	// Left are what could not be put back, in words; empty when all was.
	Left []string `json:"left"`
}

// CoreMet tells whether what the suite asks of a core server in its section Core
// was found. What no account can see is given the benefit of the doubt.
func (r *Report) CoreMet() bool {
	v := r.verdict(Core, "core")
	return v.Met
}

func (r *Report) row(key string) *Row {
	for i := range r.Rows {
		if r.Rows[i].Key == key {
			return &r.Rows[i]
		}
	}
	panic("conformance: no row " + key)
}

// judge adds the verdicts, and takes the remedies from what needs none.
func (r *Report) judge() {
	for i := range r.Rows {
		if res := r.Rows[i].Result; res != Missing && res != Partly {
			r.Rows[i].Remedy = ""
		}
	}
	r.Verdicts = nil
	for _, s := range sections {
		if s == Beyond {
			continue
		}
		r.Verdicts = append(r.Verdicts, r.verdict(s, "core"), r.verdict(s, "advanced"))
	}
}

// verdict counts what the suite asks for at a level.
func (r *Report) verdict(section, level string) Verdict {
	v := Verdict{Section: section, Level: level, Met: true}
	for i := range r.Rows {
		row := &r.Rows[i]
		need := row.Core
		if level == "advanced" {
			need = row.Advanced
		}
		if row.Section != section || !need.asked() {
			continue
		}
		v.Of++
		switch {
		case row.Result == Works:
			v.Works++
		case row.Result == Untested:
			v.Untested++
			v.Met = v.Met && row.unseen
		default:
			v.Met = false
		}
	}
	return v
}

// newReport has all rows, none of them tested.
func newReport() *Report {
	r := &Report{Format: Format, Suite: "XEP-0479 XMPP Compliance Suites 2023", Left: []string{}}
	for _, s := range suite {
		row := Row{Key: s.key, Section: s.section, Feature: s.feature, By: s.by, Core: s.core, Advanced: s.advanced,
			Result: Untested, Evidence: "not reached", Remedy: s.remedy, unseen: s.unseen}
		if s.section != Beyond && !s.core.asked() && !s.advanced.asked() {
			row.Result, row.Evidence = NotServer, ""
		}
		if s.unseen {
			row.Evidence = "only its operator can tell"
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}
