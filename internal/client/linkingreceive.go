package client

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	pairing "mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// This file is how a device that was let in receives what the old one hands it. Until
// it has all, or that is given up, it says nothing to anybody and takes no messages: they
// are in the archive, and are caught up with on top of what was handed over.

// linking is what is kept of that, so that it goes on after a restart.
type linking struct {
	Channel pairing.Channel `json:"channel"`
	Peer    string          `json:"peer"` // the old device's session
	Next    uint32          `json:"next"` // piece to ask for: the first of a block
	Lines   int             `json:"lines,omitempty"`
}

const (
	peerTries = 24              // that the old device is asked in vain, in a row
	peerPause = 5 * time.Second // between them
)

// settingUp tells whether the profile is still being filled.
func (e *Engine) settingUp() bool { return e.profile.Linking != nil }

// receive asks the old device for more, once there is a session.
func (e *Engine) receive() {
	if e.joining == nil {
		e.joining = &joining{}
	}
	e.state("online", nil, time.Time{})
	e.joining.block, e.joining.asking = nil, false
	e.take(e.keys.Online())
	e.askPiece(e.profile.Linking.Next)
}

// askPiece asks for one piece; the first time it says whose key is ours.
func (e *Engine) askPiece(n uint32) {
	l, j := e.profile.Linking, e.joining
	to, err := jid.Parse(l.Peer)
	if err != nil || j.asking {
		return
	}
	plain, err := json.Marshal(newcomer{e.keys.ID(), e.keys.Fingerprint()})
	if err == nil {
		plain, err = l.Channel.Seal(e.Rand, "more", n, plain)
	}
	if err != nil {
		e.breakDown(err)
		return
	}
	j.asking = true
	q := "<more xmlns='" + nsLink + "' piece='" + strconv.FormatUint(uint64(n), 10) + "'>" + base64.StdEncoding.EncodeToString(plain) + "</more>"
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: []byte(q), Patience: time.Minute}, func(s *conn.Stanza, err error) {
		if e.joining != j || e.profile.Linking == nil || e.broken != nil {
			return
		}
		j.asking = false
		e.pieceCame(n, s, err)
	})
}

func (e *Engine) pieceCame(n uint32, s *conn.Stanza, err error) {
	var se *stanza.StanzaError
	switch {
	case errors.As(err, &se) && se.Condition != stanza.ItemNotFound, errors.Is(err, conn.ErrTimeout):
		e.askLater(n)
	case errors.As(err, &se):
		e.receiveOver(port.Failf(port.Missing, "the other device has nothing more to hand over"))
	case err != nil: // the stream was lost: the next one goes on
	default:
		plain, err := openBox(e.profile.Linking.Channel.Open, s.Elem.Child(nsLink, "piece"), n)
		if err != nil || len(plain) < 5 {
			e.receiveOver(port.Failf(port.Tampered, "what came is not what the other device has sent: history was not taken over"))
			return
		}
		e.joining.tries = 0
		e.takePiece(n, plain[0], int(binary.BigEndian.Uint32(plain[1:])), plain[5:])
	}
}

// askLater asks again when the old device is away for a moment.
func (e *Engine) askLater(n uint32) {
	j := e.joining
	if j.tries++; j.tries > peerTries {
		e.receiveOver(port.Failf(port.Missing, "the other device is away: history was not taken over"))
		return
	}
	time.AfterFunc(peerPause, func() {
		e.post(func() {
			if e.joining == j && e.settingUp() && e.link != nil && e.link.up {
				e.askPiece(n)
			}
		})
	})
}

