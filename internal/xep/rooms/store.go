package rooms

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// keeper is what rooms keep on disk: rooms that stay keep everything, others
// nothing. The owner is the room's bare JID.
type keeper struct {
	kv       store.KV
	rooms    *store.Bucket
	affs     *store.Bucket
	requests *store.Bucket
}

// Keys of the space of rooms.
const (
	keyConfig  = "config"
	keySubject = "subject"
	keySecret  = "secret"
	keyAvatar  = "avatar"
	keyLink    = "link"
)

func newKeeper(kv store.KV) *keeper {
	return &keeper{
		kv: kv,
		rooms: kv.Declare(store.Space{
			Name:    "rooms",
			Fields:  "config: settings and who made the room; subject; avatar; link: by which people come; secret: the key of occupant ids",
			Purpose: "rooms that stay when the last one leaves",
			Until:   "the room is closed",
		}),
		affs: kv.Declare(store.Space{
			Name:    "room-affiliations",
			Fields:  "account -> affiliation, registered nick, reason of a ban",
			Purpose: "who owns, administers and belongs to a room, and who may not enter it",
		}),
		requests: kv.Declare(store.Space{
			Name:    "room-requests",
			Fields:  "account -> when it asked to be let into a room, wished nick, whether that was declined",
			Purpose: "admins of a room decide about who comes by its link",
			Life:    requestLife + time.Hour,
		}),
	}
}

// keptConfig is the value of keyConfig.
type keptConfig struct {
	Config  Config
	Creator string
}

// listing is what the service knows of every room that stays.
type listing struct {
	name    string
	public  bool
	creator jid.JID
}

// create makes a room new: nobody else knows it yet.
func (r *room) create(maker jid.JID) {
	r.fresh, r.locked, r.creator = true, true, maker
	r.affs[maker] = affiliated{Affiliation: Owner}
	r.cfg = DefaultConfig()
	r.cfg.History = r.svc.set.History
	r.secret = make([]byte, 32)
	rand.Read(r.secret)
}

// Load reads which rooms there are, and forgets what others have left behind. Called
// once, before anybody is served.
func (s *Rooms) Load(ctx context.Context) error {
	if err := s.former.load(ctx); err != nil {
		return fmt.Errorf("rooms: %w", err)
	}
	owners, err := s.store.rooms.Owners(ctx)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		j, err := jid.Parse(owner)
		if err != nil {
			return fmt.Errorf("rooms: %q: %w", owner, err)
		}
		kept, err := s.store.config(ctx, j)
		if err != nil {
			return fmt.Errorf("rooms: %s: %w", j, err)
		}
		creator, _ := jid.Parse(kept.Creator) // zero where it is gone
		s.index[j] = listing{kept.Config.Name, kept.Config.Public, creator}
		if err := s.loadKeys(j, kept.Config); err != nil {
			return fmt.Errorf("rooms: %s: %w", j, err)
		}
	}
	return s.forgetLeft(ctx)
}

func (k *keeper) config(ctx context.Context, j jid.JID) (kept keptConfig, err error) {
	item, err := k.rooms.Get(ctx, j.String(), keyConfig)
	if err != nil {
		return kept, err
	}
	return kept, json.Unmarshal(item.Value, &kept)
}

// load fills a room with what is kept of it.
func (k *keeper) load(r *room) error {
	ctx, owner := context.Background(), r.jid.String()
	kept, err := k.config(ctx, r.jid)
	if err != nil {
		return err
	}
	r.cfg = kept.Config
	r.creator, _ = jid.Parse(kept.Creator)
	items, err := k.rooms.Scan(ctx, owner, store.Range{})
	if err != nil {
		return err
	}
	for _, i := range items {
		switch i.Key {
		case keySubject:
			err = errors.Join(err, json.Unmarshal(i.Value, &r.subject))
		case keySecret:
			r.secret = i.Value
		case keyAvatar:
			r.avatar = i.Value
		case keyLink:
			err = errors.Join(err, json.Unmarshal(i.Value, &r.link))
		}
	}
	return errors.Join(err, k.loadAffiliations(ctx, r), k.loadRequests(ctx, r))
}

func (k *keeper) loadAffiliations(ctx context.Context, r *room) error {
	return eachOf(ctx, k.affs, r.jid, func(who jid.JID, a affiliated) {
		r.affs[who] = a
		r.reserve(who, "", a.Nick)
	})
}

// eachOf hands on what a room keeps in a space by people's addresses.
func eachOf[V any](ctx context.Context, in *store.Bucket, room jid.JID, take func(jid.JID, V)) error {
	items, err := in.Scan(ctx, room.String(), store.Range{})
	if err != nil {
		return err
	}
	for _, i := range items {
		who, err := jid.Parse(i.Key)
		if err != nil {
			return err
		}
		var v V
		if err := json.Unmarshal(i.Value, &v); err != nil {
			return err
		}
		take(who, v)
	}
	return nil
}

// stays tells whether the room is kept on disk; under mu.
func (r *room) stays() bool { return r.cfg.Persistent && !r.locked }

// keep writes ops of a room that stays, durable on return; under mu.
func (r *room) keep(ops ...store.Op) error {
	if !r.stays() || len(ops) == 0 {
		return nil
	}
	return r.svc.store.kv.Apply(context.Background(), r.jid.String(), ops...)
}

// opConfig is the op that writes the configuration.
func (r *room) opConfig(c Config) store.Op {
	b, _ := json.Marshal(keptConfig{c, r.creator.String()}) // of these types it cannot fail
	return r.svc.store.rooms.Set(keyConfig, b)
}

