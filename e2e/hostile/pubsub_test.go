package hostile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	deviceNode = "eu.siacs.conversations.axolotl.devicelist"
	bundleNode = "eu.siacs.conversations.axolotl.bundles:1"
	nsPubsub   = "http://jabber.org/protocol/pubsub"
	pubsubSite = "pubsub." + mirsal.Domain
)

// TestPubsubAttacks is what one account may try on the keys and nodes of another.
func TestPubsubAttacks(t *testing.T) {
	v := attack(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"39 another's device list", testOthersDeviceList},
		{"39 access flipped by a publication", testAccessFlipped},
		{"39 two devices at once", testListsAtOnce},
		{"39 ten thousand devices", testManyDevices},
		{"39 bundles of any size", testBundles},
		{"39 another id than the usual", testOtherItemID},
		{"39 another's node at the service", testOthersServiceNode},
		{"42 questions to a node", testNodeQueries},
		{"58 more nodes than one may have", testManyNodes},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

func pubsub(content string) string {
	return "<pubsub xmlns='" + nsPubsub + "'>" + content + "</pubsub>"
}

func owned(content string) string {
	return "<pubsub xmlns='" + nsPubsub + "#owner'>" + content + "</pubsub>"
}

// nodeForm is a form of names without pubsub# and of values.
func nodeForm(of string, pairs ...string) string {
	b := field("FORM_TYPE", nsPubsub+"#"+of)
	for i := 0; i < len(pairs); i += 2 {
		b += field("pubsub#"+pairs[i], pairs[i+1])
	}
	return "<x xmlns='jabber:x:data' type='submit'>" + b + "</x>"
}

func published(node, id, payload string, options ...string) string {
	b := "<publish node='" + node + "'><item id='" + id + "'>" + payload + "</item></publish>"
	if len(options) > 0 {
		b += "<publish-options>" + nodeForm("publish-options", options...) + "</publish-options>"
	}
	return pubsub(b)
}

func deviceList(ids ...string) string {
	return "<list xmlns='eu.siacs.conversations.axolotl'><device id='" + strings.Join(ids, "'/><device id='") + "'/></list>"
}

// itemsOf is what a node holds, as somebody is told.
func itemsOf(t *testing.T, c *xmppclient.Conn, to, node string) string {
	t.Helper()
	return ask(t, c, "get", to, pubsub("<items node='"+node+"'/>")).String()
}

// succeeds fails the test where a request is refused.
func succeeds(t *testing.T, c *xmppclient.Conn, to, payload string) {
	t.Helper()
	if n := ask(t, c, "set", to, payload); n.Attr("type") != "result" {
		t.Fatalf("%.200s: %s", payload, n)
	}
}

// meddling is all that would change a node.
func meddling(node string) []string {
	return []string{
		published(node, "current", deviceList("666")),
		published(node, "current", deviceList("666"), "access_model", "open"),
		pubsub("<retract node='" + node + "'><item id='current'/></retract>"),
		pubsub("<create node='" + node + "'/>"),
		owned("<delete node='" + node + "'/>"), owned("<purge node='" + node + "'/>"),
		owned("<configure node='" + node + "'>" + nodeForm("node_config", "access_model", "whitelist") + "</configure>"),
		owned("<affiliations node='" + node + "'><affiliation jid='" + bare("mallory") + "' affiliation='owner'/></affiliations>"),
		owned("<subscriptions node='" + node + "'><subscription jid='" + bare("mallory") + "' subscription='subscribed'/></subscriptions>"),
	}
}

// Only the owner publishes to an account, and manages what is there.
func testOthersDeviceList(t *testing.T, v *victim) {
	witness, mallory := v.available(t, "witness"), v.connect(t, "mallory")
	succeeds(t, witness, "", published(deviceNode, "current", deviceList("1"), "access_model", "open"))
	before := itemsOf(t, mallory, bare("witness"), deviceNode)
	for _, m := range meddling(deviceNode) {
		if n := ask(t, mallory, "set", bare("witness"), m); refusal(n) == "" {
			t.Errorf("%.200s: %s", m, n)
		}
	}
	if got := passed(t, mallory, witness); len(got) != 0 {
		t.Errorf("the owner was sent %v", got)
	}
	if after := itemsOf(t, mallory, bare("witness"), deviceNode); after != before || !strings.Contains(after, "id='1'") {
		t.Errorf("the list was %s, and is %s", before, after)
	}
}

// What a publication demands of a node never changes the node, whoever demands it.
func testAccessFlipped(t *testing.T, v *victim) {
	witness, mallory := v.connect(t, "witness"), v.connect(t, "mallory")
	for _, to := range []string{"", pubsubSite} {
		succeeds(t, witness, to, published("private", "current", deviceList("1"), "access_model", "whitelist"))
		n := ask(t, witness, "set", to, published("private", "current", deviceList("2"), "access_model", "open"))
		if refusal(n) != "conflict" || !strings.Contains(n.String(), "precondition-not-met") {
			t.Errorf("another access model: %s", n)
		}
		for _, option := range []string{"publish_model", "persist_items", "max_items", "unheard_of"} {
			if n := ask(t, witness, "set", to, published("private", "current", deviceList("2"), option, "open")); refusal(n) != "conflict" {
				t.Errorf("%s: %s", option, n)
			}
		}
		if to == "" {
			to = bare("witness")
		}
		if got := itemsOf(t, mallory, to, "private"); strings.Contains(got, "device") {
			t.Errorf("mallory reads %s", got)
		}
	}
}

// Two devices that publish at once are both told of both lists, in one order, the
// last of which is what is kept.
func testListsAtOnce(t *testing.T, v *victim) {
	one, two, reader := v.available(t, "witness"), v.available(t, "witness"), v.available(t, "witness")
	passed(t, two, one)
	passed(t, reader, one)
	passed(t, reader, two)
	subscribe := pubsub("<subscribe node='" + deviceNode + "' jid='" + bare("witness") + "'/>")
	succeeds(t, reader, "", subscribe)
	const rounds = 20
	for i := range rounds {
		say(t, one, fmt.Sprintf("<iq type='set' id='p'>%s</iq>", published(deviceNode, "current", deviceList("1", fmt.Sprint(100+i)))))
		say(t, two, fmt.Sprintf("<iq type='set' id='p'>%s</iq>", published(deviceNode, "current", deviceList("2", fmt.Sprint(100+i)))))
	}
	heard := func(c *xmppclient.Conn) (list []string) {
		for len(list) < 2*rounds {
			if n := next(t, c); holds(n, "eu.siacs.conversations.axolotl", "list") && n.Attr("id") != "" && strings.HasPrefix(n.Attr("id"), "e") {
				list = append(list, n.String()[strings.Index(n.String(), "<list"):])
			}
		}
		return list
	}
	first := heard(one)
	for _, c := range []*xmppclient.Conn{two, reader} {
		if got := heard(c); fmt.Sprint(got) != fmt.Sprint(first) {
			t.Errorf("one heard %v, another %v", first, got)
		}
	}
	last := first[len(first)-1]
	if got := itemsOf(t, reader, "", deviceNode); strings.Count(got, "<list") != 1 || !strings.Contains(got, last[:strings.Index(last, "</list>")]) {
		t.Errorf("the last list was %s, kept is %s", last, got)
	}
	succeeds(t, reader, "", strings.Replace(subscribe, "<subscribe", "<unsubscribe", 1))
}

// A list of more devices than anybody has is refused: all who write to its owner
// would fetch a bundle for each.
func testManyDevices(t *testing.T, v *victim) {
	mallory := v.connect(t, "mallory")
	succeeds(t, mallory, "", published(deviceNode, "current", deviceList("1"), "access_model", "open"))
	var ids []string
	for i := range 10_000 {
		ids = append(ids, fmt.Sprint(i))
	}
	if n := ask(t, mallory, "set", "", published(deviceNode, "current", deviceList(ids[:5000]...))); refusal(n) != "not-acceptable" {
		t.Errorf("5,000 devices: %.300s", n)
	}
	// more elements than a stanza may have end the stream
	go func() {
		_ = mallory.Raw("<iq type='set' id='many'>" + published(deviceNode, "current", deviceList(ids...)) + "</iq>")
	}()
	refused(t, "10,000 devices", mallory.Net(), "policy-violation")
	if got := itemsOf(t, v.connect(t, "mallory"), "", deviceNode); strings.Count(got, "<device") != 1 {
		t.Errorf("the list is %.300s", got)
	}
}

func bundle(prekeys int) string {
	var b strings.Builder
	b.WriteString("<bundle xmlns='eu.siacs.conversations.axolotl'><prekeys>")
	for i := range prekeys {
		fmt.Fprintf(&b, "<preKeyPublic preKeyId='%d'>A</preKeyPublic>", i)
	}
	return b.String() + "</prekeys></bundle>"
}

// A bundle is its owner's business, but for its size. What is too large for a stanza ends
// the sender's stream and changes nothing.
func testBundles(t *testing.T, v *victim) {
	mallory, reader := v.connect(t, "mallory"), v.connect(t, "witness")
	for _, prekeys := range []int{0, 1, 100} {
		succeeds(t, mallory, "", published(bundleNode, "current", bundle(prekeys), "access_model", "open"))
		if got := itemsOf(t, reader, bare("mallory"), bundleNode); strings.Count(got, "<preKeyPublic") != prekeys {
			t.Errorf("of %d prekeys: %.300s", prekeys, got)
		}
	}
	if n := ask(t, mallory, "set", "", published(bundleNode, "current", bundle(4_500))); refusal(n) != "not-acceptable" {
		t.Errorf("4,500 prekeys: %.300s", n)
	}
	// the server stops reading before the end
	go func() {
		_ = mallory.Raw("<iq type='set' id='huge'>" + published(bundleNode, "current", bundle(1_000_000)) + "</iq>")
	}()
	refused(t, "a million prekeys", mallory.Net(), "policy-violation")
	if got := itemsOf(t, reader, bare("mallory"), bundleNode); strings.Count(got, "<preKeyPublic") != 100 {
		t.Errorf("the bundle is %.300s", got)
	}
}

// A list under another id takes the place of the one that was there: nobody is shown
// two of which he cannot tell which counts.
func testOtherItemID(t *testing.T, v *victim) {
	mallory, reader := v.connect(t, "mallory"), v.connect(t, "witness")
	for _, id := range []string{"current", "other", "' OR '1'='1", "&lt;/item&gt;"} {
		succeeds(t, mallory, "", published(deviceNode, strings.ReplaceAll(id, "'", "&apos;"), deviceList("7")))
		if got := itemsOf(t, reader, bare("mallory"), deviceNode); strings.Count(got, "<item ") != 1 {
			t.Errorf("with id %s: %s", id, got)
		}
	}
}

// A node at the service belongs to who made it.
func testOthersServiceNode(t *testing.T, v *victim) {
	witness, mallory := v.connect(t, "witness"), v.connect(t, "mallory")
	succeeds(t, witness, pubsubSite, published("list", "current", deviceList("1")))
	before := itemsOf(t, mallory, pubsubSite, "list")
	for _, m := range meddling("list") {
		if n := ask(t, mallory, "set", pubsubSite, m); refusal(n) == "" {
			t.Errorf("%.200s: %s", m, n)
		}
	}
	for _, who := range []string{witness.JID, bare("witness"), "x@elsewhere.example"} {
		if n := ask(t, mallory, "set", pubsubSite, pubsub("<subscribe node='list' jid='"+who+"'/>")); refusal(n) != "bad-request" {
			t.Errorf("subscribed %s: %s", who, n)
		}
	}
	// one's own node is no means to send others what they did not want
	succeeds(t, mallory, pubsubSite, pubsub("<create node='spam'/>"))
	forced := owned("<subscriptions node='spam'><subscription jid='" + bare("witness") + "' subscription='subscribed'/></subscriptions>")
	if n := ask(t, mallory, "set", pubsubSite, forced); refusal(n) != "not-acceptable" {
		t.Errorf("subscribed another: %s", n)
	}
	if after := itemsOf(t, mallory, pubsubSite, "list"); after != before {
		t.Errorf("the node was %s, and is %s", before, after)
	}
}

// Whatever is asked of a node, by whatever page, is answered in bounds or refused.
func testNodeQueries(t *testing.T, v *victim) {
	witness, mallory := v.connect(t, "witness"), v.connect(t, "mallory")
	succeeds(t, witness, pubsubSite, published("paged", "secret", deviceList("4242"), "access_model", "whitelist"))
	succeeds(t, mallory, pubsubSite, published("mallorys", "a", deviceList("1")))
	var asks []string
	for _, bad := range injections {
		e := escaped(bad)
		for _, name := range []string{"max", "after", "before", "index"} {
			asks = append(asks, pubsub("<items node='mallorys'/><set xmlns='http://jabber.org/protocol/rsm'><"+name+">"+e+"</"+name+"></set>"))
		}
		quoted := strings.ReplaceAll(e, "'", "&apos;")
		asks = append(asks, pubsub("<items node='"+quoted+"'/>"), pubsub("<items node='mallorys' max_items='"+quoted+"'/>"),
			pubsub("<items node='mallorys'><item id='"+quoted+"'/></items>"), owned("<configure node='"+quoted+"'/>"),
			pubsub("<subscriptions node='"+quoted+"'/>"), "<query xmlns='http://jabber.org/protocol/disco#items' node='"+quoted+"'/>")
	}
	for _, max := range []string{"0", "-1", "2147483648", "99999999999999999999"} {
		asks = append(asks, pubsub("<items node='mallorys'/><set xmlns='http://jabber.org/protocol/rsm'><max>"+max+"</max><before/></set>"))
	}
	for _, to := range []string{pubsubSite, bare("witness"), ""} {
		for _, a := range asks {
			n := ask(t, mallory, "get", to, a)
			if s := n.String(); refusal(n) == "internal-server-error" || strings.Contains(s, "4242") {
				t.Errorf("%.200s: %.300s", a, s)
			}
		}
	}
	if got := itemsOf(t, mallory, pubsubSite, "mallorys"); !strings.Contains(got, "<device id='1'") {
		t.Errorf("mallory's own: %s", got)
	}
}

// Who makes nodes without end is stopped, and nobody else is.
func testManyNodes(t *testing.T, v *victim) {
	sloth, witness := v.connect(t, "sloth"), v.connect(t, "witness")
	made := 0
	for until := time.Now().Add(patience); ; made++ {
		n := ask(t, sloth, "set", pubsubSite, pubsub("<create/>"))
		if refusal(n) == "resource-constraint" {
			break
		}
		if n.Attr("type") != "result" || made > 1000 || time.Now().After(until) {
			t.Fatalf("after %d nodes: %s", made, n)
		}
	}
	succeeds(t, witness, pubsubSite, pubsub("<create/>"))
}
