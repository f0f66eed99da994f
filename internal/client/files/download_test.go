package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/keep"
)

// bubbled runs each scene on a clock of its own.
func bubbled(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestADownloadArrivesWholeWhateverHappensOnTheWay(t *testing.T) {
	const size = 3*chunk + 100
	old := func(s *scene) { s.web.files[place] = reference(t, random(1, 32), random(2, 12), random(3, size)) }
	for name, set := range map[string]func(*scene){
		"nothing":                         func(*scene) {},
		"it breaks in the middle":         func(s *scene) { s.web.steps = []step{{after: 100_000}} },
		"it breaks again and again":       func(s *scene) { s.web.steps = make20(step{after: 10_000}) },
		"it breaks before any answer":     func(s *scene) { s.web.steps = []step{{err: errBroke}, {err: errBroke}, {after: 1}} },
		"it breaks and there is no ETag":  func(s *scene) { s.web.etag, s.web.steps = "", []step{{after: 100_000}} },
		"it breaks and the ETag is weak":  func(s *scene) { s.web.etag, s.web.steps = `W/"1"`, []step{{after: 100_000}} },
		"ranges are ignored":              func(s *scene) { s.web.steps = []step{{after: 100_000}, {whole: true}} },
		"ranges are ignored twice":        func(s *scene) { s.web.steps = []step{{after: 100_000}, {whole: true, after: 5}, {whole: true}} },
		"its size is not told":            func(s *scene) { s.web.steps = []step{{unsized: true}} },
		"its size is not told, it breaks": func(s *scene) { s.web.steps = []step{{unsized: true, after: 70_000}, {unsized: true}} },
		"the server is busy":              func(s *scene) { s.web.steps = []step{{answer: answer(503, nil)}, {answer: answer(429, nil)}} },
		"nothing comes for long":          func(s *scene) { s.web.steps = []step{{stall: true}} },
		"another file answers the range": func(s *scene) {
			a := answer(206, random(1, 50))
			a.ContentRange, a.ETag = "bytes 100000-100049/100050", `"two"`
			s.web.steps = []step{{after: 100_000}, {answer: a}}
		},
		"another range than was asked for": func(s *scene) {
			a := answer(206, random(1, 50))
			a.ContentRange = fmt.Sprintf("bytes 5-54/%d", len(s.web.files[place]))
			s.web.steps = []step{{after: 100_000}, {answer: a}}
		},
		"a part where none was asked for": func(s *scene) {
			a := answer(206, random(1, 50))
			a.ContentRange = "bytes 0-49/50"
			s.web.steps = []step{{answer: a}}
		},
		"the file changes and the ETag tells": func(s *scene) {
			right := s.web.files[place]
			old(s)
			s.web.etag = `"old"`
			s.web.steps = []step{{after: 100_000}, {before: func() { s.web.files[place], s.web.etag = right, `"new"` }}}
		},
		"the file changes and nothing tells": func(s *scene) {
			right := s.web.files[place]
			old(s)
			s.web.etag = ""
			s.web.steps = []step{{after: 100_000}, {before: func() { s.web.files[place] = right }}}
		},
		"a part of an earlier run has holes": func(s *scene) {
			s.part.b = make([]byte, 90_000)
			s.d.ETag, s.d.Total = s.web.etag, int64(len(s.web.files[place]))
		},
		"a whole part of an earlier run has holes": func(s *scene) {
			s.part.b = make([]byte, len(s.web.files[place]))
			s.d.ETag, s.d.Total = s.web.etag, int64(len(s.web.files[place]))
		},
		"the part is longer than the file": func(s *scene) { s.part.b = make([]byte, size*2) },
		"the part is whole, by luck":       func(s *scene) { s.part.b = s.web.files[place] },
		"its end comes as an end of the connection": func(s *scene) {
			cut := answer(200, s.web.files[place][:1000])
			cut.Size = -1
			s.web.steps = []step{{answer: cut}}
		},
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newScene(size)
			set(s)
			s.arrived(t)
		})
	}
}

func make20(s step) (out []step) {
	for range 20 {
		out = append(out, s)
	}
	return out
}

func TestSmallAndEmptyFilesArrive(t *testing.T) {
	for _, size := range []int{0, 1, 15, 16, 17, chunk - tagSize, chunk} {
		bubbled(t, fmt.Sprint(size), func(t *testing.T) { newScene(size).arrived(t) })
	}
	bubbled(t, "empty and not encrypted", func(t *testing.T) {
		s := newScene(0)
		s.web.files[place], s.d.Source = nil, Source{URL: place}
		s.arrived(t)
	})
}

