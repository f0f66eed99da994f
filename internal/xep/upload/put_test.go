package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
)

func TestOneSlotTakesOnePut(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		put, get := h.slot(alice, "a", 4, "")
		if status := h.put(put, "text"); status != http.StatusCreated {
			t.Fatal(status)
		}
		if status := h.put(put, "evil"); status != http.StatusConflict {
			t.Error(status)
		}
		if _, text := h.got(get); text != "text" {
			t.Error(text)
		}
		// two at once: the first that came has it
		put, get = h.slot(alice, "a", 4, "")
		line, begun := io.Pipe()
		first := make(chan int)
		go func() {
			r := httptest.NewRequest(http.MethodPut, strings.TrimPrefix(put, "https://example.org:5443"), line)
			r.ContentLength = 4
			w := httptest.NewRecorder()
			h.mux.ServeHTTP(w, r)
			first <- w.Code
		}()
		_, _ = begun.Write([]byte("mi"))
		if status := h.put(put, "evil"); status != http.StatusConflict {
			t.Error(status)
		}
		_, _ = begun.Write([]byte("ne"))
		begun.Close()
		if status := <-first; status != http.StatusCreated {
			t.Error(status)
		}
		if _, text := h.got(get); text != "mine" {
			t.Error(text)
		}
		if got := h.told(alice); got != "8 2" || h.u.promised != 0 {
			t.Error(got, h.u.promised)
		}
	})
}

func TestWhatIsPutIsWhatWasPromised(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		put, get := h.slot(alice, "a.png", 4, "image/png")
		for _, c := range []struct {
			text   string
			status int
			header []string
		}{
			{"tex", http.StatusBadRequest, nil},
			{"texts", http.StatusRequestEntityTooLarge, nil},
			{"text", http.StatusUnsupportedMediaType, []string{"Content-Type", "text/html"}},
			{"text", http.StatusUnsupportedMediaType, []string{"Content-Type", "///"}},
			{"text", http.StatusBadRequest, []string{"Content-Range", "bytes 0-3/100"}},
		} {
			if status := h.put(put, c.text, c.header...); status != c.status {
				t.Errorf("%q %q: %d instead of %d", c.text, c.header, status, c.status)
			}
		}
		if r := h.do(http.MethodPut, put, struct{ io.Reader }{strings.NewReader("text")}); r.StatusCode != http.StatusLengthRequired {
			t.Error("without a length:", r.StatusCode)
		}
		if status, _ := h.got(get); status != http.StatusNotFound || h.left() > 0 {
			t.Error(status, h.left())
		}
		// what was refused for its head has not used the slot
		if status := h.put(put, "text", "Content-Type", "image/PNG; x=y"); status != http.StatusCreated {
			t.Error(status)
		}
	})
}

// declared is a body with another length than it has.
func (h *house) declared(put string, size int64, body io.Reader) int {
	r := httptest.NewRequest(http.MethodPut, strings.TrimPrefix(put, h.u.cfg.URL), body)
	r.ContentLength = size
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	return w.Code
}

func TestAHalfUploadLeavesNothing(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		cut := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("the line is cut")))
		for _, body := range []io.Reader{strings.NewReader("short"), strings.NewReader("longer than said"), cut} {
			put, get := h.slot(alice, "a", 10, "")
			if status := h.declared(put, 10, body); status != http.StatusRequestTimeout {
				t.Error(status)
			}
			if status, _ := h.got(get); status != http.StatusNotFound {
				t.Error(status)
			}
			if status := h.put(put, "0123456789"); status != http.StatusConflict {
				t.Error("the slot goes on:", status)
			}
		}
		if got := h.told(alice); got != "0 0" || h.left() > 0 || h.entries() > 0 || h.u.promised != 0 || len(h.u.busy) > 0 {
			t.Error("left:", got, h.left(), h.entries(), h.u.promised, h.u.busy)
		}
	})
}

// deaf is an engine whose answers are lost: it has what was put, and does not know.
type deaf struct{ store.Blob }

func (d deaf) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	return errors.Join(d.Blob.Put(ctx, name, size, r), errors.New("no answer"))
}

func TestABucketThatWasNotHeardKeepsNothing(t *testing.T) {
	run(t, config(), func(h *house) {
		h.u.blob = deaf{h.blob}
		alice := h.Login("alice@example.org/a")
		put, get := h.slot(alice, "a", 4, "")
		if status := h.put(put, "text"); status != http.StatusInternalServerError {
			t.Error(status)
		}
		if status, _ := h.got(get); status != http.StatusNotFound {
			t.Error(status)
		}
		if got := h.told(alice); got != "0 0" || h.left() > 0 || h.u.promised != 0 {
			t.Error("left:", got, h.left(), h.u.promised)
		}
	})
}

