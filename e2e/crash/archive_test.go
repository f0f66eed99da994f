package crash

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	nsMAM     = "urn:xmpp:mam:2"
	nsRSM     = "http://jabber.org/protocol/rsm"
	nsForward = "urn:xmpp:forward:0"
)

// page asks for what the archive has behind what the person knows; under mu.
func (p *person) page() string {
	p.pages++
	if !p.catching {
		p.catching, p.walk, p.walked = true, p.pages, map[string]bool{}
	}
	return pageQuery(fmt.Sprintf("repair-%d", p.pages), p.synced, 50)
}

func pageQuery(id, after string, most int) string {
	if after != "" {
		after = "<after>" + after + "</after>"
	}
	return fmt.Sprintf("<iq type='set' id='%s'><query xmlns='%s' queryid='%s'><set xmlns='%s'><max>%d</max>%s</set></query></iq>",
		id, nsMAM, id, nsRSM, most, after)
}

// entry is one message of an archive.
type entry struct{ id, key, from string }

func readEntry(result *xmppclient.Node) (e entry, ok bool) {
	m := result.Child(nsForward, "forwarded").Child(xmppclient.NSClient, "message")
	body := m.Child(xmppclient.NSClient, "body")
	if body == nil {
		return e, false
	}
	from, _, _ := strings.Cut(m.Attr("from"), "/")
	return entry{result.Attr("id"), body.Text, from}, true
}

// fromArchive shows a message of a page; under mu.
func (p *person) fromArchive(result *xmppclient.Node) {
	e, ok := readEntry(result)
	if !ok {
		p.complain("the archive has %s", result)
		return
	}
	// a query left over from an earlier repair may still be answered
	if n, err := strconv.Atoi(strings.TrimPrefix(result.Attr("queryid"), "repair-")); err != nil {
		p.complain("a result for the query %q", result.Attr("queryid"))
	} else if n >= p.walk {
		p.unique(p.walked, e.key, "in one walk through the archive")
	}
	if e.from != p.jid() {
		p.show(e.key, e.id)
	}
}

// pageDone goes on with the repair, or ends it; under mu.
func (p *person) pageDone(n *xmppclient.Node) {
	if !strings.HasPrefix(n.Attr("id"), "repair-") || n.Attr("id") != fmt.Sprintf("repair-%d", p.pages) {
		return
	}
	fin := n.Child(nsMAM, "fin")
	if fin == nil {
		p.complain("the archive answers %s", n)
		return
	}
	if last := fin.Child(nsRSM, "set").Child(nsRSM, "last"); last != nil {
		p.synced = last.Text
	}
	if fin.Attr("complete") != "true" {
		p.more <- p.page()
		return
	}
	p.catching = false
	if p.newest != "" {
		p.synced = p.newest
	}
}

// whole reads a person's archive from beginning to end, on a connection of its own.
func (p *person) whole(ctx context.Context) ([]entry, error) {
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: p.server.Addr("c2s"), Domain: mirsal.Domain, Plain: !p.tls})
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	if err := c.Login(ctx, p.name, password); err != nil {
		return nil, err
	}
	if err := c.Bind(ctx, "auditor"); err != nil {
		return nil, err
	}
	var all []entry
	for after := ""; ; {
		if err := c.Send(pageQuery("all", after, 200)); err != nil {
			return nil, err
		}
		fin, page, err := readPage(ctx, c)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if fin.Attr("complete") == "true" || len(page) == 0 {
			return all, nil
		}
		after = page[len(page)-1].id
	}
}

// readPage reads results up to the answer that ends them.
func readPage(ctx context.Context, c *xmppclient.Conn) (fin *xmppclient.Node, page []entry, err error) {
	for {
		n, err := c.Next(ctx)
		if err != nil {
			return nil, nil, err
		}
		if result := n.Child(nsMAM, "result"); result != nil {
			e, ok := readEntry(result)
			if !ok {
				return nil, nil, fmt.Errorf("the archive has %s", result)
			}
			page = append(page, e)
			continue
		}
		if n.Attr("id") == "all" {
			if fin = n.Child(nsMAM, "fin"); fin == nil {
				return nil, nil, fmt.Errorf("the archive answers %s", n)
			}
			return fin, page, nil
		}
	}
}
