package pubsub

import (
	"slices"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
)

// try is a request, by the owner or by bob, and what its answer, or what anybody
// is then sent, has in it; or has not, behind an exclamation mark.
type try struct {
	byBob         bool
	kind, payload string
	want          string
}

func made(node string, options ...string) try {
	return try{false, "set", ps("<create node='" + node + "'/><configure>" + submit(nsConfig, options...) + "</configure>"), "type='result'"}
}

func putItem(node, id string) try {
	return try{false, "set", ps("<publish node='" + node + "'><item id='" + id + "'>" + tune + "</item></publish>"), "<item id='" + id + "'/>"}
}

func affiliate(node, what, want string) try {
	return try{false, "set", owner("<affiliations node='" + node + "'><affiliation jid='bob@example.org' affiliation='" + what + "'/></affiliations>"), want}
}

func sub(node, want string) try {
	return try{true, "set", ps("<subscribe node='" + node + "' jid='bob@example.org/b'/>"), want}
}

func bobs(node, want string) try { return try{true, "get", get(node, ""), want} }

func mine(payload, want string) try { return try{false, "get", payload, want} }

func reconfigured(node string, options ...string) try {
	return try{false, "set", owner2(node, options...), "type='result'"}
}

const toBob = "to='bob@example.org/b' "

// told is a publication, and who is told of it.
func told(node, want string) try {
	return try{false, "set", ps("<publish node='" + node + "'><item id='j'>" + tune + "</item></publish>"), want}
}

// proofs show that what is advertised works, by the feature's name. bob is a contact
// in the group Friends, who is interested in the node "noted" and no other; carol is
// as interested, and a stranger.
var proofs = map[string][]try{
	"access-open":              {made("n", "access_model", "open"), bobs("n", "type='result'")},
	"access-presence":          {made("n", "access_model", "presence"), bobs("n", "type='result'")},
	"access-roster":            {made("n", "access_model", "roster", "roster_groups_allowed", "Friends"), bobs("n", "type='result'")},
	"access-whitelist":         {made("n", "access_model", "whitelist"), bobs("n", "closed-node"), affiliate("n", affMember, "result"), bobs("n", "type='result'")},
	"access-authorize":         {made("n", "access_model", "authorize"), sub("n", "subscription='pending'")},
	"auto-create":              {putItem("n", "i"), mine(get("n", ""), "<item id='i'")},
	"config-node":              {made("n"), reconfigured("n", "title", "T"), mine(owner("<configure node='n'/>"), "<value>T</value>")},
	"config-node-max":          {made("n", "max_items", "max", "item_expire", "max"), mine(owner("<configure node='n'/>"), "<value>max</value>")},
	"create-and-configure":     {made("n", "title", "T"), mine(owner("<configure node='n'/>"), "<value>T</value>")},
	"create-nodes":             {made("n"), mine(owner("<configure node='n'/>"), "type='result'")},
	"delete-items":             {made("n"), putItem("n", "i"), {false, "set", ps("<retract node='n'><item id='i'/></retract>"), "type='result'"}, mine(get("n", ""), "<items node='n'></items>")},
	"retract-items":            {made("n", "access_model", "open"), putItem("n", "i"), sub("n", "subscribed"), {false, "set", ps("<retract node='n' notify='1'><item id='i'/></retract>"), "<retract id='i'/>"}},
	"delete-nodes":             {made("n"), {false, "set", owner("<delete node='n'/>"), "type='result'"}, mine(get("n", ""), "item-not-found")},
	"instant-nodes":            {{false, "set", ps("<create/>"), "<create node='"}},
	"item-ids":                 {made("n"), {false, "set", ps("<publish node='n'><item>" + tune + "</item></publish>"), "<item id='"}},
	"manage-subscriptions":     {made("n", "access_model", "open"), sub("n", "subscribed"), {false, "set", owner("<subscriptions node='n'><subscription jid='bob@example.org/b' subscription='none'/></subscriptions>"), "type='result'"}, mine(owner("<subscriptions node='n'/>"), "<subscriptions node='n'></subscriptions>")},
	"member-affiliation":       {made("n"), affiliate("n", affMember, "type='result'"), mine(owner("<affiliations node='n'/>"), "affiliation='member'")},
	"outcast-affiliation":      {made("n", "access_model", "open"), affiliate("n", affOutcast, "type='result'"), bobs("n", "<forbidden")},
	"publisher-affiliation":    {made("n"), affiliate("n", affPublisher, "type='result'"), {true, "set", ps("<publish node='n'><item id='i'>" + tune + "</item></publish>"), "type='result'"}},
	"publish-only-affiliation": {made("n"), affiliate("n", affPublishOnly, "type='result'"), {true, "set", ps("<publish node='n'><item id='i'>" + tune + "</item></publish>"), "type='result'"}, bobs("n", "<forbidden")},
	"meta-data":                {made("n", "title", "T"), mine("<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>", "pubsub#creation_date")},
	"modify-affiliations":      {made("n"), affiliate("n", affMember, "type='result'"), affiliate("n", affNone, "type='result'"), mine(owner("<affiliations node='n'/>"), "type='result'")},
	"multi-items":              {made("n", "max_items", "2"), putItem("n", "i"), putItem("n", "j"), mine(get("n", ""), "<item id='i'")},
	"persistent-items":         {made("n", "persist_items", "1"), putItem("n", "i"), mine(get("n", ""), "<item id='i'")},
	"publish":                  {made("n"), putItem("n", "i")},
	"publish-options":          {made("n"), {false, "set", ps("<publish node='n'><item id='i'>" + tune + "</item></publish>" + optionsForm([]string{"access_model", "whitelist"})), "precondition-not-met"}},
	"purge-nodes":              {made("n"), putItem("n", "i"), {false, "set", owner("<purge node='n'/>"), "type='result'"}, mine(get("n", ""), "<items node='n'></items>")},
	"retrieve-affiliations":    {made("n"), mine(ps("<affiliations/>"), "<affiliation node='n' affiliation='owner'/>")},
	"retrieve-default":         {mine(owner("<default/>"), "pubsub#max_items")},
	"retrieve-items":           {made("n"), putItem("n", "i"), mine(get("n", "<item id='i'/>"), "<item id='i'")},
	"retrieve-subscriptions":   {made("n", "access_model", "open"), sub("n", "subscribed"), {true, "get", ps("<subscriptions/>"), "<subscription node='n'"}},
	"rsm":                      {made("n", "max_items", "9"), putItem("n", "i"), putItem("n", "j"), mine(strings.Replace(get("n", ""), "</pubsub>", "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></pubsub>", 1), "<count>2</count>")},
	"subscribe":                {made("n", "access_model", "open"), sub("n", "subscription='subscribed'"), {false, "set", ps("<publish node='n'><item id='i'>" + tune + "</item></publish>"), "<event "}},
	"subscription-notifications": {made("n", "access_model", "open"), sub("n", "subscribed"),
		{false, "set", owner("<subscriptions node='n'><subscription jid='bob@example.org/b' subscription='none'/></subscriptions>"), "<subscription node='n' jid='bob@example.org/b' subscription='none'/></event>"}},
	// of accounts
	"auto-subscribe": {made("noted"), putItem("noted", "i"), mine(owner("<subscriptions node='noted'/>"), "<subscriptions node='noted'></subscriptions>"),
		told("noted", toBob)},
	"filtered-notifications": {made("other", "access_model", "open"), made("noted", "access_model", "open"), told("other", "!"+toBob), told("noted", toBob)},
	"presence-subscribe":     {made("noted", "access_model", "open"), told("noted", toBob), told("noted", "!to='carol@")},
	"last-published":         {made("noted", "access_model", "open"), putItem("noted", "i"), sub("noted", "<item id='i'")},
}

