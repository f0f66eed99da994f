package httpd

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of <body/> and of what XEP-0206 adds to it.
const (
	nsBind  = "http://jabber.org/protocol/httpbind"
	nsXBOSH = "urn:xmpp:xbosh"
)

// Terminal conditions of XEP-0124 §17.2.
const (
	badRequest             = "bad-request"
	itemNotFound           = "item-not-found"
	policyViolation        = "policy-violation"
	remoteConnectionFailed = "remote-connection-failed"
	remoteStreamError      = "remote-stream-error"
	systemShutdown         = "system-shutdown"
)

// maxRID is the largest request id. XEP-0124 §14.1
const maxRID = 1<<53 - 1

// boshReq is one request, until it is answered.
type boshReq struct {
	rid    uint64
	body   xtok.Elem
	answer chan []byte // takes one answer
	alive  bool        // somebody waits for it
	again  int         // times it was sent anew
	came   time.Time
}

// readReq checks a <body/>; ok is false for one that no session can take.
func readReq(body xtok.Elem) (q *boshReq, ok bool) {
	rid, err := strconv.ParseUint(body.Attr("rid"), 10, 64)
	if err != nil || rid == 0 || rid > maxRID || !body.Is(nsBind, "body") || body.HasText() {
		return nil, false
	}
	for e := range body.Children() {
		if e.Is(stream.NS, "stream") {
			return nil, false
		}
	}
	return &boshReq{rid: rid, body: body, answer: make(chan []byte, 1), alive: true, came: time.Now()}, true
}

func (q *boshReq) terminates() bool { return q.body.AttrIs("type", "terminate") }

// restarts tells whether a new stream is asked for. XEP-0206 §5
func (q *boshReq) restarts() bool {
	v := q.body.AttrNS(nsXBOSH, "restart")
	return v == "true" || v == "1"
}

// empty tells whether nothing but an answer is asked for.
func (q *boshReq) empty() bool {
	return !q.body.First().OK() && !q.terminates() && !q.restarts() && !q.body.HasAttr("pause")
}

// appendStream appends what a request says to the stream.
func (q *boshReq) appendStream(b []byte) []byte {
	if q.restarts() {
		// XEP-0206 §5: what else is in the body is ignored
		return appendHeader(b, q.body, "1.0")
	}
	for e := range q.body.Children() {
		b = appendPayload(b, e)
	}
	if q.terminates() {
		b = append(b, stream.End...)
	}
	return b
}

// appendPayload appends one element, self-contained.
func appendPayload(b []byte, e xtok.Elem) []byte {
	own := e.AppendTo(nil)
	if e.NS() == nsBind && e.DefaultNS() == "" {
		// COMPAT: clients that leave out the namespace of stanzas (XEP-0206 §2)
		switch e.Local() {
		case "message", "presence", "iq":
			own = bytes.Replace(own, []byte(" xmlns='"+nsBind+"'"), []byte(" xmlns='"+stanza.NSClient+"'"), 1)
		}
	}
	return append(b, own...)
}

// numberAttr reads an attribute that is a number between 0 and most; other says
// what stands for none, and a larger one is most.
func numberAttr(e xtok.Elem, name string, most, other int) int {
	v := e.Attr(name)
	if v == "" || strings.Trim(v, "0123456789") != "" {
		return other
	}
	n, err := strconv.Atoi(v)
	if err != nil || n > most {
		return most
	}
	return n
}

// hashed is what a key must have hashed to. XEP-0124 §15.3
func hashed(key string) string {
	sum := sha1.Sum([]byte(key))
	return hex.EncodeToString(sum[:])
}

// wrap appends a <body/> with attributes, each a name and a value, around content.
func wrap(attrs [][2]string, content []byte) []byte {
	b := []byte("<body xmlns='" + nsBind + "'")
	if len(content) > 0 {
		b = append(b, " xmlns:stream='"+stream.NS+"'"...)
	}
	for _, a := range attrs {
		b = appendAttr(b, a[0], a[1])
	}
	if len(content) == 0 {
		return append(b, "/>"...)
	}
	b = append(append(b, '>'), content...)
	return append(b, "</body>"...)
}

// terminated is the answer that ends a session, or tells that there is none.
func terminated(condition string) []byte {
	return wrap([][2]string{{"type", "terminate"}, {"condition", condition}}, nil)
}
