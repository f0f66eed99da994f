package removal

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/xmppclient"
)

const patience = 20 * time.Second

// client is one device.
type client struct {
	*xmppclient.Conn
	t    *testing.T
	last *xmppclient.Node // what it read last
	n    int
}

func (p *place) login(name, resource string) *client {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	conn, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: p.Addr("c2s"), Domain: domain})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(conn.Kill)
	if err := conn.Login(ctx, name, password); err != nil {
		p.t.Fatal(err)
	}
	if err := conn.Bind(ctx, resource); err != nil {
		p.t.Fatal(err)
	}
	return &client{Conn: conn, t: p.t}
}

func (c *client) send(xml string) {
	c.t.Helper()
	if err := c.Send(xml); err != nil {
		c.t.Fatal(err)
	}
}

// until reads until something has come.
func (c *client) until(come func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		n, err := c.Next(ctx)
		if err != nil {
			c.t.Fatal(err)
		}
		if c.last = n; come() {
			return
		}
	}
}

// ask sends a request and returns its answer.
func (c *client) ask(kind, to, payload string) *xmppclient.Node {
	c.t.Helper()
	c.n++
	id := fmt.Sprint("q", c.n)
	if to != "" {
		to = " to='" + to + "'"
	}
	c.send("<iq type='" + kind + "' id='" + id + "'" + to + ">" + payload + "</iq>")
	c.until(func() bool { return c.last.Name.Local == "iq" && c.last.Attr("id") == id })
	return c.last
}

// set is an ask that must be granted.
func (c *client) set(to, payload string) *xmppclient.Node {
	c.t.Helper()
	n := c.ask("set", to, payload)
	if n.Attr("type") != "result" {
		c.t.Errorf("%.200s: %+v", payload, n.Children)
	}
	return n
}

// live lets the account do everything that leaves something.
func (p *place) live() {
	p.t.Helper()
	if err := p.Auth.Join(p.t.Context(), "Aztecs", gone); err != nil {
		p.t.Fatal(err)
	}
	bob, root := p.login("bob", "laptop"), p.login("root", "desk")
	bob.send("<presence/>")
	root.set(domain, "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#set-motd'>"+
		"<x xmlns='jabber:x:data' type='submit'><field var='motd'><value>Hello</value></field></x></command>")
	me := p.login(gone, "phone")
	me.send("<presence/>")
	me.until(func() bool { return me.last.Name.Local == "message" }) // of the day
	p.befriends(me, bob)
	p.writesDown(me)
	p.uploads(me)
	p.meets(me, bob)
	p.reported(me, bob)
	p.calls(me, bob)
	me.send("<presence type='unavailable'/>")
	me.ask("get", domain, "<ping xmlns='urn:xmpp:ping'/>")
	bob.send("<message to='" + gone + "@" + domain + "' type='chat' id='late'><body>where are you</body></message>")
	bob.ask("get", domain, "<ping xmlns='urn:xmpp:ping'/>")
	for _, c := range []*client{me, bob, root} {
		c.Kill()
	}
	p.await("the sessions to end", func() bool { return p.Router.Directory().Count() == 0 })
}

// befriends puts it into two rosters, one request into a third.
func (p *place) befriends(me, bob *client) {
	bob.ask("get", "", "<query xmlns='jabber:iq:roster'/>")
	me.ask("get", "", "<query xmlns='jabber:iq:roster'/>")
	me.send("<presence type='subscribe' to='bob@" + domain + "'/>")
	bob.until(func() bool { return bob.last.Attr("type") == "subscribe" })
	bob.send("<presence type='subscribed' to='" + gone + "@" + domain + "'/><presence type='subscribe' to='" + gone + "@" + domain + "'/>")
	me.until(func() bool { return me.last.Attr("type") == "subscribe" })
	me.send("<presence type='subscribed' to='bob@" + domain + "'/><presence type='subscribe' to='root@" + domain + "'/>")
	me.set("", "<query xmlns='jabber:iq:roster'><item jid='nobody@"+domain+"' name='"+marker+"'/></query>")
	me.send("<message to='bob@" + domain + "' type='chat'><body>hello</body></message>")
	bob.until(func() bool { return bob.last.Name.Local == "message" && bob.last.Attr("type") == "chat" })
	me.send("<message to='" + gone + "@" + domain + "' type='chat'><body>note to myself: " + marker + "</body></message>")
}

