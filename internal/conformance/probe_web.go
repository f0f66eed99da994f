package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"mirsal/internal/xmpp/xtok"
)

const (
	relWebSocket = "urn:xmpp:alt-connections:websocket"
	relBOSH      = "urn:xmpp:alt-connections:xbosh"
	nsFraming    = "urn:ietf:params:xml:ns:xmpp-framing"
	nsBOSH       = "http://jabber.org/protocol/httpbind"
	mostHTTP     = 256 << 10 // bytes of an answer
)

// newWeb is a client for HTTPS that trusts as the streams do. Names under the
// domain are looked for on the host of Options.Web where that is given.
func (e *exam) newWeb() *http.Client {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, e.redirect(addr))
	}
	return &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DialContext: dial, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12, InsecureSkipVerify: e.o.Insecure},
		},
	}
}

func (e *exam) redirect(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	domain := ascii(e.account.Domain())
	if err != nil || e.o.Web == "" || host != domain && !strings.HasSuffix(host, "."+domain) {
		return addr
	}
	to, toPort, err := net.SplitHostPort(e.o.Web)
	switch {
	case err != nil:
		return addr
	case port == "443" && host == domain:
		return net.JoinHostPort(to, toPort)
	}
	return net.JoinHostPort(to, port)
}

// fetch reads a page; another status than success is an error.
func (e *exam) fetch(ctx context.Context, method, where string, header http.Header, body []byte) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := e.web.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostHTTP))
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	return data, resp.Header, err
}

// hostMeta are the ways to connect that the domain names on the web.
type hostMeta struct {
	ways   map[string]string // by relation
	xml    error             // nil when that form is there
	json   error
	clear  bool // found without TLS only, so not to be believed
	anyone bool // pages of other sites may read it
}

// XEP-0156 §2.1, §2.2
func (e *exam) readHostMeta(ctx context.Context) (m hostMeta) {
	m.ways = map[string]string{}
	base := "https://" + ascii(e.account.Domain()) + "/.well-known/host-meta"
	m.xml = e.readXRD(ctx, base, &m)
	m.json = e.readJRD(ctx, base+".json", &m)
	if m.xml != nil && m.json != nil && e.o.Web == "" {
		if e.readXRD(ctx, "http"+strings.TrimPrefix(base, "https"), &m) == nil {
			m.clear = true
		}
	}
	return m
}

func (e *exam) readXRD(ctx context.Context, where string, m *hostMeta) error {
	data, header, err := e.fetch(ctx, http.MethodGet, where, nil, nil)
	if err != nil {
		return err
	}
	var doc struct {
		Link []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		}
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		return errors.New("it is no XML")
	}
	for _, l := range doc.Link {
		m.add(l.Rel, l.Href)
	}
	m.anyone = header.Get("Access-Control-Allow-Origin") == "*"
	return nil
}

func (e *exam) readJRD(ctx context.Context, where string, m *hostMeta) error {
	data, _, err := e.fetch(ctx, http.MethodGet, where, nil, nil)
	if err != nil {
		return err
	}
	var doc struct {
		Links []struct{ Rel, Href string }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return errors.New("it is no JSON")
	}
	for _, l := range doc.Links {
		m.add(l.Rel, l.Href)
	}
	return nil
}

func (m *hostMeta) add(rel, href string) {
	if m.ways[rel] == "" {
		m.ways[rel] = href
	}
}

// tryWeb follows what the domain says on the web.
func (e *exam) tryWeb(ctx context.Context) {
	m := e.readHostMeta(ctx)
	e.noteHostMeta(m)
	if m.clear {
		e.partly("web.connect", "host-meta comes without TLS only, so no client may follow it")
		return
	}
	if m.xml != nil && m.json != nil {
		e.missing("web.connect", "no host-meta at https://%s: %s", e.account.Domain(), inWords(m.xml))
		return
	}
	var good, bad []string
	note := func(what string, err error) {
		switch {
		case err == nil:
			good = append(good, what)
		case !errors.Is(err, errNotNamed):
			bad = append(bad, what+": "+inWords(err))
		}
	}
	note("WebSocket", e.tryWebSocket(ctx, m.ways[relWebSocket]))
	note("BOSH", e.tryBOSH(ctx, m.ways[relBOSH]))
	switch {
	case len(good) == 0 && len(bad) == 0:
		e.missing("web.connect", "host-meta is there and names no way to connect")
	case len(good) == 0:
		e.missing("web.connect", "%s", strings.Join(bad, "; "))
	case len(bad) > 0:
		e.partly("web.connect", "%s answers; %s", strings.Join(good, " and "), strings.Join(bad, "; "))
	default:
		e.works("web.connect", "%s, found by host-meta, open a stream", strings.Join(good, " and "))
	}
}

var errNotNamed = errors.New("not named")

func (e *exam) noteHostMeta(m hostMeta) {
	const key = "beyond.hostmeta"
	switch {
	case m.clear:
		e.partly(key, "only without TLS")
	case m.xml != nil && m.json != nil:
		e.missing(key, "%s", inWords(m.xml))
	case m.json != nil:
		e.partly(key, "host-meta is there; host-meta.json: %s", inWords(m.json))
	case m.xml != nil:
		e.partly(key, "host-meta.json is there; host-meta: %s", inWords(m.xml))
	case !m.anyone:
		e.partly(key, "both forms, but other sites' pages may not read them (CORS)")
	default:
		e.works(key, "both forms, and any page may read them")
	}
}