func TestADownloadThatIsNotWhatWasSentIsNoFile(t *testing.T) {
	const size = 2*chunk + 5
	flip := func(i int) func(*scene) {
		return func(s *scene) {
			b := s.web.files[place]
			b[(i+len(b))%len(b)] ^= 1
		}
	}
	for name, set := range map[string]func(*scene){
		"the first byte":    flip(0),
		"the middle":        flip(chunk + 7),
		"the last byte":     flip(-tagSize - 1),
		"the tag":           flip(-1),
		"the tag's start":   flip(-tagSize),
		"it is shortened":   func(s *scene) { s.web.files[place] = s.web.files[place][:size] },
		"it is cut to less": func(s *scene) { s.web.files[place] = s.web.files[place][:5] },
		"it is nothing":     func(s *scene) { s.web.files[place] = nil },
		"it is longer":      func(s *scene) { s.web.files[place] = append(s.web.files[place], 0) },
		"the key is wrong":  func(s *scene) { s.d.Source.Key = random(99, 32) },
		"the IV is wrong":   func(s *scene) { s.d.Source.IV = random(99, 12) },
		"the hash is wrong": func(s *scene) { s.d.Sums = []Sum{{"sha-256", random(5, 32)}} },
		"shorter than said": func(s *scene) { s.d.Size = size + 1 },
		"a hash stands for no tag, of another file": func(s *scene) {
			s.web.files[place], s.d.Size = s.web.files[place][:size], size
			s.d.Sums = []Sum{{"sha-256", random(5, 32)}}
		},
		"not encrypted, of another size":   func(s *scene) { s.d.Source, s.d.Size = Source{URL: place}, size },
		"not encrypted, with another hash": func(s *scene) { s.d.Source, s.d.Sums = Source{URL: place}, []Sum{{"sha-256", random(5, 32)}} },
		"much more than was said":          func(s *scene) { s.d.Size = 10; s.web.files[place] = make([]byte, slack+100) },
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newScene(size)
			set(s)
			s.refused(t, Tampered)
		})
	}
}

func TestASharedFileIsCutToItsSizeAndItsHashMayStandForTheTag(t *testing.T) {
	const size = chunk + 9
	bubbled(t, "padding", func(t *testing.T) {
		s := newScene(size)
		s.d.Size = size
		s.web.files[place] = reference(t, s.d.Source.Key, s.d.Source.IV, append(s.plain, make([]byte, 5000)...))
		s.arrived(t)
	})
	bubbled(t, "no tag", func(t *testing.T) {
		s := newScene(size)
		sum := sha256.Sum256(s.plain)
		s.d.Size, s.d.Sums = size, []Sum{{"unknown", nil}, {"sha-256", sum[:]}}
		s.web.files[place] = s.web.files[place][:size]
		s.arrived(t)
	})
	bubbled(t, "not encrypted", func(t *testing.T) {
		s := newScene(size)
		sum := sha256.Sum256(s.plain)
		s.d.Source, s.d.Size, s.d.Sums = Source{URL: place}, size, []Sum{{"sha-256", sum[:]}}
		s.web.files[place] = s.plain
		s.web.steps = []step{{after: 1000}}
		s.arrived(t)
	})
}

func TestAnInterruptedDownloadAsksForWhatIsMissingOnly(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(200_000)
		s.web.steps = []step{{after: 70_000}, {after: 50_000}}
		s.arrived(t)
		want := []GetRequest{{place, 0, ""}, {place, 70_000, `"one"`}, {place, 120_000, `"one"`}}
		if fmt.Sprint(s.web.gets) != fmt.Sprint(want) {
			t.Errorf("asked\n%v, want\n%v", s.web.gets, want)
		}
		if len(s.notes) != 1 || s.notes[0].ETag != `"one"` || s.notes[0].Total != 200_016 {
			t.Errorf("noted %v", s.notes)
		}
		if last := s.tells[len(s.tells)-1]; last != [2]int64{200_016, 200_016} {
			t.Errorf("the last progress is %v", last)
		}
	})
}

func TestADownloadGoesOnInAnotherRunOfTheProgram(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(200_000)
		store := keep.NewMemory()
		ctx, quit := context.WithCancel(t.Context())
		s.web.steps = []step{{after: 70_000}, {before: quit, err: errBroke}}
		if err := s.run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		var b keep.Batch
		if err := errors.Join(PutDownload(&b, s.notes[0]), store.Apply(&b)); err != nil {
			t.Fatal(err)
		}
		kept, err := Downloads(store)
		if err != nil || len(kept) != 1 {
			t.Fatal(kept, err)
		}
		s.d, s.web.gets = kept[0], nil
		s.arrived(t)
		if len(s.web.gets) != 1 || s.web.gets[0].From != 70_000 || s.web.gets[0].ETag != `"one"` {
			t.Errorf("asked %v", s.web.gets)
		}
	})
}

