package rooms

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// former knows how often each name was an account before. Who takes a name that
// somebody had is somebody else, and has another occupant id. What is kept says
// nothing of the names.
type former struct {
	bucket *store.Bucket
	key    []byte

	mu    sync.RWMutex
	times map[string]int // by hash of the name
}

const keyFormer = "key"

func newFormer(kv store.KV) *former {
	return &former{times: map[string]int{}, bucket: kv.Declare(store.Space{
		Name:    "room-former",
		Fields:  "hash of a removed account's name -> how often there was one; key of the hashes",
		Purpose: "who takes a name again is not taken for who had it before",
		Until:   "the server itself is gone",
	})}
}

func (f *former) load(ctx context.Context) error {
	items, err := f.bucket.Scan(ctx, "", store.Range{})
	if err != nil {
		return err
	}
	for _, i := range items {
		if i.Key == keyFormer {
			f.key = i.Value
			continue
		}
		n, err := strconv.Atoi(string(i.Value))
		if err != nil {
			return errors.New("a number of former accounts is none")
		}
		f.times[i.Key] = n
	}
	if f.key == nil {
		f.key = make([]byte, 32)
		rand.Read(f.key)
		return f.bucket.Put(ctx, "", keyFormer, f.key)
	}
	return nil
}

func (f *former) hash(bare jid.JID) string {
	h := hmac.New(sha256.New, f.key)
	h.Write([]byte(bare.String()))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// add notes that an account is gone.
func (f *former) add(ctx context.Context, bare jid.JID) error {
	name := f.hash(bare)
	f.mu.Lock()
	f.times[name]++
	n := f.times[name]
	f.mu.Unlock()
	return f.bucket.Put(ctx, "", name, []byte(strconv.Itoa(n)))
}

// of is how often there was such an account before.
func (f *former) of(bare jid.JID) int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.times) == 0 {
		return 0
	}
	return f.times[f.hash(bare)]
}