func TestWhatIsAdvertisedWorks(t *testing.T) {
	for _, where := range []string{"alice@example.org", site} {
		var advertised []string
		withService(t, func(w *parts, _ *component) {
			at := core.Account
			w.Host.Sites(func(s *core.Site) {
				if s.Name.String() == where {
					at = s.Host
				}
			})
			for _, f := range w.Host.DiscoAt(at).Features {
				if name, ok := strings.CutPrefix(f, nsPubsub+"#"); ok {
					advertised = append(advertised, name)
				}
			}
		})
		slices.Sort(advertised)
		for _, name := range slices.Compact(advertised) {
			if proofs[name] == nil {
				t.Errorf("%s advertises %s, which nothing shows to work", where, name)
			}
			t.Run(where+"/"+name, func(t *testing.T) { proves(t, where, proofs[name]) })
		}
	}
}

func proves(t *testing.T, where string, tries []try) {
	withService(t, func(w *parts, _ *component) {
		w.befriend(alice, bob)
		a, b, c := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "noted"), w.online("carol@example.org/c", "noted")
		ask(a, iq("set", "", "<query xmlns='jabber:iq:roster'><item jid='bob@example.org'><group>Friends</group></item></query>"))
		for _, try := range tries {
			a.Got()
			b.Got()
			c.Got()
			by := map[bool]*coretest.Client{false: a, true: b}[try.byBob]
			by.Send(iq(try.kind, where, try.payload))
			want, not := strings.CutPrefix(try.want, "!")
			if got := a.Got() + b.Got() + c.Got(); strings.Contains(got, want) == not {
				t.Errorf("%s: want %q in %.1500s", try.payload, try.want, got)
			}
		}
	})
}
