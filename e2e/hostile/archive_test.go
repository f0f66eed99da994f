package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// field is a field of a question to the archive.
func field(name, value string) string {
	return "<field var='" + escaped(name) + "'><value>" + escaped(value) + "</value></field>"
}

// archiveQuery is a question to the archive.
func archiveQuery(fields, paging string) string {
	return "<query xmlns='urn:xmpp:mam:2' queryid='q'><x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", "urn:xmpp:mam:2") + fields + "</x>" +
		"<set xmlns='http://jabber.org/protocol/rsm'>" + paging + "</set></query>"
}

// injections are what databases must take for text.
var injections = []string{
	"' OR '1'='1", "'; DROP TABLE payload; --", `" OR ""="`, "1) UNION SELECT * FROM account --", "%", "_", "\\", "x'0", "/*", "*/", "0x00", strings.Repeat("A", 22), strings.Repeat("'", 5000),
}

// Whatever is asked, one's own archive answers, in bounds, or an error does.
func testArchiveQueries(t *testing.T, v *victim) {
	friend, mallory := v.connect(t, "friend"), v.connect(t, "mallory")
	say(t, friend, "<message type='chat' to='"+bare("witness")+"'><body>between two</body></message>")
	say(t, mallory, "<message type='chat' to='"+bare("carol")+"'><body>mallory's own</body></message>")
	passed(t, friend, friend)
	var questions []string
	for _, bad := range injections {
		for _, name := range []string{"with", "start", "end", "before-id", "after-id", "ids", "include-groupchat", "FORM_TYPE", bad} {
			questions = append(questions, archiveQuery(field(name, bad), ""))
		}
		for _, name := range []string{"max", "after", "before", "index", "count", "first", "last"} {
			questions = append(questions, archiveQuery("", "<"+name+">"+escaped(bad)+"</"+name+">"))
		}
		questions = append(questions, "<query xmlns='urn:xmpp:mam:2' node='"+escaped(bad)+"'/>", "<query xmlns='urn:xmpp:mam:2' queryid='"+escaped(bad)+"'/>")
	}
	for _, max := range []string{"0", "-1", "2147483648", "99999999999999999999", "1e3", " 5 ", ""} {
		questions = append(questions, archiveQuery("", "<max>"+max+"</max>"), archiveQuery("", "<max>"+max+"</max><before/>"))
	}
	for _, stamp := range []string{"99999-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "-2000-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "now"} {
		questions = append(questions, archiveQuery(field("start", stamp)+field("end", "2001-01-01T00:00:00Z"), ""), archiveQuery(field("end", stamp), ""))
	}
	for _, with := range []string{bare("friend"), bare("witness"), bare("witness") + "/x", mirsal.Domain, "@", ""} {
		questions = append(questions, archiveQuery(field("with", with), ""))
	}
	for _, q := range questions {
		before, n := mallorysPage(t, mallory, q)
		if len(before) > 250 || n.Attr("type") == "error" && refusal(n) == "internal-server-error" {
			t.Errorf("%.200s: %d results, %s", q, len(before), n)
		}
		for _, r := range before {
			if s := r.String(); strings.Contains(s, "between two") || r.Attr("from") != bare("mallory") {
				t.Errorf("%.200s: %s", q, s)
			}
		}
	}
	for _, to := range []string{bare("friend"), bare("witness"), bare("nobody77"), mirsal.Domain} {
		if n := ask(t, mallory, "set", to, archiveQuery("", "")); n.Attr("type") != "error" {
			t.Errorf("the archive of %s answers %s", to, n)
		}
	}
	// cursors of others point nowhere
	theirs := ""
	for _, n := range first(mallorysPage(t, friend, archiveQuery("", ""))) {
		theirs = n.Child("urn:xmpp:mam:2", "result").Attr("id")
	}
	for _, paging := range []string{"<after>" + theirs + "</after>", "<before>" + theirs + "</before>"} {
		if _, n := mallorysPage(t, mallory, archiveQuery("", paging)); theirs == "" || refusal(n) != "item-not-found" {
			t.Errorf("%s: %s", paging, n)
		}
	}
}

// mallorysPage asks and returns the results in front of the answer.
func mallorysPage(t *testing.T, c *xmppclient.Conn, query string) ([]*xmppclient.Node, *xmppclient.Node) {
	t.Helper()
	say(t, c, "<iq type='set' id='m'>"+query+"</iq>")
	return upTo(t, c, "m")
}

// testManyQueries asks a thousand times without waiting, and reads none of it.
func testManyQueries(t *testing.T, v *victim) {
	mallory := v.connect(t, "mallory")
	for i := range 300 {
		say(t, mallory, fmt.Sprintf("<message type='chat' to='%s'><body>%d %s</body></message>", bare("carol"), i, strings.Repeat("x", 5000)))
	}
	ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	v.bounded(t, 96<<20, storeCache, func() {
		idle := v.connect(t, "mallory")
		go write(idle.Net(), strings.Repeat("<iq type='set' id='many'>"+archiveQuery("", "<max>250</max>")+"</iq>", 1000))
		answered, refused := 0, 0
		reader := v.connect(t, "mallory")
		go write(reader.Net(), strings.Repeat("<iq type='set' id='many'>"+archiveQuery("", "<max>2</max>")+"</iq>", 1000))
		for answered+refused < 1000 {
			if _, n := upTo(t, reader, "many"); n.Attr("type") == "error" {
				refused++
			} else {
				answered++
			}
		}
		if answered == 0 {
			t.Error("none of a thousand questions was answered")
		}
		idle.Kill()
	})
}
