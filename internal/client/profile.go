package client

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
)

// The engine's own tables; those of the keys and of the timeline are theirs.
const (
	profileTable keep.Table = "client.profile" // one row, "account": profile
	contactTable keep.Table = "client.contacts"
	roomTable    keep.Table = "client.rooms"
	chatTable    keep.Table = "client.chats" // settings of a chat: chatSettings
)

// profile is who is signed in here. The password is kept only where the server
// gives out no token (XEP-0484).
type profile struct {
	Address  string      `json:"address"`
	Server   string      `json:"server,omitempty"`
	Device   string      `json:"device"`           // a UUID
	Signed   bool        `json:"signed,omitempty"` // it was signed in once: the address is right
	Password string      `json:"password,omitempty"`
	Token    *conn.Token `json:"token,omitempty"`
	Removed  bool        `json:"removed,omitempty"` // the server has ended its sign-in, or another device has
	Label    string      `json:"label,omitempty"`   // what this device is called, where a person has said so
	Linking  *linking    `json:"linking,omitempty"` // while an old device hands over what it has
}

// chatSettings is what is kept of a chat beside its lines.
type chatSettings struct {
	Plain bool `json:"plain,omitempty"` // a person has switched encryption off
	Wrote bool `json:"wrote,omitempty"` // a person has written there
	Room  bool `json:"room,omitempty"`  // it was an encrypted room once; that stays when it is left

	Owed []string `json:"owed,omitempty"` // messages whose sender may not hear yet that they have arrived

	Pinned   time.Time   `json:"pinned,omitzero"`
	Muted    time.Time   `json:"muted,omitzero"`    // until
	Archived time.Time   `json:"archived,omitzero"` // since
	Draft    *port.Draft `json:"draft,omitempty"`
	Pins     []string    `json:"pins,omitempty"`
}

// open reads the profile.
func (e *Engine) open() error {
	if err := e.openSignup(); err != nil {
		return err
	}
	raw, err := e.Store.Get(profileTable, "account")
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, &e.profile); err != nil {
		return fmt.Errorf("the profile is damaged: %w", err)
	}
	e.Label = cmp.Or(e.profile.Label, e.Label)
	return e.openAccount()
}

// openAccount reads all that belongs to the profile's account.
func (e *Engine) openAccount() error {
	own, err := jid.Parse(e.profile.Address)
	if err != nil {
		return fmt.Errorf("the profile is damaged: %w", err)
	}
	e.own = own.Bare()
	e.uploading, e.loading = map[string]context.CancelFunc{}, map[string]context.CancelFunc{}
	e.keyNews, e.stuck, e.looked = map[string]bool{}, map[string]bool{}, map[string]bool{}
	e.fetching, e.sending, e.tickets = map[string]*fetch{}, map[string]uint64{}, map[uint64]string{}
	if e.keys, err = e2ee.Open(e2ee.Config{Store: e.Store, Own: e.own, Label: e.Label, Rand: e.Rand, Now: e.Now, Two: true}); err != nil {
		return err
	}
	return e.openHistory()
}

// openHistory reads what is not keys.
func (e *Engine) openHistory() (err error) {
	e.people, e.rooms, e.chats = map[string]*contact{}, map[string]*room{}, map[string]chatSettings{}
	if e.lines, err = timeline.Open(e.Store, timeline.Config{Own: e.own.String(), Rand: e.Rand, Dress: e.dress, Name: e.nameOf, Now: e.Now}); err != nil {
		return err
	}
	return e.openTables()
}

func (e *Engine) openTables() error {
	if err := scan(e.Store, contactTable, func(key string, c *contact) { e.people[key] = c }); err != nil {
		return err
	}
	if err := scan(e.Store, roomTable, func(key string, r *room) { e.rooms[key] = r.opened() }); err != nil {
		return err
	}
	if err := e.openPrivacy(); err != nil {
		return err
	}
	if err := cmp.Or(e.openFaces(), e.openCalls()); err != nil {
		return err
	}
	return scan(e.Store, chatTable, func(key string, s *chatSettings) { e.chats[key] = *s })
}

// scan reads a table of JSON rows.
func scan[T any](s keep.Store, t keep.Table, f func(key string, row *T)) error {
	var bad error
	err := s.Scan(t, keep.Range{}, func(key string, value []byte) bool {
		row := new(T)
		if bad = json.Unmarshal(value, row); bad != nil {
			bad = fmt.Errorf("%w: %s: %v", keep.ErrDamaged, t, bad)
			return false
		}
		f(key, row)
		return true
	})
	if err != nil {
		return err
	}
	return bad
}

// put adds a JSON row to a batch.
func put(b *keep.Batch, t keep.Table, key string, row any) {
	raw, err := json.Marshal(row)
	if err != nil { // rows are structs of strings and numbers
		panic(err)
	}
	b.Put(t, key, raw)
}

// keepProfile stores the profile as it is now.
func (e *Engine) keepProfile() bool {
	var b keep.Batch
	put(&b, profileTable, "account", e.profile)
	return e.keepBatch(&b)
}

// newUUID is a random UUID (RFC 9562 §5.4).
func newUUID(rand io.Reader) (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(rand, u[:]); err != nil {
		return "", err
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}
