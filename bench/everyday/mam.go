package main

import (
	"context"
	"fmt"

	"mirsal/e2e/xmppclient"
)

const (
	nsArchive = "urn:xmpp:mam:2"
	nsRSM     = "http://jabber.org/protocol/rsm"
)

// fetch asks for the page behind a message and returns how many came, the last
// one's id, and whether that was the end.
func (o *options) fetch(ctx context.Context, c *xmppclient.Conn, number int, after string) (n int, last string, complete bool, err error) {
	if after != "" {
		after = "<after>" + after + "</after>"
	}
	id := fmt.Sprint("page", number)
	err = c.Send(fmt.Sprintf("<iq type='set' id='%s'><query xmlns='%s' queryid='%[1]s'><set xmlns='%[3]s'><max>%[4]d</max>%[5]s</set></query></iq>", id, nsArchive, nsRSM, o.page, after))
	if err != nil {
		return 0, "", false, err
	}
	for {
		e, err := c.Next(ctx)
		switch {
		case err != nil:
			return n, "", false, err
		case e.Child(nsArchive, "result") != nil:
			n++
		case e.Name.Local == "iq" && e.Attr("id") == id:
			fin := e.Child(nsArchive, "fin")
			if fin == nil {
				return n, "", false, fmt.Errorf("no archive: %s", e)
			}
			if set := fin.Child(nsRSM, "set"); set != nil && set.Child(nsRSM, "last") != nil {
				last = set.Child(nsRSM, "last").Text
			}
			return n, last, fin.Attr("complete") == "true", nil
		}
	}
}
