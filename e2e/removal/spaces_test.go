package removal

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/store"
)

// ways say of every declared space how an account comes into it. A space that is
// not here fails the test: whoever adds one says what becomes of an account in it,
// and lets people below do what fills it, where it is not enough that the account owns
// what it keeps (a key of every space is planted for it, whatever is said here).
//
// "did": the account is in it, as owner or in what is kept, by what it did below.
// "owns": only as owner, which the planted key stands for.
// "elsewhere": another test makes the account known in it, and removes it.
// "never": nothing in it is about accounts, and why.
var ways = map[string]string{
	"announcement":         "never: the last name that got an announcement, until all have it",
	"archive":              "never: the key of ids",
	"archive-cursors":      "did",
	"archive-prefs":        "did",
	"blocked":              "did",
	"call-attempts":        "did",
	"call-links":           "did",
	"call-rules":           "never: the serial number of the newest rules",
	"circle":               "did",
	"device":               "did",
	"invitation":           "did",
	"last-seen":            "did",
	"last-seen-here":       "owns",
	"last-seen-server":     "never: when the server last ran",
	"meeting":              "never: who is still to meet whom; dropped within a minute where one is not there",
	"offline-owed":         "owns",
	"outage":               "never: times and texts of the operator",
	"passkey":              "owns",
	"passkey-owner":        "elsewhere: it takes a passkey, and internal/xep/passkey has both and tests it",
	"privacy":              "did",
	"private-xml":          "did",
	"pubsub-expiring":      "owns",
	"pubsub-items":         "did",
	"pubsub-nodes":         "did",
	"pubsub-order":         "did",
	"pubsub-subscriptions": "did",
	"push":                 "did",
	"push-health":          "owns",
	"push-key":             "never: the server's own key",
	"report":               "did",
	"report-told":          "never: when administrators were last told",
	"room-affiliations":    "did",
	"room-former":          "never: how often a name was an account; the names are hashed",
	"room-notes":           "never: addresses of rooms",
	"room-requests":        "elsewhere: it asks at a room by its link, and internal/xep/rooms has both and tests it",
	"rooms":                "did",
	"roster":               "did",
	"roster-requests":      "did",
	"roster-version":       "did",
	"server":               "never: the domain, a secret, and removals that are not over",
	"sleeping-session":     "owns",
	"standing-message":     "never: texts of the operator",
	"standing-seen":        "did",
	"upload":               "did",
	"upload-index":         "did",
	"vcard":                "did",
}

// stays are things that somebody else keeps about an account that is gone: they are
// his own, and go when he does, as do the messages in his archive. By space and the
// beginning of the owner.
var stays = []struct{ space, owner, why string }{
	{"blocked", "bob@", "whom bob has blocked is bob's to say"},
	{"call-attempts", "bob@", "who has called bob is in bob's list of calls until it is old: a caller cannot erase it by going"},
}

// watched is a store that remembers what was declared.
type watched struct {
	store.Store
	buckets map[string]*store.Bucket
}

func (w *watched) Declare(s store.Space) *store.Bucket {
	b := w.Store.Declare(s)
	w.buckets[s.Name] = b
	return b
}

// plant puts a key into every space for an owner.
func (w *watched) plant(ctx context.Context, owner, value string) error {
	for _, b := range w.buckets {
		if err := b.Put(ctx, owner, "planted", []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// mentions are the places where a word stands, by space: owner, key or value.
func (w *watched) mentions(ctx context.Context, word string) (map[string][]string, error) {
	found := map[string][]string{}
	for name, b := range w.buckets {
		owners, err := b.Owners(ctx)
		if err != nil {
			return nil, err
		}
		for _, owner := range owners {
			items, err := b.Scan(ctx, owner, store.Range{})
			if err != nil {
				return nil, err
			}
			for _, it := range items {
				if strings.Contains(owner+" "+it.Key+" "+string(it.Value), word) {
					found[name] = append(found[name], fmt.Sprintf("%s %s: %.80q", owner, it.Key, it.Value))
				}
			}
		}
	}
	return found, nil
}

// filled checks that every space is said something of, and that the account really is
// where it should be: else the test would prove nothing.
func (w *watched) filled(t *testing.T, found map[string][]string) {
	t.Helper()
	for name := range w.buckets {
		way, known := ways[name]
		switch {
		case !known:
			t.Errorf("the space %q is new: say in e2e/removal/spaces_test.go how an account comes into it, and what removes it", name)
		case way == "did" && len(found[name]) == 0:
			t.Errorf("the account is nowhere in the space %q, although it should be by what it did", name)
		}
	}
	for _, s := range w.Spaces() {
		if strings.HasPrefix(ways[s.Name], "never") && s.Life == 0 && s.Until == "" {
			t.Errorf("what is in the space %q outlives an account: say in store.Space.Until how long it is kept, people are told of it", s.Name)
		}
	}
	for name := range ways {
		if w.buckets[name] == nil {
			t.Errorf("there is no space %q any more: take it off the list", name)
		}
	}
}

// clean checks that the word is nowhere but where it may stay.
func (w *watched) clean(t *testing.T, found map[string][]string) {
	t.Helper()
	for name, places := range found {
		for _, p := range places {
			if !mayStay(name, p) {
				t.Errorf("still in the space %q: %s", name, p)
			}
		}
	}
}

func mayStay(space, place string) bool {
	for _, s := range stays {
		if s.space == space && strings.HasPrefix(place, s.owner) {
			return true
		}
	}
	return false
}
