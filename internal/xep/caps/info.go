package caps

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"

	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/xtok"
)

const notifySuffix = "+notify"

// maxFeatures bounds what is kept of one client, in bytes; of one that has more
// nothing is believed.
const maxFeatures = 64 << 10

// info is what a client supports; never changed once made.
type info struct {
	features map[string]struct{}
	size     int // bytes, about
}

// news are the nodes that i is interested in and old, which may be nil, is not.
func (i *info) news(old *info) []string {
	var nodes []string
	for f := range i.features {
		node, yes := strings.CutSuffix(f, notifySuffix)
		if !yes {
			continue
		}
		if old != nil {
			if _, had := old.features[f]; had {
				continue
			}
		}
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	return nodes
}

// read reads a disco#info result; verified tells whether it is what id stands for.
func read(query xtok.Elem, id identity) (i *info, verified bool) {
	i, ver := readFirst(query)
	if i.features == nil || !id.verifiable() {
		return i, false
	}
	if id.second {
		input, err := ecaps2.Input(query)
		return i, err == nil && ecaps2.Hash(id.hash, input) == id.ver
	}
	return i, ver == id.ver
}

// readFirst reads a disco#info result. ver is the hash of XEP-0115 that it
// verifies, "" when the result is ill-formed and verifies nothing.
// XEP-0115 §5.4
func readFirst(query xtok.Elem) (i *info, ver string) {
	i = &info{features: map[string]struct{}{}}
	var r reply
	for e := range query.Children() {
		r.add(e)
	}
	for _, f := range r.features {
		i.features[f] = struct{}{}
		i.size += len(f) + 48
	}
	if i.size > maxFeatures {
		return &info{}, ""
	}
	if r.ambiguous || repeats(r.identities) || repeats(r.features) || repeats(r.formTypes) {
		return i, ""
	}
	sum := sha1.Sum(r.text())
	return i, base64.StdEncoding.EncodeToString(sum[:])
}

// reply is a disco#info result taken apart.
type reply struct {
	identities, features []string
	formTypes            []string
	forms                []string // as they enter the hash, in the order of formTypes
	ambiguous            bool     // another result might give the same hash
}

func (r *reply) add(e xtok.Elem) {
	switch {
	case e.Is(nsDisco, "identity"):
		r.addIdentity(e)
	case e.Is(nsDisco, "feature"):
		r.features = append(r.features, r.plain(e.Attr("var")))
	case e.Is(nsForm, "x"):
		r.addForm(e)
	}
}

// plain notes text that holds the separator of the hashed string: it may stand
// for several others.
// XEP-0115 §9.2
func (r *reply) plain(s string) string {
	if strings.Contains(s, "<") {
		r.ambiguous = true
	}
	return s
}

// addIdentity takes an identity as the hash has it. One with the looks of a
// feature could hide a feature behind the same hash.
func (r *reply) addIdentity(e xtok.Elem) {
	category, kind := e.Attr("category"), e.Attr("type")
	if strings.ContainsAny(category+kind, ":/") {
		r.ambiguous = true
	}
	s := category + "/" + kind + "/" + e.AttrNS(xtok.NSXML, "lang") + "/" + e.Attr("name")
	r.identities = append(r.identities, r.plain(s))
}

const nsForm = "jabber:x:data"

// addForm takes an extension form. One without a hidden FORM_TYPE counts for
// nothing.
// XEP-0115 §5.4
func (r *reply) addForm(x xtok.Elem) {
	var formType string
	var fields []string
	for f := range x.Children() {
		if !f.Is(nsForm, "field") {
			continue
		}
		values := r.values(f)
		if f.AttrIs("var", "FORM_TYPE") {
			if !f.AttrIs("type", "hidden") || len(values) == 0 {
				return
			}
			if len(slices.Compact(values)) > 1 {
				r.ambiguous = true
			}
			formType = values[0]
			continue
		}
		fields = append(fields, r.formText(f.Attr("var"))+"<"+join(values))
	}
	if formType == "" {
		return
	}
	slices.Sort(fields)
	r.formTypes = append(r.formTypes, formType)
	r.forms = append(r.forms, r.formText(formType)+"<"+strings.Join(fields, ""))
}

func (r *reply) values(field xtok.Elem) []string {
	var values []string
	for v := range field.Children() {
		if v.Is(nsForm, "value") {
			values = append(values, r.formText(v.Text()))
		}
	}
	slices.Sort(values)
	return values
}

// formText notes text of a form that could hide an interest behind the same hash.
func (r *reply) formText(s string) string {
	if strings.HasSuffix(s, notifySuffix) {
		r.ambiguous = true
	}
	return r.plain(s)
}

// text is the string that is hashed.
// XEP-0115 §5.1
func (r *reply) text() []byte {
	slices.Sort(r.identities)
	slices.Sort(r.features)
	slices.Sort(r.forms)
	return []byte(join(r.identities) + join(r.features) + strings.Join(r.forms, ""))
}

func join(all []string) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s)
		b.WriteByte('<')
	}
	return b.String()
}

func repeats(all []string) bool {
	seen := make(map[string]struct{}, len(all))
	for _, s := range all {
		if _, twice := seen[s]; twice {
			return true
		}
		seen[s] = struct{}{}
	}
	return false
}