// writesDown fills what is the account's own.
func (p *place) writesDown(me *client) {
	note := "<note xmlns='urn:example:notes'>" + marker + "</note>"
	me.set("", "<vCard xmlns='vcard-temp'><FN>"+marker+"</FN></vCard>")
	me.set("", "<query xmlns='jabber:iq:private'>"+note+"</query>")
	me.set("", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:example:notes'><item id='1'>"+note+"</item></publish></pubsub>")
	me.set("", "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never><jid>enemy@"+domain+"</jid></never></prefs>")
	me.set("", "<privacy xmlns='urn:mirsal:privacy:0'><last-seen>everyone</last-seen></privacy>")
	me.set("", "<enable xmlns='urn:xmpp:push:0' jid='push."+domain+"' node='phone'><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"+
		"<field var='endpoint'><value>https://127.0.0.1:1/"+marker+"</value></field>"+
		"<field var='p256dh'><value>BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4</value></field>"+
		"<field var='auth'><value>BTBZMqHH6r4Tts7J_aSIgg</value></field></x></enable>")
	me.set(domain, "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/>")
}

// uploads leaves a file.
func (p *place) uploads(me *client) {
	body := strings.Repeat(marker, 10)
	n := me.ask("get", "upload."+domain, fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='%s.txt' size='%d'/>", marker, len(body)))
	slot := n.Child("urn:xmpp:http:upload:0", "slot")
	if slot == nil {
		p.t.Fatalf("no slot: %+v", n)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPut, slot.Child("urn:xmpp:http:upload:0", "put").Attr("url"), strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	to := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, p.Addr("http"))
	}
	web := &http.Client{Transport: &http.Transport{DialContext: to, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := web.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	web.CloseIdleConnections()
	if resp.StatusCode != http.StatusCreated {
		p.t.Error(resp.Status)
	}
}

// meets makes it the owner of one room and a member of another, and of nodes.
func (p *place) meets(me, bob *client) {
	room := func(c *client, name string) {
		at := name + "@conference." + domain
		c.send("<presence to='" + at + "/" + c.JID[:3] + "'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
		c.until(func() bool { return c.last.Name.Local == "message" && c.last.Attr("type") == "groupchat" })
		c.set(at, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+
			"<field var='muc#roomconfig_persistentroom'><value>1</value></field><field var='muc#roomconfig_membersonly'><value>1</value></field></x></query>")
	}
	room(me, "temple")
	room(bob, "market")
	bob.set("market@conference."+domain, "<query xmlns='http://jabber.org/protocol/muc#admin'><item jid='"+gone+"@"+domain+"' affiliation='member' nick='"+gone[:3]+"'/></query>")
	node := func(c *client, name string) {
		c.set("pubsub."+domain, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='"+name+"'/></pubsub>")
		c.set("pubsub."+domain, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+name+"'><item id='1'><note xmlns='urn:example:notes'>hello</note></item></publish></pubsub>")
	}
	node(me, "calendar-of-"+gone)
	node(bob, "prices")
	bob.set("pubsub."+domain, "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='prices'><affiliation jid='"+gone+"@"+domain+"' affiliation='publisher'/></affiliations></pubsub>")
	me.set("pubsub."+domain, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='prices'><item id='2'><note xmlns='urn:example:notes'>hello</note></item></publish></pubsub>")
	me.set("pubsub."+domain, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='prices' jid='"+gone+"@"+domain+"'/></pubsub>")
}

// reported lets it report somebody, and be reported.
func (p *place) reported(me, bob *client) {
	const report = "<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'><text>" + marker + "</text></report>"
	me.set("", "<block xmlns='urn:xmpp:blocking'><item jid='spam@"+domain+"'>"+report+"</item></block>")
	bob.set("", "<block xmlns='urn:xmpp:blocking'><item jid='"+gone+"@"+domain+"/toy'>"+report+"</item></block>")
}

// calls makes each of them a caller, and gives a call link away.
func (p *place) calls(me, bob *client) {
	me.set("", "<link xmlns='urn:mirsal:calls:0'/>")
	call := func(from, to *client, whom string) {
		from.send("<message to='" + whom + "@" + domain + "' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='call-" + whom + "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>")
		to.until(func() bool { return to.last.Child("urn:xmpp:jingle-message:0", "propose") != nil })
	}
	call(me, bob, "bob")
	call(bob, me, gone)
}

// comesBack makes an account of the same name, which gets none of what was.
func (p *place) comesBack() {
	p.t.Helper()
	if _, err := p.Auth.Add(p.t.Context(), gone, password); err != nil {
		p.t.Fatal(err)
	}
	me := p.login(gone, "phone")
	me.send("<presence/>")
	all := fmt.Sprint(dump(me.ask("get", "", "<query xmlns='jabber:iq:roster'/>")), dump(me.ask("get", "", "<vCard xmlns='vcard-temp'/>")),
		dump(me.ask("get", "", "<query xmlns='jabber:iq:private'><note xmlns='urn:example:notes'/></query>")),
		dump(me.ask("get", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:notes'/></pubsub>")),
		dump(me.ask("get", "", "<blocklist xmlns='urn:xmpp:blocking'/>")), dump(me.ask("get", "", "<prefs xmlns='urn:xmpp:mam:2'/>")))
	for _, old := range []string{marker, "bob@", "root@", "spam@", "enemy@", "nobody@"} {
		if strings.Contains(all, old) {
			p.t.Errorf("it has %q of the former account: %s", old, all)
		}
	}
	for _, row := range p.rows() { // the message of the day is told to everybody
		if !strings.Contains(string(row.Body), "from='"+domain+"'") {
			p.t.Errorf("it has an archive: %s", row.Body)
		}
	}
	if n := me.ask("get", "upload."+domain, "<quota xmlns='urn:mirsal:quota:0'/>"); !strings.Contains(dump(n), "used:0") {
		p.t.Error("it has files:", dump(n))
	}
	me.send("<presence to='market@conference." + domain + "/new'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	me.until(func() bool { return strings.HasPrefix(me.last.Attr("from"), "market@") })
	if me.last.Attr("type") != "error" {
		p.t.Error("it is a member of the room:", dump(me.last))
	}
	me.Kill()
}

// dump is a node as text: names, attributes, text.
func dump(n *xmppclient.Node) string {
	b := n.Name.Local + "["
	for _, a := range n.Attrs {
		if a.Name.Local != "to" && a.Name.Local != "from" && a.Name.Local != "id" {
			b += a.Name.Local + ":" + a.Value + " "
		}
	}
	b += "]" + strings.TrimSpace(n.Text)
	for _, c := range n.Children {
		b += dump(c)
	}
	return b
}
