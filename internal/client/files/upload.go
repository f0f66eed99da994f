package files

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// Outgoing is a file to send.
type Outgoing struct {
	Name string // as its owner calls it
	Size int64  // bytes, exactly
	// ShowName has the server told the name. Otherwise it is told one that only who has the link's
	// key can read (hidden.go), with the same ending.
	ShowName bool
	Most     int64 // the largest file that the service takes, 0 unknown
	// Open opens the file; each attempt does so again.
	Open func() (io.ReadCloser, error)
}

// AskSlot asks the upload service for a slot, by an IQ whose answer ReadSlot reads.
// An error that is a Failure ends the upload, a *stanza.StanzaError may; after others
// it is tried again.
type AskSlot func(ctx context.Context, r Request) (Slot, error)

// Upload encrypts a file, sends it and returns the link for the message. Errors are
// Failures, or ctx's. A PUT cannot be resumed: after an interruption it begins anew, with
// a new slot and under a new key, so that no key ever encrypts two things.
// XEP-0363#upload, XEP-0454#aesgcm
func (t *Transfers) Upload(ctx context.Context, o Outgoing, ask AskSlot, tell Progress) (Link, error) {
	if o.Size < 0 || o.Size > maxPlain {
		return Link{}, tooLarge(maxPlain)
	}
	if o.Most > 0 && o.Size+tagSize > o.Most {
		return Link{}, tooLarge(o.Most)
	}
	var link Link
	err := t.retry(ctx, func(ctx context.Context) (reached int64, err error) {
		if link, reached, err = t.put(ctx, o, ask, tell); err != nil && tell != nil {
			tell(0, o.Size+tagSize) // nothing of it counts any more
		}
		return reached, err
	})
	return link, err
}

// put is one attempt.
func (t *Transfers) put(ctx context.Context, o Outgoing, ask AskSlot, tell Progress) (_ Link, reached int64, err error) {
	secret := make([]byte, ivSize+linkKey)
	if _, err := io.ReadFull(t.Rand, secret); err != nil {
		return Link{}, 0, fail(Local, err, "there is no randomness")
	}
	from, clean := Source{Cipher: AES256, IV: secret[:ivSize:ivSize], Key: secret[ivSize:]}, CleanName(o.Name)
	name := clean
	if !o.ShowName {
		name = hideName(clean, from)
	}
	slot, err := t.slot(ctx, Request{Name: name, Type: Octets, Size: o.Size + tagSize}, ask)
	if err != nil {
		return Link{}, 0, err
	}
	from.URL = slot.Get
	link := Link{Name: clean, Source: from}
	ctx, moved, stop := t.watch(ctx)
	defer stop()
	m := &meter{total: o.Size + tagSize, moved: moved, tell: tell}
	var ahead *meter // of what has gone, where that is not what was read
	var sent func(int64)
	if _, ok := t.Doer.(AheadReader); ok {
		m.tell = nil
		ahead = &meter{total: m.total, moved: moved, tell: tell}
		sent = ahead.reach
	}
	body, err := seal(o, link.Source, m)
	if err != nil {
		return Link{}, 0, err
	}
	defer body.Close()
	answer, err := t.Doer.Put(ctx, PutRequest{URL: slot.Put, Type: Octets, Headers: slot.Headers, Body: body, Size: o.Size + tagSize, Sent: sent})
	reached, spoilt := body.end()
	if ahead != nil {
		reached = ahead.done
	}
	switch {
	case spoilt != nil: // the HTTP side has only seen a broken body
		return Link{}, reached, spoilt
	case err != nil:
		return Link{}, reached, blame(ctx, err)
	}
	_ = answer.Body.Close()
	return link, reached, stored(answer)
}

func (t *Transfers) slot(ctx context.Context, r Request, ask AskSlot) (Slot, error) {
	s, err := ask(ctx, r)
	var f *Failure
	switch {
	case errors.As(err, &f):
		return s, f
	case err == nil:
		if err := t.Policy.Allows(s.Put); err != nil {
			return s, err
		}
		return s, t.Policy.Allows(s.Get)
	}
	if err = slotRefusal(err); errors.As(err, &f) {
		return s, f
	}
	return s, may(err)
}

// stored tells whether an answer says that the file is kept. A slot that was used, or
// is over, is asked for again.
// XEP-0363#upload
func stored(a *Answer) error {
	switch a.Status {
	case 200, 201, 204:
		return nil
	case 404, 409, 410:
		return may(fail(Refused, status(a.Status), "the place that the server gave for the file was not there any more"))
	}
	return answered(a)
}

// sealed is the body of a PUT: a file encrypted while it is read, and the tag at its
// end. HTTP may read it on after the attempt has ended: then it is closed.
type sealed struct {
	mu    sync.Mutex // all below; held while the file is read
	from  io.ReadCloser
	g     *gcm
	left  int64  // of the file
	tag   []byte // what is left of it, once left is 0
	meter *meter
	err   error // why there is no more; io.EOF at the end
	bad   error // the file's fault
}

// seal opens the file.
func seal(o Outgoing, s Source, m *meter) (*sealed, error) {
	g, err := newGCM(s.Key, s.IV)
	if err != nil {
		return nil, fail(Local, err, "the file cannot be encrypted")
	}
	from, err := o.Open()
	if err != nil {
		return nil, fail(Local, err, "the file cannot be opened")
	}
	return &sealed{from: from, g: g, left: o.Size, meter: m}, nil
}

// Read is of io.Reader.
func (s *sealed) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(b) == 0 {
		return 0, s.err
	}
	n, err := s.next(b)
	s.err = err
	if n > 0 {
		s.meter.add(n)
	}
	return n, err
}

func (s *sealed) next(b []byte) (int, error) {
	if s.left == 0 && s.tag == nil {
		if err := s.finish(); err != nil {
			return 0, err
		}
	}
	if s.left == 0 {
		n := copy(b, s.tag)
		if s.tag = s.tag[n:]; len(s.tag) == 0 {
			return n, io.EOF
		}
		return n, nil
	}
	b = b[:min(int64(len(b)), s.left, chunk)]
	n, err := s.from.Read(b)
	s.left -= int64(n)
	s.g.seal(b[:n])
	switch {
	case err == io.EOF && s.left > 0:
		return n, s.blame(fail(Changed, nil, "the file became shorter while it was being sent"))
	case err != nil && err != io.EOF:
		return n, s.blame(fail(Local, err, "the file cannot be read"))
	}
	return n, nil
}

// finish makes the tag, of a file that has to end here.
func (s *sealed) finish() error {
	var more [1]byte
	if n, _ := io.ReadFull(s.from, more[:]); n > 0 {
		return s.blame(fail(Changed, nil, "the file became longer while it was being sent"))
	}
	tag := s.g.sum()
	s.tag = tag[:]
	return nil
}

func (s *sealed) blame(f *Failure) error {
	s.bad = f
	return f
}

// end is how many bytes were read, and what the file is to blame for. Nothing more is
// read after it.
func (s *sealed) end() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = errors.New("files: the attempt is over")
	}
	return s.meter.done, s.bad
}

// Close is of io.Closer.
func (s *sealed) Close() error {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from.Close()
}

// String keeps what is inside out of logs.
func (s Source) String() string { return strings.TrimSpace("a file at " + hostOf(s.URL)) }