func TestAHundredUploadsAtOnceKeepToTheQuota(t *testing.T) {
	cfg := config()
	cfg.Quota, cfg.Files = 50*1000+500, 1000
	run(t, cfg, func(h *house) {
		var clients []*coretest.Client
		for i := range 10 {
			clients = append(clients, h.Login("alice@example.org/"+string(rune('a'+i))))
		}
		var run sync.WaitGroup
		var mu sync.Mutex
		kept := 0
		for i := range 100 {
			put, _, _ := h.ask(clients[i%10], "filename='a' size='1000'")
			if put == "" {
				continue
			}
			run.Go(func() {
				if h.put(put, strings.Repeat("x", 1000)) == http.StatusCreated {
					mu.Lock()
					kept++
					mu.Unlock()
				}
			})
		}
		run.Wait()
		if kept != 50 || h.left() != 50 || h.told(clients[0]) != "50000 50" {
			t.Error(kept, h.left(), h.told(clients[0]))
		}
		_, _, answer := h.ask(clients[0], "filename='a' size='501'")
		has(h.T, answer, "resource-constraint", "type='wait'", "<retry xmlns='"+ns+"' stamp='", "<bytes used='50000' limit='50500'/>")
		if put, _, answer := h.ask(clients[0], "filename='a' size='500'"); put == "" {
			t.Error("the rest of the quota is not given:", answer)
		}
	})
}

func TestAFullQuotaSaysWhenThereIsRoomAgain(t *testing.T) {
	cfg := config()
	cfg.Files = 2
	run(t, cfg, func(h *house) {
		alice, bob := h.Login("alice@example.org/a"), h.Login("bob@example.org/b")
		first := time.Now()
		h.send(alice, "one")
		time.Sleep(time.Hour)
		h.send(alice, "two")
		_, _, answer := h.ask(alice, "filename='a' size='1'")
		has(h.T, answer, first.Add(cfg.Keep+time.Second).UTC().Format("stamp='2006-01-02T15:04:05.000Z'"))
		if put, _, answer := h.ask(bob, "filename='a' size='1'"); put == "" {
			t.Error("another account's quota:", answer)
		}
		time.Sleep(cfg.Keep)
		synctest.Wait()
		if put, _, answer := h.ask(alice, "filename='a' size='1'"); put == "" {
			t.Error(answer)
		}
	})
}

func TestAFullDiskIsNotFilledFurther(t *testing.T) {
	cfg := config()
	cfg.MinFree = 1 << 60
	run(t, cfg, func(h *house) {
		alice := h.Login("alice@example.org/a")
		_, _, answer := h.ask(alice, "filename='a' size='5'")
		has(h.T, answer, "resource-constraint")
		if got := h.told(alice); got != "0 0" || h.u.promised != 0 {
			t.Error(got, h.u.promised)
		}
		// filled after the slot was given
		h.u.cfg.MinFree = 0
		put, _ := h.slot(alice, "a", 4, "")
		h.u.cfg.MinFree = 1 << 60
		if status := h.put(put, "text"); status != http.StatusInsufficientStorage || h.left() > 0 {
			t.Error(status)
		}
	})
}

func TestOneAccountRunsAFewPutsAtATimeAndHarmsNobodyElse(t *testing.T) {
	cfg := config()
	cfg.Files = 100
	run(t, cfg, func(h *house) {
		alice, bob := h.Login("alice@example.org/a"), h.Login("bob@example.org/b")
		var slow []*io.PipeWriter
		var run sync.WaitGroup
		for range maxPuts {
			put, _ := h.slot(alice, "a", 4, "")
			r, w := io.Pipe()
			slow = append(slow, w)
			run.Go(func() { h.declared(put, 4, r) })
		}
		synctest.Wait()
		put, _ := h.slot(alice, "a", 4, "")
		if status := h.put(put, "text"); status != http.StatusTooManyRequests {
			t.Error(status)
		}
		h.send(bob, "quick")
		for _, w := range slow {
			_, _ = io.Copy(w, bytes.NewReader([]byte("slow")))
			w.Close()
		}
		run.Wait()
		if status := h.put(put, "text"); status != http.StatusCreated {
			t.Error("the slot that had to wait:", status)
		}
	})
}

func TestASlowBodyGetsItsTimeStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var deadlines []time.Duration
		w := deadlined{httptest.NewRecorder(), func(d time.Time) {
			if d.IsZero() {
				deadlines = append(deadlines, 0)
			} else {
				deadlines = append(deadlines, time.Until(d))
			}
		}}
		b := &pacedBody{from: iotest.OneByteReader(strings.NewReader(strings.Repeat("x", step+2))), conn: http.NewResponseController(w),
			end: time.Now().Add(patience + time.Second), in: newMetrics(nil).in}
		buf := make([]byte, 10)
		for range step {
			if n, err := b.Read(buf); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		time.Sleep(2 * time.Second)
		if n, err := io.Copy(io.Discard, b); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		if len(deadlines) != 3 || deadlines[0] != patience || deadlines[1] != patience-time.Second || deadlines[2] != 0 {
			t.Error("one for each step, none past the end, and none once all is there:", deadlines)
		}
	})
}

type deadlined struct {
	*httptest.ResponseRecorder
	set func(time.Time)
}

func (d deadlined) SetReadDeadline(t time.Time) error {
	d.set(t)
	return nil
}