// takePiece keeps a block when it is whole, together with how far it has come.
func (e *Engine) takePiece(n uint32, flags byte, done int, data []byte) {
	j, l := e.joining, e.profile.Linking
	if j.block = append(j.block, data...); len(j.block) > mostBlock {
		e.receiveOver(port.Failf(port.TooLarge, "what the other device hands over is too large"))
		return
	}
	if flags&1 == 0 {
		e.askPiece(n + 1)
		return
	}
	raw, err := inflate(j.block)
	j.block = nil
	var b keep.Batch
	if err == nil && n == 0 {
		err = e.takePreface(raw)
	} else if err == nil {
		err = e.takeRows(&b, raw)
	}
	if err != nil {
		e.receiveOver(port.Failf(port.Tampered, "%s", err))
		return
	}
	l.Next = n + 1
	put(&b, profileTable, "account", e.profile)
	if !e.keepBatch(&b) {
		return
	}
	e.tell(&port.LinkState{State: "receiving", Done: done, Total: l.Lines})
	if flags&2 == 0 {
		e.askPiece(n + 1)
		return
	}
	e.receivedAll(n)
}

func (e *Engine) takePreface(raw []byte) error {
	var p preface
	if err := json.Unmarshal(raw, &p); err != nil {
		return errBlock
	}
	e.profile.Linking.Lines = p.Lines
	e.take(e.keys.TakeOver(p.Keys))
	return e.broken
}

// takeRows puts what is settings or history into the batch, and nothing else.
func (e *Engine) takeRows(b *keep.Batch, raw []byte) error {
	rows, err := unpack(raw)
	if err != nil {
		return err
	}
	var history []timeline.Entry
	for _, r := range rows {
		if !slices.Contains(settings(), r.Table) {
			history = append(history, r)
			continue
		}
		if err := checkSetting(r); err != nil {
			return err
		}
		b.Put(r.Table, r.Key, r.Value)
	}
	return timeline.Import(b, history)
}

// checkSetting refuses a row that could not be read again.
func checkSetting(r timeline.Entry) error {
	var into any = new(contact)
	switch r.Table {
	case roomTable:
		into = new(room)
	case chatTable:
		into = new(chatSettings)
	}
	if j, err := jid.Parse(r.Key); err != nil || j.String() != r.Key {
		return fmt.Errorf("%w: %s", errBlock, r.Table)
	}
	if err := json.Unmarshal(r.Value, into); err != nil {
		return fmt.Errorf("%w: %s", errBlock, r.Table)
	}
	return nil
}

// receivedAll ends the hand-over well, and tells the old device.
func (e *Engine) receivedAll(n uint32) {
	l := e.profile.Linking
	box, err := l.Channel.Seal(e.Rand, "done", n, nil)
	if to, bad := jid.Parse(l.Peer); err == nil && bad == nil {
		q := "<done xmlns='" + nsLink + "' piece='" + strconv.FormatUint(uint64(n), 10) + "'>" + base64.StdEncoding.EncodeToString(box) + "</done>"
		e.ask(conn.Request{To: to, Type: stanza.Set, Payload: []byte(q)}, nil)
	}
	e.settled(nil, &port.LinkState{State: "done", Done: l.Lines, Total: l.Lines})
}

// receiveOver gives the rest up: what was taken of the history goes again, since half of it
// would have holes that nobody sees. The device stays signed in, and has what the archive can tell it.
func (e *Engine) receiveOver(f *port.Failure) {
	wipe, err := timeline.Wipe(e.Store)
	if err != nil {
		e.breakDown(err)
		return
	}
	e.settled(wipe, &port.LinkState{State: "failed", Failure: f})
}

// settled begins the ordinary life of the device.
func (e *Engine) settled(b *keep.Batch, end *port.LinkState) {
	j := e.joining
	e.joining, e.profile.Linking = nil, nil
	var all keep.Batch
	all.Add(b)
	put(&all, profileTable, "account", e.profile)
	if !e.keepBatch(&all) {
		return
	}
	if err := e.openHistory(); err != nil {
		e.breakDown(err)
		return
	}
	e.tell(end)
	if e.link != nil && e.link.up {
		e.begin()
	}
	if j == nil || j.cmd == nil {
		return
	}
	if end.Failure != nil {
		e.fail(j.cmd, port.Failf(end.Failure.Code, "this device is signed in, but %s", end.Failure.Text))
		return
	}
	e.done(j.cmd, port.Done{})
}
