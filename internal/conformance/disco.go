package conformance

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/xtok"
)

// info is an answer to disco#info.
type info struct {
	query      xtok.Elem
	features   map[string]bool
	identities []identity
	forms      []form.Form
}

type identity struct{ category, kind, lang, name string }

// has tells whether a feature is announced; of no answer nothing is.
func (i *info) has(feature string) bool { return i != nil && i.features[feature] }

func (i *info) is(category, kind string) bool {
	return i != nil && slices.ContainsFunc(i.identities, func(d identity) bool { return d.category == category && (kind == "" || d.kind == kind) })
}

// form is the extension with a FORM_TYPE, or nil.
func (i *info) form(of string) *form.Form {
	if i == nil {
		return nil
	}
	for n := range i.forms {
		if i.forms[n].Of == of {
			return &i.forms[n]
		}
	}
	return nil
}

// service is one of the server's items.
type service struct {
	jid  string
	info *info
}

// ask for what an address is, at a node when that is not empty.
func (e *exam) info(ctx context.Context, to, node string) (*info, error) {
	attr := ""
	if node != "" {
		attr = " node='" + esc(node) + "'"
	}
	answer, err := e.a.get(ctx, to, "<query xmlns='"+nsInfo+"'"+attr+"/>")
	if err != nil {
		return nil, err
	}
	return readInfo(answer.Child(nsInfo, "query")), nil
}

func readInfo(q xtok.Elem) *info {
	i := &info{query: q, features: map[string]bool{}}
	for c := range q.Children() {
		switch {
		case c.Is(nsInfo, "feature"):
			i.features[c.Attr("var")] = true
		case c.Is(nsInfo, "identity"):
			i.identities = append(i.identities, identity{c.Attr("category"), c.Attr("type"), c.AttrNS(xtok.NSXML, "lang"), c.Attr("name")})
		case c.Is(form.NS, "x"):
			if f, err := form.Read(c); err == nil {
				i.forms = append(i.forms, f)
			}
		}
	}
	return i
}

