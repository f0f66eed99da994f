package main

import (
	"context"
	"runtime"
	"time"

	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
)

// side is what one device uses to write to the other. Unless kept, the session
// stays as it is and is not written as bytes: then what is measured is the library's
// cryptography and nothing else.
type side struct {
	*device
	open    *record.Session
	stored  []byte
	keep    bool
	builder *session.Builder
	cipher  *session.Cipher
}

func newSide(keep bool) (*side, error) {
	d, err := newDevice()
	if err != nil {
		return nil, err
	}
	s := &side{device: d, keep: keep}
	peer := protocol.NewSignalAddress("peer", 1)
	s.builder = session.NewBuilder(s, s, s, s, peer, s.codec)
	s.cipher = session.NewCipher(s.builder, peer)
	return s, nil
}

func (s *side) LoadSession(context.Context, *protocol.SignalAddress) (*record.Session, error) {
	switch {
	case s.stored != nil:
		return record.NewSessionFromBytes(s.stored, s.codec.Session, s.codec.State)
	case s.open != nil:
		return s.open, nil
	}
	return record.NewSession(s.codec.Session, s.codec.State), nil
}

func (s *side) StoreSession(_ context.Context, _ *protocol.SignalAddress, r *record.Session) error {
	if s.keep {
		s.stored = r.Serialize()
	} else {
		s.open = r
	}
	return nil
}

func (s *side) ContainsSession(context.Context, *protocol.SignalAddress) (bool, error) {
	return s.open != nil || s.stored != nil, nil
}

func (*side) GetSubDeviceSessions(context.Context, string) ([]uint32, error) { return nil, nil }
func (*side) DeleteSession(context.Context, *protocol.SignalAddress) error   { return nil }
func (*side) DeleteAllSessions(context.Context) error                        { return nil }

// measure says what encrypting and decrypting so many messages costs. Kinds:
// "chain", all in one direction; "turns", the direction changes with each, so
// that each is a step of the ratchet; "chain stored" and "turns stored", with the
// session written to bytes after each message and read from them before.
func (all devices) measure(q question) (answer, error) {
	stored := q.Kind == "chain stored" || q.Kind == "turns stored"
	turns := q.Kind == "turns" || q.Kind == "turns stored"
	from, to, err := acquainted(stored)
	if err != nil {
		return answer{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range q.Rounds {
		if err := pass(from, to, q.Plain); err != nil {
			return answer{}, err
		}
		if turns {
			from, to = to, from
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return answer{
		Nanoseconds: took.Nanoseconds(),
		Allocations: int64(after.Mallocs - before.Mallocs), Bytes: int64(after.TotalAlloc - before.TotalAlloc),
	}, nil
}

// acquainted returns two devices that have heard of each other.
func acquainted(stored bool) (from, to *side, err error) {
	if from, err = newSide(stored); err != nil {
		return nil, nil, err
	}
	if to, err = newSide(stored); err != nil {
		return nil, nil, err
	}
	text, err := to.publish()
	if err != nil {
		return nil, nil, err
	}
	b, err := readBundle(text)
	if err != nil {
		return nil, nil, err
	}
	if err := from.builder.ProcessBundle(context.Background(), b); err != nil {
		return nil, nil, err
	}
	if err := pass(from, to, []byte("first")); err != nil {
		return nil, nil, err
	}
	return from, to, pass(to, from, []byte("answer"))
}

// pass sends one message through the wire's bytes.
func pass(from, to *side, plain []byte) error {
	m, err := from.cipher.Encrypt(context.Background(), plain)
	if err != nil {
		return err
	}
	if m.Type() == protocol.PREKEY_TYPE {
		first, err := protocol.NewPreKeySignalMessageFromBytes(m.Serialize(), to.codec.PreKeySignalMessage, to.codec.SignalMessage)
		if err != nil {
			return err
		}
		_, err = to.cipher.DecryptMessage(context.Background(), first)
		return err
	}
	next, err := protocol.NewSignalMessageFromBytes(m.Serialize(), to.codec.SignalMessage)
	if err != nil {
		return err
	}
	_, err = to.cipher.Decrypt(context.Background(), next)
	return err
}
