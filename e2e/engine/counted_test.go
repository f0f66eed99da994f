package engine

import (
	"bytes"
	"regexp"
	"strconv"
	"sync"
)

// counted is a session as both sides count it (XEP-0198): between the two more, or
// in another order, may have been delivered than was sent.
type counted struct {
	mu   sync.Mutex
	on   *passing // where it goes on
	sent uint32   // by the server
	came []uint32 // at the client, in its order: the server's numbers
}

// over tells whether the session has gone on on another connection than this.
func (c *counted) over(p *passing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on != nil && c.on != p
}

func (c *counted) goesOn(p *passing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = p
}

// until is what the server may be told when the client has h: the last of its
// stanzas that the client has with all before it.
func (c *counted) until(h uint32) uint32 {
	has := map[uint32]bool{}
	for _, n := range c.came[:min(int(h), len(c.came))] {
		has[n] = true
	}
	n := uint32(0)
	for has[n+1] {
		n++
	}
	return n
}

// resumed goes on where the client has h: the server sends again what is behind.
func (c *counted) resumed(h uint32) {
	c.sent = c.until(h)
	c.came = c.came[:min(int(h), len(c.came))]
}

var (
	answered = regexp.MustCompile(`^<a [^>]*\bh=['"](\d+)['"]`)
	resumes  = regexp.MustCompile(`<resume [^>]*/>`)
	hOf      = regexp.MustCompile(`\bh=['"](\d+)['"]`)
	previd   = regexp.MustCompile(`\bprevid=['"]([^'"]+)['"]`)
	enabled  = regexp.MustCompile(`<enabled [^>]*\bid=['"]([^'"]+)['"]`)
	identity = regexp.MustCompile(`<authorization-identifier>([^</]+)`)
)

func number(m [][]byte) uint32 {
	n, err := strconv.ParseUint(string(m[1]), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// translate puts the server's counts in the place of the client's.
func (p *passing) translate(frame []byte) []byte {
	p.turn.Lock()
	defer p.turn.Unlock()
	if m := answered.FindSubmatch(frame); m != nil {
		return withH(frame, p.session.until(number(m)))
	}
	return resumes.ReplaceAllFunc(frame, p.resume)
}

// resume translates what a client resumes, or has it fail. It needs the turn.
func (p *passing) resume(element []byte) []byte {
	id, h := previd.FindSubmatch(element), hOf.FindSubmatch(element)
	if id == nil || h == nil {
		return element
	}
	if p.chance(p.mood.forgotten.Load()) {
		return bytes.Replace(element, id[1], []byte("forgotten"), 1)
	}
	p.asked, p.has = string(id[1]), number(h)
	p.between.mu.Lock()
	c := p.sessions[p.asked]
	p.between.mu.Unlock()
	if c == nil {
		return element
	}
	c.goesOn(p)
	return withH(element, c.until(p.has))
}

func withH(element []byte, h uint32) []byte {
	return hOf.ReplaceAll(element, append(strconv.AppendUint([]byte("h='"), uint64(h), 10), '\''))
}

// signedIn takes note of the session that begins or goes on. It needs the turn.
func (p *passing) signedIn(frame []byte) {
	if m := identity.FindSubmatch(frame); m != nil {
		who, _, _ := bytes.Cut(m[1], []byte("/"))
		p.who = string(who)
	}
	p.between.mu.Lock()
	defer p.between.mu.Unlock()
	switch m := enabled.FindSubmatch(frame); {
	case bytes.Contains(frame, []byte("<resumed ")) && p.sessions[p.asked] != nil:
		p.session = p.sessions[p.asked]
		p.session.resumed(p.has)
		p.between.resumed++
	case m != nil:
		p.session = &counted{}
		p.sessions[string(m[1])] = p.session
	}
}