// tryWebSocket opens a stream over WebSocket.
// RFC 7395 §3.1
func (e *exam) tryWebSocket(ctx context.Context, where string) error {
	if where == "" {
		return errNotNamed
	}
	if !strings.HasPrefix(where, "wss:") {
		return errors.New("named without TLS (" + where + ")")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, where, &websocket.DialOptions{HTTPClient: e.web, Subprotocols: []string{"xmpp"}})
	if err != nil {
		if resp != nil {
			return fmt.Errorf("HTTP status %d", resp.StatusCode)
		}
		return err
	}
	defer c.CloseNow()
	if c.Subprotocol() != "xmpp" {
		return errors.New("it does not speak the subprotocol xmpp")
	}
	c.SetReadLimit(mostHTTP)
	open := "<open xmlns='" + nsFraming + "' to='" + esc(e.account.Domain()) + "' version='1.0'/>"
	if err := c.Write(ctx, websocket.MessageText, []byte(open)); err != nil {
		return err
	}
	_, frame, err := c.Read(ctx)
	if err != nil {
		return err
	}
	if x, err := xtok.Parse(frame, bounds()); err != nil || !x.Is(nsFraming, "open") {
		return errors.New("no stream is opened")
	}
	_ = c.Write(ctx, websocket.MessageText, []byte("<close xmlns='"+nsFraming+"'/>"))
	return nil
}

// tryBOSH begins a session and ends it.
// XEP-0124 §7
func (e *exam) tryBOSH(ctx context.Context, where string) error {
	if where == "" {
		return errNotNamed
	}
	if !strings.HasPrefix(where, "https:") {
		return errors.New("named without TLS (" + where + ")")
	}
	rid := time.Now().UnixMilli()
	say := func(attrs string) (xtok.Elem, error) {
		rid++
		body := "<body xmlns='" + nsBOSH + "' rid='" + strconv.FormatInt(rid, 10) + "'" + attrs + "/>"
		data, _, err := e.fetch(ctx, http.MethodPost, where, http.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(body))
		if err != nil {
			return xtok.Elem{}, err
		}
		return xtok.Parse(data, bounds())
	}
	x, err := say(" to='" + esc(e.account.Domain()) + "' ver='1.6' wait='5' hold='1' xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'")
	if err != nil {
		return err
	}
	if !x.Is(nsBOSH, "body") || x.Attr("sid") == "" {
		return errors.New("no session is made")
	}
	_, _ = say(" sid='" + esc(x.Attr("sid")) + "' type='terminate'")
	return nil
}

const nsUpload = "urn:xmpp:http:upload:0"

// tryUpload asks for a place for a file, puts it there and gets it again.
// XEP-0363 §4, §5
func (e *exam) tryUpload(ctx context.Context) {
	const key = "im.upload"
	at := e.service(func(i *info) bool { return i.has(nsUpload) })
	if at == nil {
		e.missing(key, "no upload service among the server's items")
		return
	}
	limit := "no limit told"
	if f := at.info.form(nsUpload); f != nil && f.Value("max-file-size") != "" {
		limit = "files up to " + size(f.Value("max-file-size"))
	}
	file := []byte(strings.Repeat("mirsal conformance\n", 54)) // 1 kB
	answer, err := e.a.get(ctx, at.jid, "<request xmlns='"+nsUpload+"' filename='"+e.token+".txt' size='"+strconv.Itoa(len(file))+"' content-type='text/plain'/>")
	if err != nil {
		e.missing(key, "%s, announced, but asking for a place %s", at.jid, reason(err))
		return
	}
	slot := answer.Child(nsUpload, "slot")
	put, get := slot.Child(nsUpload, "put"), slot.Child(nsUpload, "get")
	if !strings.HasPrefix(put.Attr("url"), "https:") || !strings.HasPrefix(get.Attr("url"), "https:") {
		e.partly(key, "%s gives places that are not on HTTPS", at.jid)
		return
	}
	if err := e.carry(ctx, put, get.Attr("url"), file); err != nil {
		e.partly(key, "%s gives a place, but %s", at.jid, err)
		return
	}
	e.works(key, "%s: a file put there and got again; %s", at.jid, limit)
}

func (e *exam) carry(ctx context.Context, put xtok.Elem, get string, file []byte) error {
	header := http.Header{"Content-Type": {"text/plain"}}
	for h := range put.Children() {
		// XEP-0363 §5: these three, and no others
		switch name := http.CanonicalHeaderKey(h.Attr("name")); name {
		case "Authorization", "Cookie", "Expires":
			header.Set(name, strings.Map(noBreaks, h.Text()))
		}
	}
	if _, _, err := e.fetch(ctx, http.MethodPut, put.Attr("url"), header, file); err != nil {
		return fmt.Errorf("the file cannot be put there: %s", inWords(err))
	}
	got, _, err := e.fetch(ctx, http.MethodGet, get, nil, nil)
	if err != nil {
		return fmt.Errorf("the file cannot be got again: %s", inWords(err))
	}
	if !bytes.Equal(got, file) {
		return errors.New("another file comes back")
	}
	return nil
}

func noBreaks(r rune) rune {
	if r == '\r' || r == '\n' {
		return -1
	}
	return r
}

// size writes a number of bytes for people.
func size(bytes string) string {
	n, err := strconv.ParseInt(bytes, 10, 64)
	switch {
	case err != nil:
		return bytes + " bytes"
	case n >= 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<30), 'g', 3, 64) + " GiB"
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<20), 'g', 3, 64) + " MiB"
	case n >= 1<<10:
		return strconv.FormatFloat(float64(n)/(1<<10), 'g', 3, 64) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
