package disco

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/xtok"
)

// own is what the server says of itself by hashes: features do not change once
// it runs, and neither does the content of forms.
type own struct {
	offer []byte   // both kinds of <c/>, for the stream features
	nodes []string // that answer for the hashes
}

// hashes makes both editions' hashes of the server's own information.
func (d *Disco) hashes() own {
	ver := d.ver()
	o := own{nodes: []string{d.node + "#" + ver}}
	// XEP-0115 §6.3
	o.offer = []byte("<c xmlns='" + nsCaps + "' hash='sha-1' node='" + d.node + "' ver='" + ver + "'/>")
	input, err := d.input()
	if err != nil {
		return o // a form of ours has no place in a hash; a test says that none has
	}
	// XEP-0390#usecases-stream-feature
	o.offer = append(o.offer, "<c xmlns='"+ecaps2.NS+"'>"...)
	for _, name := range ecaps2.Own() {
		hash := ecaps2.Hash(name, input)
		o.nodes = append(o.nodes, ecaps2.Node(name, hash))
		o.offer = append(o.offer, "<hash xmlns='"+ecaps2.NSHashes+"' algo='"+name+"'>"+hash+"</hash>"...)
	}
	o.offer = append(o.offer, "</c>"...)
	return o
}

// input is what the second edition hashes of the server's own information.
func (d *Disco) input() ([]byte, error) {
	answer := envelope(nsInfo, "", describe(d.router.Host().DiscoAt(core.Server), nil))
	e, err := xtok.Parse(answer, xtok.Limits{})
	if err != nil {
		return nil, err
	}
	return ecaps2.Input(e)
}

// offer tells the server's capabilities as stream features.
func (d *Disco) offer(st core.Stream) []byte {
	if st.Account().IsZero() {
		return nil
	}
	return d.own().offer
}

// ownNode answers the nodes that offer names.
func (d *Disco) ownNode(q *core.Query, node string) ([]byte, bool, error) {
	if !slices.Contains(d.own().nodes, node) {
		return nil, false, nil
	}
	return describe(d.router.Host().DiscoAt(core.Server), q), true, nil
}

// ver is the verification string of the server's own information
// (XEP-0115 §5.1).
func (d *Disco) ver() string {
	what := d.router.Host().DiscoAt(core.Server)
	var s strings.Builder
	ids := make([]string, 0, len(what.Identities))
	for _, i := range what.Identities {
		ids = append(ids, i.Category+"/"+i.Type+"/"+lang+"/"+i.Name)
	}
	slices.Sort(ids)
	for _, part := range slices.Concat(ids, features(what)) {
		s.WriteString(part + "<")
	}
	forms := make([]formPart, 0, len(what.Forms))
	for _, f := range what.Forms {
		forms = append(forms, part(f(nil)))
	}
	slices.SortFunc(forms, func(a, b formPart) int { return strings.Compare(a.of, b.of) })
	for _, f := range forms {
		s.WriteString(f.of + "<" + f.fields)
	}
	sum := sha1.Sum([]byte(s.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}
