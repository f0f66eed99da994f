package omemo

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestWhatIsSealedOpens(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		for _, plain := range []string{"", "x", "sixteen bytes!!!", "a longer text than one block has room for"} {
			key, pl, err := Seal(p, dice(1), []byte(plain))
			if err != nil || len(key) != map[Profile]int{Legacy: 32, Two: 48}[p] {
				t.Fatal(err, len(key))
			}
			if got, err := Open(p, key, pl); err != nil || string(got) != plain {
				t.Errorf("%q opens as %q, %v", plain, got, err)
			}
			for bit := range len(pl.Data) * 8 {
				if _, err := Open(p, key, Payload{pl.IV, flip(pl.Data, bit)}); !errors.Is(err, ErrTampered) {
					t.Fatalf("bit %d of the payload: %v", bit, err)
				}
			}
			for bit := range len(key) * 8 {
				if _, err := Open(p, flip(key, bit), pl); !errors.Is(err, ErrTampered) {
					t.Fatalf("bit %d of the key: %v", bit, err)
				}
			}
		}
	})
}

func TestLongIVsAndTagsInThePayloadAreRead(t *testing.T) {
	key, iv := make([]byte, 16), make([]byte, 16)
	aead, err := gcm(key, 16)
	if err != nil {
		t.Fatal(err)
	}
	sealed := aead.Seal(nil, iv, []byte("old"), nil)
	if got, err := Open(Legacy, key, Payload{iv, sealed}); err != nil || string(got) != "old" {
		t.Error(string(got), err)
	}
	behind := slices.Concat(key, sealed[3:])
	if got, err := Open(Legacy, behind, Payload{iv, sealed[:3]}); err != nil || string(got) != "old" {
		t.Error(string(got), err)
	}
}

func TestPayloadsHaveBounds(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		if _, _, err := Seal(p, dice(1), make([]byte, maxPayload)); !errors.Is(err, ErrMalformed) {
			t.Error(err)
		}
		for _, key := range [][]byte{nil, make([]byte, 15), make([]byte, 31), make([]byte, 47), make([]byte, 64)} {
			if _, err := Open(p, key, Payload{IV: make([]byte, 12)}); !errors.Is(err, ErrMalformed) {
				t.Errorf("a key of %d bytes: %v", len(key), err)
			}
		}
	})
	if _, err := Open(Legacy, make([]byte, 32), Payload{IV: make([]byte, 8)}); !errors.Is(err, ErrMalformed) {
		t.Error("a short IV:", err)
	}
}

func TestAnEmptyMessageGoesThroughTheRatchet(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		key, err := Empty(p, dice(1))
		if err != nil || len(key) != 32 || (p == Two) != bytes.Equal(key, make([]byte, 32)) {
			t.Error(key, err)
		}
	})
}
