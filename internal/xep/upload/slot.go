package upload

import (
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// slotLife is how long a slot waits for its PUT.
// XEP-0363#impl
const slotLife = 5 * time.Minute

// slot is a place for one file. state is under Upload.mu; the rest does not change.
type slot struct {
	a      *account
	key    string // of the file
	size   int64
	media  string    // that was told, without parameters; may be empty
	before time.Time // the file may not be there any more; zero for no such time
	end    time.Time // of the slot

	state state
}

// state is how far a slot is.
type state uint8

const (
	open state = iota
	taken
	used
)

// request gives a slot.
// XEP-0363#request
func (u *Upload) request(q *core.Query) (_ []byte, err error) {
	defer func() { u.metrics.slot(err) }()
	if !u.router.Exists(q.Asker()) {
		return nil, strangers()
	}
	if q.Set() {
		return nil, stanza.Errorf(stanza.BadRequest, "a slot is asked for by an iq of type get")
	}
	s, name, err := u.read(q.Payload)
	if err != nil {
		return nil, err
	}
	s.a = u.account(q.Asker())
	if err := u.reserve(q.Ctx, s.a, s.size); err != nil {
		return nil, err
	}
	putToken, getToken := newToken(), newToken()
	s.key, s.end = keyOf(getToken, name), time.Now().Add(slotLife)
	u.add(keyOf(putToken, name), s)
	return answer(u.link(putToken, name), u.link(getToken, name)), nil
}

// read takes a request apart.
func (u *Upload) read(e xtok.Elem) (s *slot, name string, err error) {
	s = &slot{}
	name, named := cleanName(e.Attr("filename"))
	size, err := strconv.ParseUint(e.Attr("size"), 10, 63)
	media, typed := mediaType(e.Attr("content-type"))
	switch {
	case !named:
		return nil, "", stanza.Errorf(stanza.BadRequest, "the file needs a name of at most %d bytes", maxAsked)
	case err != nil || size == 0:
		return nil, "", stanza.Errorf(stanza.BadRequest, "the size of the file is a number of bytes, at least 1")
	case !typed:
		return nil, "", stanza.Errorf(stanza.BadRequest, "the content type is none")
	case int64(size) > u.maxSize():
		return nil, "", u.tooLarge()
	}
	s.size, s.media = int64(size), media
	s.before, err = purpose(e)
	return s, name, err
}

// tooLarge is the refusal of a file that an account can never have.
// XEP-0363#errors
func (u *Upload) tooLarge() error {
	most := strconv.FormatInt(u.maxSize(), 10)
	e := stanza.Errorf(stanza.NotAcceptable, "the file is too large; a file may have %s bytes", most)
	e.App = []byte("<file-too-large xmlns='" + ns + "'><max-file-size>" + most + "</max-file-size></file-too-large>")
	return e
}

// purpose is when a file has to be gone, zero for no such time. What would have to
// be kept longer than others is refused: that is not offered.
// XEP-0363#purpose
func purpose(e xtok.Elem) (before time.Time, err error) {
	for c := range e.Children() {
		switch {
		case c.NS() != nsPurpose || c.Local() == "message":
		case c.Local() != "ephemeral":
			return before, stanza.Errorf(stanza.FeatureNotImplemented, "files are kept for messages, and no longer")
		default:
			// XEP-0363#purpose-ephemeral
			if before, err = stanza.ParseTime(c.Attr("expire-before")); err != nil || !before.After(time.Now()) {
				return before, stanza.Errorf(stanza.BadRequest, "expire-before is a time that is to come")
			}
		}
	}
	return before, nil
}

// link is where a file is put or got.
func (u *Upload) link(token, name string) string {
	return u.cfg.URL + "/upload/" + token + "/" + escapeName(name)
}

// answer is a slot as the client reads it. No headers: all that a PUT needs is in
// its link, which is not the one that is handed on.
// XEP-0363#request
func answer(put, get string) []byte {
	b := append(xtok.AppendAttr([]byte("<slot xmlns='"+ns+"'><put"), "url", put), "/>"...)
	return append(xtok.AppendAttr(append(b, "<get"...), "url", get), "/></slot>"...)
}

// add opens a slot, until it is too old.
func (u *Upload) add(key string, s *slot) {
	u.mu.Lock()
	u.slots[key] = s
	u.mu.Unlock()
	time.AfterFunc(slotLife, func() { u.drop(key, s) })
}

// drop ends a slot. What is being put goes on.
func (u *Upload) drop(key string, s *slot) {
	u.mu.Lock()
	unused := s.state == open && u.slots[key] == s
	delete(u.slots, key)
	u.mu.Unlock()
	if unused {
		u.metrics.unused.Inc()
		u.release(s.a, s.size)
	}
}

// find is the open slot of a link, taken with it, or the reason why there is none.
func (u *Upload) find(key string, may func(s *slot) refusal) (*slot, refusal) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.slots[key]
	switch {
	case s == nil || !time.Now().Before(s.end):
		return nil, noSlot
	case s.state != open:
		return nil, usedSlot
	}
	if r := may(s); !r.none() {
		return nil, r
	}
	s.state = taken
	return s, refusal{}
}

// reopen gives a slot back that was taken for nothing, or ends it where its time
// is over.
func (u *Upload) reopen(key string, s *slot) {
	u.mu.Lock()
	there := u.slots[key] == s
	if there {
		s.state = open
	}
	u.mu.Unlock()
	if !there {
		u.release(s.a, s.size)
	}
}
