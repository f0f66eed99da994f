package files

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// NSUpload is the namespace of upload services.
const NSUpload = "urn:xmpp:http:upload:0"

// Bounds of a slot.
const (
	maxHeaders     = 32
	maxHeaderValue = 8 << 10 // bytes
	maxWords       = 300     // bytes of a server's that are told to people
)

// ReadService reads an answer to disco#info: whether it is an upload service, and
// the largest file that it takes in bytes, 0 for no known limit.
// XEP-0363#disco
func ReadService(info xtok.Elem) (most int64, ok bool) {
	for c := range info.Children() {
		switch {
		case c.Local() == "feature" && c.NS() == info.NS() && c.AttrIs("var", NSUpload):
			ok = true
		case c.Is(form.NS, "x"):
			if n := limitIn(c); n > 0 {
				most = n
			}
		}
	}
	return most, ok
}

func limitIn(x xtok.Elem) int64 {
	f, err := form.Read(x)
	if err != nil || f.Of != NSUpload {
		return 0
	}
	for _, field := range f.Fields {
		if field.Var == "max-file-size" && len(field.Values) == 1 {
			return number(field.Values[0], 1<<62)
		}
	}
	return 0
}

// Request asks for a slot. All of it is told to the server.
type Request struct {
	Name string
	Type string
	Size int64 // of what is put, in bytes
}

// Append appends the payload of the IQ, whose type is get.
// XEP-0363#request
func (r Request) Append(b []byte) []byte {
	b = xtok.AppendAttr(append(b, "<request xmlns='"+NSUpload+"'"...), "filename", r.Name)
	b = xtok.AppendAttr(b, "size", strconv.FormatInt(r.Size, 10))
	return append(xtok.AppendAttr(b, "content-type", r.Type), "/>"...)
}

// Header is one of HTTP's.
type Header struct{ Name, Value string }

// Slot is a place for one file.
type Slot struct {
	Put, Get string
	Headers  []Header // of the PUT, in order
}

// ReadSlot reads a <slot/>. The error is a Failure: addresses that the policy does
// not allow make no slot.
func ReadSlot(e xtok.Elem, p Policy) (s Slot, err error) {
	put := e.Child(NSUpload, "put")
	s = Slot{Put: put.Attr("url"), Get: e.Child(NSUpload, "get").Attr("url")}
	if !e.Is(NSUpload, "slot") || s.Put == "" || s.Get == "" {
		return Slot{}, fail(Refused, nil, "the server gave no place for the file")
	}
	for _, address := range []string{s.Put, s.Get} {
		if err := p.Allows(address); err != nil {
			return Slot{}, err
		}
	}
	for c := range put.Children() {
		if len(s.Headers) < maxHeaders && c.Is(NSUpload, "header") {
			s.Headers = addHeader(s.Headers, c.Attr("name"), c.Text())
		}
	}
	return s, nil
}

// addHeader adds a header that a server may ask for; others are ignored.
// XEP-0363#request, XEP-0363#uploader
func addHeader(all []Header, name, value string) []Header {
	name, value = oneLine(name), strings.TrimSpace(oneLine(value))
	for _, may := range []string{"Authorization", "Cookie", "Expires"} {
		if strings.EqualFold(name, may) && len(value) <= maxHeaderValue && sendable(value) {
			return append(all, Header{may, value})
		}
	}
	return all
}

// oneLine strips newlines, as the XEP has it.
func oneLine(s string) string {
	return strings.NewReplacer("\r", "", "\n", "").Replace(s)
}

// sendable tells whether a value is one that HTTP carries.
// RFC 9110 §5.5
func sendable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// slotRefusal says in plain words why a server gave no slot. Errors of other
// kinds are returned as they are, and may pass.
// XEP-0363#errors
func slotRefusal(err error) error {
	var e *stanza.StanzaError
	if !errors.As(err, &e) {
		return err
	}
	most, retry := slotLimits(e.App)
	f := fail(Refused, e, "the server takes no file from this account")
	switch {
	case most > 0 || e.Condition == stanza.NotAcceptable:
		f = tooLarge(most)
		f.Err = e
	case e.Condition == stanza.ResourceConstraint || !retry.IsZero():
		f = fail(Full, e, "the server has no more room for this account's files; delete some, or try again later")
		f.Retry = retry
	case e.Condition == stanza.ServiceUnavailable || e.Condition == stanza.FeatureNotImplemented || e.Condition == stanza.ItemNotFound:
		f.Text = "the server takes no files"
	case e.Kind == "wait" || e.Condition == stanza.InternalServerError || e.Condition == stanza.RemoteServerTimeout:
		return e // it may pass
	}
	if words := quote(e.Text); words != "" {
		f.Text += ". The server says: " + words
	}
	return f
}

// slotLimits reads what a refusal tells besides: how large a file may be, and
// when to try again.
func slotLimits(app []byte) (most int64, retry time.Time) {
	e, err := xtok.Parse(app, xtok.Limits{Size: 4096, Depth: 4, Attrs: 8, Name: 64, Prefixes: 8, Nodes: 8})
	switch {
	case err != nil:
	case e.Is(NSUpload, "file-too-large"):
		most = max(0, number(e.Child(NSUpload, "max-file-size").Text(), 1<<62))
	case e.Is(NSUpload, "retry"):
		retry, _ = stanza.ParseTime(e.Attr("stamp"))
	}
	return most, retry
}

// quote is what a server says to people, cut short and without what turns text around
// or moves a terminal's cursor.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		} else if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, short(s, maxWords))
	return strings.Join(strings.Fields(s), " ")
}
