package foreign

import (
	"slices"
	"strings"

	"mirsal/e2e/xmppclient"
)

// What programs demand of the requests that come to them, from their sources: what they answer by an error, or by the
// end of the call.

// dinoDemands is xmpp-vala/src/module/xep/0166_jingle/session.vala and 0167_jingle_rtp/content_parameters.vala of
// https://github.com/dino/dino: a request about ways, and about one content more, has one content; it is named as before, by who
// has begun it; a responder is a full address; an answer's first codec is one that was offered.
func dinoDemands(p *played, n *xmppclient.Node) string {
	j := n.Child(nsJingle, "jingle")
	if j == nil {
		return "not a session"
	}
	action, all := j.Attr("action"), contents(j)
	if r := j.Attr("responder"); r != "" && !strings.Contains(r, "/") {
		return "the responder is no full address"
	}
	switch action {
	case "content-add", "content-accept", "content-modify", "transport-info", "transport-accept", "transport-replace", "description-info":
		if len(all) != 1 {
			return "Dino knows one content at a time"
		}
	}
	if _, one := p.alice.seat.(*terminal); !one && action == "session-accept" && len(all) != len(contents(p.last["session-initiate"])) {
		return "the screen can have a way for each content"
	}
	for _, c := range all {
		if action == "session-initiate" || action == "content-add" {
			if c.Child(nsRTP, "description") == nil || c.Child(nsICE, "transport") == nil {
				return "a content without a description or a way"
			}
			continue
		}
		before := p.content(c)
		if before == nil {
			return "a content that is not known by this name and creator"
		}
		if strings.HasSuffix(action, "-accept") && strings.HasPrefix(action, "s") && !offered(before, c) {
			return "a codec that was not offered"
		}
	}
	return ""
}

// conversationsDemands is JingleRtpConnection.java of https://github.com/iNPUTmice/Conversations: an offer has the media that were
// proposed, an answer those of the offer, each with a key and, in the answer, who begins; an answer to one content more has
// none but that; in a restart all contents have the same credentials, and other ones are an offer where there is no address
// with them, and an answer where there is.
func conversationsDemands(p *played, n *xmppclient.Node) string {
	j := n.Child(nsJingle, "jingle")
	if j == nil {
		return "not a session"
	}
	switch action := j.Attr("action"); action {
	case "session-accept", "content-accept":
		asked := p.last[map[string]string{"session-accept": "session-initiate", "content-accept": "content-add"}[action]]
		if asked == nil || !slices.Equal(media(asked), media(j)) {
			return "other media than were offered"
		}
		for _, c := range contents(j) {
			f := c.Child(nsICE, "transport").Child(nsDTLS, "fingerprint")
			if f == nil || f.Attr("setup") != "active" && f.Attr("setup") != "passive" {
				return "a content without a key, or without who begins"
			}
		}
	case "transport-info":
		var ufrags []string
		for _, c := range contents(j) {
			ufrags = append(ufrags, c.Child(nsICE, "transport").Attr("ufrag"))
		}
		if slices.Sort(ufrags); len(slices.Compact(ufrags)) != 1 {
			return "a restart with several credentials"
		}
		if p.last["session-initiate"] == nil || p.told[ufrags[0]] {
			return ""
		}
		asked, bare := p.restarts, contents(j)[0].Child(nsICE, "transport").Child(nsICE, "candidate") == nil
		if p.restarts = false; asked == bare {
			return "an answer to a restart that offers one, or the other way round"
		}
	}
	return ""
}

func contents(j *xmppclient.Node) (out []*xmppclient.Node) {
	for _, c := range j.Children {
		if c.Is(nsJingle, "content") {
			out = append(out, c)
		}
	}
	return out
}

// media are the kinds of a session's contents.
func media(j *xmppclient.Node) (out []string) {
	for _, c := range contents(j) {
		if d := c.Child(nsRTP, "description"); d != nil {
			out = append(out, d.Attr("media"))
		}
	}
	slices.Sort(out)
	return out
}

// content is the one of this name and creator, as it was offered.
func (p *played) content(c *xmppclient.Node) *xmppclient.Node {
	for _, by := range []string{"session-initiate", "content-add"} {
		j := p.last[by]
		if j == nil {
			continue
		}
		for _, one := range contents(j) {
			if one.Attr("name") == c.Attr("name") && one.Attr("creator") == c.Attr("creator") {
				return one
			}
		}
	}
	return nil
}

// offered tells whether the first codec of an answer is one of the offer's.
func offered(offer, answer *xmppclient.Node) bool {
	first := answer.Child(nsRTP, "description").Child(nsRTP, "payload-type")
	if first == nil {
		return false
	}
	for _, c := range offer.Child(nsRTP, "description").Children {
		if c.Is(nsRTP, "payload-type") && c.Attr("id") == first.Attr("id") && c.Attr("name") == first.Attr("name") && c.Attr("clockrate") == first.Attr("clockrate") {
			return true
		}
	}
	return false
}

// knowsCalls requires that alice's device says what it can: Dino calls nobody who does not.
func (p *played) knowsCalls(n *xmppclient.Node) {
	p.t.Helper()
	q := n.Child("http://jabber.org/protocol/disco#info", "query")
	if q == nil {
		p.t.Errorf("alice does not say what she can: %s", n)
		return
	}
	for _, f := range []string{
		nsJingle, nsRTP, nsICE, nsDTLS, "urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:jingle:apps:rtp:video", "urn:xmpp:jingle-message:0",
	} {
		if !slices.ContainsFunc(q.Children, func(c *xmppclient.Node) bool { return c.Attr("var") == f }) {
			p.t.Errorf("alice does not say that she can %s", f)
		}
	}
}