func (r *room) opSubject(sub subject) store.Op {
	b, _ := json.Marshal(sub)
	return r.svc.store.rooms.Set(keySubject, b)
}

func (r *room) opAvatar(b []byte) store.Op {
	if len(b) == 0 {
		return r.svc.store.rooms.Unset(keyAvatar)
	}
	return r.svc.store.rooms.Set(keyAvatar, b)
}

func (r *room) opAffiliation(who jid.JID, a affiliated) store.Op {
	if a == (affiliated{Affiliation: None}) {
		return r.svc.store.affs.Unset(who.String())
	}
	b, _ := json.Marshal(a)
	return r.svc.store.affs.Set(who.String(), b)
}

// keepAll writes everything, of a room that stays from now on; under mu.
func (r *room) keepAll() error {
	ops := []store.Op{r.opConfig(r.cfg), r.opSubject(r.subject), r.svc.store.rooms.Set(keySecret, r.secret), r.opAvatar(r.avatar)}
	for who, a := range r.affs {
		ops = append(ops, r.opAffiliation(who, a))
	}
	if err := r.keep(ops...); err != nil {
		return err
	}
	r.unnote()
	r.list()
	return nil
}

// forgetAll is the reverse; the room itself goes on.
func (r *room) forgetAll() error {
	if err := r.unkeep(); err != nil {
		return err
	}
	r.list()
	return nil
}

// unkeep removes all that is kept of a room but its archive, which goes with the room
// from now on, whatever happens to the server; under mu.
func (r *room) unkeep() error {
	if err := r.note(); err != nil {
		return err
	}
	if err := r.svc.store.kv.RemoveOwner(r.svc.background(), r.jid.String()); err != nil {
		return err
	}
	r.unlink()
	clear(r.requests)
	return nil
}

// list keeps the index of rooms that stay; under mu.
func (r *room) list() {
	r.rekey()
	s := r.svc
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.stays() || r.gone {
		delete(s.index, r.jid)
		return
	}
	s.index[r.jid] = listing{r.cfg.Name, r.cfg.Public, r.creator}
}

// setAffiliated changes what is known of a person, after it was written; under mu.
func (r *room) setAffiliated(who jid.JID, a affiliated) {
	r.reserve(who, r.affs[who].Nick, a.Nick)
	if a.Affiliation != None {
		r.unasked(who)
	}
	r.svc.extras.keys.person(r.jid, who, a.Affiliation >= Member, a.Came)
	if a == (affiliated{Affiliation: None}) {
		delete(r.affs, who)
		return
	}
	r.affs[who] = a
}

// change writes what is to be known of one person, and has it so; under mu.
func (r *room) change(who jid.JID, a affiliated) error {
	if err := r.keep(r.opAffiliation(who, a)); err != nil {
		return err
	}
	r.setAffiliated(who, a)
	return nil
}

// public are the listed rooms in the order of their addresses.
func (s *Rooms) public() []jid.JID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []jid.JID
	for j, l := range s.index {
		if l.public {
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// accountGone takes a removed account out of every room: its affiliations and
// registered nicks. A room that it alone owned goes to the admin who was one of
// the room's people first by address, so that it does not depend on chance; one
// without admins is destroyed, as nobody could configure it any more.
func (s *Rooms) accountGone(bare jid.JID) {
	if err := s.former.add(context.Background(), bare); err != nil {
		s.set.Log.Error("who takes this name again will have the same occupant ids", "jid", bare.String(), "err", err)
	}
	s.mu.Lock()
	var all []jid.JID
	for j := range s.index {
		all = append(all, j)
	}
	for j, sl := range s.slots {
		if _, kept := s.index[j]; !kept && sl != nil {
			all = append(all, j)
		}
	}
	s.mu.Unlock()
	for _, j := range all {
		if err := s.with(j, jid.JID{}, func(r *room) error { return r.without(bare) }); err != nil && !errors.Is(err, errNoRoom) {
			s.set.Log.Error("a removed account could not be taken out of a room", "room", j.String(), "jid", bare.String(), "err", err)
		}
	}
}

// without takes an account out of the room for good; under mu.
func (r *room) without(bare jid.JID) error {
	r.unasked(bare)
	was, there := r.affs[bare]
	wasCreator := r.creator == bare
	if wasCreator {
		r.creator = jid.JID{}
	}
	if !there {
		if wasCreator {
			return r.keep(r.opConfig(r.cfg))
		}
		return nil
	}
	ops := []store.Op{r.opAffiliation(bare, affiliated{Affiliation: None}), r.opConfig(r.cfg)}
	var heir jid.JID
	if was.Affiliation == Owner && r.owners() == 1 {
		if heir = r.heir(); heir.IsZero() {
			return r.destroy(destruction{reason: "the owner's account was removed"})
		}
		next := r.affs[heir]
		next.Affiliation = Owner
		ops = append(ops, r.opAffiliation(heir, next))
	}
	if err := r.keep(ops...); err != nil {
		return err
	}
	r.setAffiliated(bare, affiliated{Affiliation: None})
	for _, o := range r.occupantsOf(bare) {
		r.remove(o, departure{codes: []int{statusAffiliation}})
	}
	if !heir.IsZero() {
		next := r.affs[heir]
		next.Affiliation = Owner
		r.setAffiliated(heir, next)
		r.affiliate(heir, Admin, departure{})
	}
	return nil
}

// heir is the admin who becomes owner, zero for none; under mu.
func (r *room) heir() (heir jid.JID) {
	for who, a := range r.affs {
		if a.Affiliation == Admin && (heir.IsZero() || who.String() < heir.String()) {
			heir = who
		}
	}
	return heir
}
