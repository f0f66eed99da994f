package upload

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"mirsal/internal/store"
)

const (
	// patience is how long the next step of a body may take, either way: the slowest
	// that is borne are about 2 kB/s.
	patience = 30 * time.Second
	step     = 64 << 10
	// longest is how long a PUT may take in all.
	longest = 2 * time.Hour
	// queueing is how long a PUT waits while others of its account run.
	queueing = 20 * time.Second
)

// refusal is an answer that is no file; the zero one refuses nothing.
type refusal struct {
	status int
	text   string
	result string // for the metrics
}

var (
	noSlot     = refusal{http.StatusNotFound, "There is no such place, or not any more: ask for another slot.", "unknown"}
	usedSlot   = refusal{http.StatusConflict, "This slot was used already: ask for another.", "twice"}
	noLength   = refusal{http.StatusLengthRequired, "Content-Length has to tell the size of the file.", "length"}
	wrongSize  = refusal{http.StatusBadRequest, "This is not the size that the slot was asked for with.", "length"}
	tooLong    = refusal{http.StatusRequestEntityTooLarge, "This is more than the slot was asked for with.", "length"}
	wrongType  = refusal{http.StatusUnsupportedMediaType, "This is not the content type that the slot was asked for with.", "type"}
	noParts    = refusal{http.StatusBadRequest, "A file is put as a whole.", "parts"}
	tooMany    = refusal{http.StatusTooManyRequests, "Too many uploads at a time; try again later.", "busy"}
	brokenOff  = refusal{http.StatusRequestTimeout, "The file did not come whole, or in time: try again.", "broken"}
	noRoom     = refusal{http.StatusInsufficientStorage, "The server has no room for files now.", "full"}
	notAllowed = refusal{http.StatusForbidden, "The account is gone.", "unknown"}
	ourFault   = refusal{http.StatusInternalServerError, "The file could not be kept.", "failed"}
)

func (r refusal) none() bool { return r.status == 0 }

func (r refusal) send(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if r.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, r.text, r.status)
}

// put takes the file of a slot.
// XEP-0363#upload
func (u *Upload) put(w http.ResponseWriter, r *http.Request) {
	conn := http.NewResponseController(w)
	bad := u.take(r, conn)
	// a body may have come for longer than an answer is waited for
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	if !bad.none() {
		u.metrics.puts.WithLabelValues(bad.result).Inc()
		bad.send(w)
		return
	}
	u.metrics.puts.WithLabelValues("kept").Inc()
	w.WriteHeader(http.StatusCreated)
}

// take is put but for the answer.
func (u *Upload) take(r *http.Request, conn *http.ResponseController) refusal {
	key := keyOf(r.PathValue("token"), r.PathValue("name"))
	s, bad := u.find(key, func(s *slot) refusal { return s.fits(r) })
	if !bad.none() {
		return bad
	}
	if !s.a.enter(r.Context()) {
		u.reopen(key, s)
		return tooMany
	}
	defer s.a.leave()
	err := u.store(r, conn, s)
	u.mu.Lock()
	s.state = used
	u.mu.Unlock()
	if err == nil {
		u.unpromise(s.size)
		return refusal{}
	}
	u.release(s.a, s.size)
	return u.whyNot(r, s, err)
}

// fits tells whether a request's head is what the slot was given for.
// XEP-0363#upload
func (s *slot) fits(r *http.Request) refusal {
	t, ok := mediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Header.Get("Content-Range") != "":
		return noParts // RFC 9110 §14.5
	case r.ContentLength < 0:
		return noLength
	case r.ContentLength > s.size:
		return tooLong
	case r.ContentLength < s.size:
		return wrongSize
	case !ok || s.media != "" && t != "" && t != s.media:
		return wrongType
	}
	return refusal{}
}

// enter waits for a turn of the account's.
func (a *account) enter(ctx context.Context) bool {
	clock := time.NewTimer(queueing)
	defer clock.Stop()
	select {
	case a.turns <- struct{}{}:
		return true
	case <-clock.C:
	case <-ctx.Done():
	}
	return false
}

func (a *account) leave() { <-a.turns }

// store keeps a body as the file of a slot.
func (u *Upload) store(r *http.Request, conn *http.ResponseController, s *slot) error {
	if free, err := u.blob.Free(); err != nil || free-s.size < u.cfg.MinFree {
		return errors.Join(err, errFull)
	}
	u.metrics.running.Inc()
	defer u.metrics.running.Dec()
	u.setBusy(s.key, true)
	defer u.setBusy(s.key, false)
	body := &pacedBody{from: r.Body, conn: conn, end: time.Now().Add(longest), in: u.metrics.in}
	if err := u.blob.Put(r.Context(), s.key, s.size, body); err != nil {
		return errors.Join(body.blame(err), u.discard(r, s.key))
	}
	media := s.media
	if media == "" {
		media, _ = mediaType(r.Header.Get("Content-Type"))
	}
	// from here on it does not matter whether the client is still there
	ctx := context.WithoutCancel(r.Context())
	err := u.keep(ctx, s, record{key: s.key, size: s.size, media: media})
	if err != nil {
		err = errors.Join(err, u.removeBlob(ctx, s.a.owner, s.key))
	}
	return err
}

// discard removes what a bucket may have although it was not heard to say so. Where that
// fails too, the next start does it.
func (u *Upload) discard(r *http.Request, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	return u.blob.Delete(ctx, key)
}

var (
	errFull   = errors.New("upload: no room")
	errBroken = errors.New("upload: the body did not come whole")
)

// whyNot says why a file was not kept, and logs what is no fault of the client's.
func (u *Upload) whyNot(r *http.Request, s *slot, err error) refusal {
	switch {
	case errors.Is(err, errGone):
		return notAllowed
	case errors.Is(err, errBroken), errors.Is(err, store.ErrLength), r.Context().Err() != nil:
		return brokenOff
	case errors.Is(err, errFull):
		return noRoom
	}
	u.cfg.Log.Error("a file cannot be kept", "at", u.blob.String(), "jid", s.a.owner.String(), "size", strconv.FormatInt(s.size, 10), "err", err)
	return ourFault
}

// pacedBody is a body of which every step has to arrive in time.
type pacedBody struct {
	from io.Reader
	conn *http.ResponseController
	in   counter
	end  time.Time // of all of it
	left int       // of the step
	err  error     // of the body
}

type counter interface{ Add(float64) }

func (p *pacedBody) Read(b []byte) (int, error) {
	if p.left <= 0 {
		p.left = step
		p.within(time.Now().Add(patience))
	}
	n, err := p.from.Read(b)
	p.left -= n
	p.in.Add(float64(n))
	if err == io.EOF {
		// from now on net/http looks whether the client is there, for as long as it takes
		_ = p.conn.SetReadDeadline(time.Time{})
	} else if err != nil {
		p.err = err
	}
	return n, err
}

// within sets a deadline; what is no connection, in tests, needs none.
func (p *pacedBody) within(t time.Time) {
	if t.After(p.end) {
		t = p.end
	}
	_ = p.conn.SetReadDeadline(t)
}

// blame tells the client's fault from ours.
func (p *pacedBody) blame(err error) error {
	if p.err != nil {
		return errors.Join(errBroken, err)
	}
	return err
}