// tryDisco asks the server, the account and the services what they are.
func (e *exam) tryDisco(ctx context.Context) {
	var err error
	if e.server, err = e.info(ctx, e.account.Domain(), ""); err != nil {
		e.missing("core.disco", "asking the server what it is %s", reason(err))
		return
	}
	e.own, err = e.info(ctx, e.account.String(), "")
	items, itemsErr := e.items(ctx)
	switch {
	case err != nil:
		e.partly("core.disco", "the server answers, but asking the own account %s", reason(err))
	case itemsErr != nil:
		e.partly("core.disco", "the server answers, but asking for its services %s", reason(itemsErr))
	case !e.server.is("server", "im"):
		e.partly("core.disco", "the server does not say that it is one (no identity server/im)")
	case !e.server.has(nsInfo):
		e.partly("core.disco", "the server does not announce disco#info itself")
	default:
		e.works("core.disco", "%d features of the server, %d of the account, %d %s", len(e.server.features), len(e.own.features), len(items), plural(len(items), "service"))
	}
	for _, to := range items {
		if i, err := e.info(ctx, to, ""); err == nil {
			e.services = append(e.services, service{to, i})
		}
	}
	e.tryCaps(ctx)
	e.tryCaps2(ctx)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// mostItems is how many services are asked what they are.
const mostItems = 40

func (e *exam) items(ctx context.Context) (list []string, err error) {
	answer, err := e.a.get(ctx, e.account.Domain(), "<query xmlns='"+nsItems+"'/>")
	if err != nil {
		return nil, err
	}
	for c := range answer.Child(nsItems, "query").Children() {
		if j := c.Attr("jid"); j != "" && j != e.account.Domain() && c.Attr("node") == "" && len(list) < mostItems && !slices.Contains(list, j) {
			list = append(list, j)
		}
	}
	return list, nil
}

// find is the first service for which ok holds, the server itself included.
func (e *exam) service(ok func(*info) bool) *service {
	for i := range e.services {
		if ok(e.services[i].info) {
			return &e.services[i]
		}
	}
	if e.server != nil && ok(e.server) {
		return &service{e.account.Domain(), e.server}
	}
	return nil
}

// tryCaps makes the hash of the server's capabilities anew.
// XEP-0115 §5.4
func (e *exam) tryCaps(ctx context.Context) {
	const key = "core.caps"
	c := e.a.w.features.Child(nsCaps, "c")
	if !c.OK() {
		e.missing(key, "no capabilities in the stream features")
		return
	}
	i, err := e.info(ctx, e.account.Domain(), c.Attr("node")+"#"+c.Attr("ver"))
	switch {
	case err != nil:
		e.broken(key, true, "asking about the hash", err)
	case !c.AttrIs("hash", "sha-1"):
		e.partly(key, "the hash is by %s, where sha-1 is what everybody knows", orDash(c.Attr("hash")))
	case capsHash(i) != c.Attr("ver"):
		e.missing(key, "the hash does not match what the server answers, so clients ignore it")
	default:
		e.works(key, "in the stream features, and its hash is right")
	}
}

// tryCaps2 does the same for XEP-0390.
func (e *exam) tryCaps2(ctx context.Context) {
	const key = "beyond.caps2"
	set := e.a.w.features.Child(ecaps2.NS, "c")
	if !set.OK() {
		e.missing(key, "not in the stream features")
		return
	}
	var right []string
	for h := range set.Children() {
		algo, want := h.Attr("algo"), strings.TrimSpace(h.Text())
		i, err := e.info(ctx, e.account.Domain(), ecaps2.Node(algo, want))
		if err != nil {
			continue
		}
		if input, err := ecaps2.Input(i.query); err == nil && ecaps2.Hash(algo, input) == want {
			right = append(right, algo)
		}
	}
	if len(right) == 0 {
		e.missing(key, "announced, but no hash of it is right")
		return
	}
	e.works(key, "right by %s", strings.Join(right, ", "))
}

// capsHash is the verification string of an answer.
// XEP-0115 §5.1
func capsHash(i *info) string {
	var b strings.Builder
	var ids []string
	for _, d := range i.identities {
		ids = append(ids, d.category+"/"+d.kind+"/"+d.lang+"/"+d.name)
	}
	// sorted before the < goes behind them, which would change the order
	for _, list := range [][]string{slices.Sorted(slices.Values(ids)), slices.Sorted(maps.Keys(i.features))} {
		for _, s := range list {
			b.WriteString(s + "<")
		}
	}
	forms := slices.Clone(i.forms)
	slices.SortFunc(forms, func(a, b form.Form) int { return strings.Compare(a.Of, b.Of) })
	for _, f := range forms {
		if f.Of != "" {
			capsForm(&b, f)
		}
	}
	sum := sha1.Sum([]byte(b.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func capsForm(b *strings.Builder, f form.Form) {
	b.WriteString(f.Of + "<")
	fields := slices.Clone(f.Fields)
	slices.SortFunc(fields, func(a, b form.Field) int { return strings.Compare(a.Var, b.Var) })
	for _, field := range fields {
		b.WriteString(field.Var + "<")
		for _, v := range slices.Sorted(slices.Values(field.Values)) {
			b.WriteString(v + "<")
		}
	}
}

// ownInfo is what a session of ours answers to disco#info.
func ownInfo(features []string) string {
	s := "<identity category='client' type='console' name='mirsal conformance'/>"
	for _, f := range features {
		s += "<feature var='" + esc(f) + "'/>"
	}
	return s
}

// ownCaps names that, by both editions of capabilities.
func ownCaps(features []string) string {
	q, err := xtok.Parse([]byte("<query xmlns='"+nsInfo+"'>"+ownInfo(features)+"</query>"), xtok.Limits{})
	if err != nil {
		panic(fmt.Sprintf("conformance: own capabilities: %v", err))
	}
	s := "<c xmlns='" + nsCaps + "' hash='sha-1' node='urn:mirsal:conformance' ver='" + capsHash(readInfo(q)) + "'/>"
	if input, err := ecaps2.Input(q); err == nil {
		sum := sha256.Sum256(input)
		s += "<c xmlns='" + ecaps2.NS + "'><hash xmlns='" + ecaps2.NSHashes + "' algo='sha-256'>" + base64.StdEncoding.EncodeToString(sum[:]) + "</hash></c>"
	}
	return s
}