func TestPiecesThatNothingProvesAreNotPutTogether(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(200_000)
		s.web.files[place], s.d.Source, s.web.etag = s.plain, Source{URL: place}, ""
		s.web.steps = []step{{after: 70_000}}
		s.arrived(t)
		if s.web.gets[1].From != 0 {
			t.Errorf("asked for what is missing: %v", s.web.gets[1])
		}
	})
}

// TestPiecesOfAnotherFileAreNotPutTogether has files that nothing but the server's
// words would prove.
func TestPiecesOfAnotherFileAreNotPutTogether(t *testing.T) {
	for name, c := range map[string]struct{ etag, span string }{
		"another ETag":       {`"two"`, "bytes 70000-199999/200000"},
		"another size":       {`"one"`, "bytes 70000-199999/200001"},
		"another first byte": {`"one"`, "bytes 69999-199999/200000"},
		"no range":           {`"one"`, ""},
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newScene(200_000)
			s.web.files[place], s.d.Source = s.plain, Source{URL: place}
			a := answer(206, random(5, 130_000))
			a.ETag, a.ContentRange = c.etag, c.span
			s.web.steps = []step{{after: 70_000}, {answer: a}}
			s.arrived(t)
		})
	}
}

func TestFilesAboveTheLimitAreNotTaken(t *testing.T) {
	for name, set := range map[string]func(*scene){
		"declared by its sender":  func(s *scene) { s.d.Size = 5000 },
		"announced by the server": func(*scene) {},
		"announced by nobody":     func(s *scene) { s.web.steps = []step{{unsized: true}} },
		"announced by the server's range": func(s *scene) {
			s.part.b, s.d.ETag, s.d.Total = make([]byte, 10), `"one"`, -1
		},
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newScene(5000)
			s.d.Most = 4999
			set(s)
			if f := s.refused(t, TooLarge); f.Most != 4999 || f.Text != "the file is too large; at most 5.0 kB are allowed" {
				t.Errorf("%+v", f)
			}
		})
	}
	bubbled(t, "at the limit", func(t *testing.T) {
		s := newScene(5000)
		s.d.Most = 5000
		s.arrived(t)
	})
}

func TestAServersRefusalIsToldInPlainWords(t *testing.T) {
	for status, want := range map[int]Kind{404: Gone, 410: Gone, 403: Refused, 401: Refused, 302: Refused, 400: Refused, 204: Refused, 500: Unreachable} {
		bubbled(t, fmt.Sprint(status), func(t *testing.T) {
			s := newScene(10)
			for range 8 {
				s.web.steps = append(s.web.steps, step{answer: answer(status, []byte("<html>"))})
			}
			s.refused(t, want)
			if left := len(s.web.steps); (left == 0) != (want == Unreachable) {
				t.Errorf("%d steps are left", left)
			}
		})
	}
}

func TestATransferThatGetsNowhereIsGivenUpAndItsPartStays(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(200_000)
		s.web.steps = append([]step{{after: 70_000}}, make20(step{err: errBroke})...)
		began := time.Now()
		s.refused(t, Unreachable)
		if took := time.Since(began); took < 30*time.Second || took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		if len(s.part.b) != 70_000 {
			t.Errorf("the part has %d bytes", len(s.part.b))
		}
	})
}

func TestAServerThatGoesInCirclesIsLeft(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(200_000)
		s.web.steps = append(make20(step{whole: true, after: 50_000}), make20(step{whole: true, after: 50_000})...)
		s.refused(t, Unreachable)
		if len(s.web.gets) > 10 {
			t.Errorf("%d attempts", len(s.web.gets))
		}
	})
}

func TestAServerMayAskForPatience(t *testing.T) {
	bubbled(t, "", func(t *testing.T) {
		s := newScene(10)
		a := answer(503, nil)
		a.RetryAfter = "90"
		s.web.steps = []step{{answer: a}}
		began := time.Now()
		s.arrived(t)
		if took := time.Since(began); took < 90*time.Second || took > 95*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSourcesThatCannotBeReadAreNotAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Source)
		want   Kind
	}{
		"an unknown cipher": {func(s *Source) { s.Cipher = "urn:xmpp:ciphers:aes-256-cbc-pkcs7:0" }, Unreadable},
		"a short key":       {func(s *Source) { s.Key = s.Key[:16] }, Unreadable},
		"a short IV":        {func(s *Source) { s.IV = s.IV[:8] }, Unreadable},
		"http":              {func(s *Source) { s.URL = "http://files.example/a" }, Insecure},
		"http, loopback":    {func(s *Source) { s.URL = "http://127.0.0.1/a" }, Insecure},
		"file":              {func(s *Source) { s.URL = "file:///etc/passwd" }, Unreadable},
	} {
		bubbled(t, name, func(t *testing.T) {
			s := newScene(10)
			c.change(&s.d.Source)
			s.refused(t, c.want)
			if len(s.web.gets) > 0 {
				t.Error("it was asked for")
			}
		})
	}
}
