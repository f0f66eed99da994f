package client

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is what an old device hands to a new one: how it is packed and given
// piece by piece, each asked for by the new device.

// Sizes, in bytes.
const (
	blockSize = 256 << 10 // of rows, before they are compressed: what is kept in one transaction
	pieceSize = 96 << 10  // of what is compressed, in one answer
	mostBlock = 16 << 20  // that a new device takes, unpacked
)

// hand is all that is handed over, as it was when a person said yes: compressed blocks cut
// into pieces, so that whatever is asked for again is the same.
type hand struct {
	pieces []piece
	lines  int // of conversations, in all
}

type piece struct {
	data []byte
	end  bool // of a block
	done int  // lines handed over with this block
}

// preface is the first block: what is not rows.
type preface struct {
	Keys  e2ee.Handover `json:"keys"`
	Lines int           `json:"lines"`
}

// newcomer is what the new device says of itself when it asks for the first piece.
type newcomer struct {
	Device      uint32 `json:"device"` // its OMEMO device
	Fingerprint string `json:"fingerprint"`
}

// settings are the engine's tables that go over beside the history.
func settings() []keep.Table { return []keep.Table{contactTable, roomTable, chatTable} }

// newHand packs everything that there is.
func (e *Engine) newHand() (*hand, error) {
	h := &hand{}
	var err error
	if h.lines, err = e.lines.Lines(); err != nil {
		return nil, err
	}
	first, err := json.Marshal(preface{e.keys.Handover(), h.lines})
	if err != nil {
		return nil, err
	}
	if err := h.add(first, 0); err != nil {
		return nil, err
	}
	p := &packer{hand: h}
	for _, t := range settings() {
		var bad error
		if err := e.Store.Scan(t, keep.Range{}, func(key string, value []byte) bool {
			bad = p.add(timeline.Entry{Table: t, Key: key, Value: value})
			return bad == nil
		}); err != nil || bad != nil {
			return nil, errors.Join(err, bad)
		}
	}
	if err := e.lines.Export(p.add); err != nil {
		return nil, err
	}
	return h, p.flush()
}

// add appends a block.
func (h *hand) add(raw []byte, done int) error {
	data, err := deflate(raw)
	if err != nil {
		return err
	}
	for ; ; data = data[pieceSize:] {
		if len(data) <= pieceSize {
			h.pieces = append(h.pieces, piece{data, true, done})
			return nil
		}
		h.pieces = append(h.pieces, piece{data[:pieceSize], false, done})
	}
}

// packer gathers rows into blocks.
type packer struct {
	hand *hand
	raw  []byte
	done int
}

func (p *packer) add(e timeline.Entry) error {
	for _, field := range []string{string(e.Table), e.Key, string(e.Value)} {
		p.raw = append(binary.AppendUvarint(p.raw, uint64(len(field))), field...)
	}
	if e.Line {
		p.done++
	}
	if len(p.raw) >= blockSize {
		return p.flush()
	}
	return nil
}

func (p *packer) flush() error {
	if len(p.raw) == 0 {
		return nil
	}
	err := p.hand.add(p.raw, p.done)
	p.raw = p.raw[:0]
	return err
}

var errBlock = errors.New("what the other device has sent cannot be read")

// unpack reads the rows of a block.
func unpack(raw []byte) (rows []timeline.Entry, err error) {
	next := func() string {
		n, w := binary.Uvarint(raw)
		if w <= 0 || n > uint64(len(raw)-w) {
			err = errBlock
			return ""
		}
		field := string(raw[w : w+int(n)])
		raw = raw[w+int(n):]
		return field
	}
	for len(raw) > 0 && err == nil {
		e := timeline.Entry{Table: keep.Table(next())}
		e.Key = next()
		e.Value = []byte(next())
		rows = append(rows, e)
	}
	return rows, err
}

// linkMore gives the new device the piece that it asks for. Who cannot seal the question
// is answered like one who asks for nothing that is here.
func (e *Engine) linkMore(s *conn.Stanza, q xtok.Elem) {
	w := e.showing
	n, err := strconv.ParseUint(q.Attr("piece"), 10, 31)
	var plain []byte
	if err == nil && w != nil && w.channel != nil && s.From.Bare() == e.own {
		plain, err = openBox(w.channel.Open, q, uint32(n))
	} else {
		err = errBlock
	}
	if err != nil || q.Local() == "more" && int(n) >= len(w.hand.pieces) {
		e.send(stanza.ErrorReply(s.Head, stanza.Errorf(stanza.ItemNotFound, "nothing is handed over here")).Raw, 0)
		return
	}
	if n == 0 {
		var who newcomer
		if json.Unmarshal(plain, &who) == nil && !e.take(e.keys.Vouch(who.Device, who.Fingerprint)) {
			return
		}
	}
	if q.Local() == "done" {
		e.reply(s, nil)
		e.handedOver(w)
		return
	}
	e.givePiece(s, w, int(n))
}

func (e *Engine) givePiece(s *conn.Stanza, w *showing, n int) {
	p := w.hand.pieces[n]
	flag := byte(0)
	if p.end {
		flag = 1
	}
	if n == len(w.hand.pieces)-1 {
		flag |= 2
	}
	head := binary.BigEndian.AppendUint32([]byte{flag}, uint32(p.done))
	box, err := w.channel.Seal(e.Rand, "piece", uint32(n), append(head, p.data...))
	if err != nil {
		e.breakDown(err)
		return
	}
	e.reply(s, []byte("<piece xmlns='"+nsLink+"'>"+base64.StdEncoding.EncodeToString(box)+"</piece>"))
	e.linkWatch(w, handTime)
	e.tell(&port.LinkState{State: "sending", Done: p.done, Total: w.hand.lines})
}

// handedOver ends a link well.
func (e *Engine) handedOver(w *showing) {
	e.showing = nil
	e.tell(&port.LinkState{State: "done", Done: w.hand.lines, Total: w.hand.lines})
	e.done(w.confirm, port.Done{})
}

// openBox opens what an element holds, by its name and number.
func openBox(open func(string, uint32, []byte) ([]byte, error), q xtok.Elem, n uint32) ([]byte, error) {
	box, err := base64.StdEncoding.DecodeString(strings.TrimSpace(q.Text()))
	if err != nil {
		return nil, errBlock
	}
	return open(q.Local(), n, box)
}
