package rooms

import (
	"context"
	"sync"

	"mirsal/internal/xmpp/jid"
)

// nodeOfKeys tells of the personal eventing nodes by which OMEMO finds keys, the
// devices of a person and what one needs to write to each, whether it is one.
// XEP-0384#devices, XEP-0384#bundles, and those of its version 0.3
func nodeOfKeys(node string) (devices, ok bool) {
	const old, bundle = "eu.siacs.conversations.axolotl.", "bundles:"
	switch {
	case node == "urn:xmpp:omemo:2:devices", node == old+"devicelist":
		return true, true
	case node == "urn:xmpp:omemo:2:bundles", len(node) > len(old+bundle) && node[:len(old+bundle)] == old+bundle:
		return false, true
	}
	return false, false
}

// keys knows who is a member of which encrypted room, so that members can fetch
// each other's keys though they do not know each other otherwise. It opens the keys
// of those only who have been in the room: to be made a member by others opens
// nothing.
type keys struct {
	mu    *sync.RWMutex                    // held for single operations
	rooms map[jid.JID]map[jid.JID]bool     // members of encrypted rooms: whether they came
	of    map[jid.JID]map[jid.JID]struct{} // rooms to which somebody came
}

func newKeys() keys {
	return keys{&sync.RWMutex{}, map[jid.JID]map[jid.JID]bool{}, map[jid.JID]map[jid.JID]struct{}{}}
}

// set makes the members of a room known; nil of one that is not encrypted.
func (k *keys) set(room jid.JID, members map[jid.JID]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for who := range k.rooms[room] {
		k.forget(room, who)
	}
	delete(k.rooms, room)
	if members == nil {
		return
	}
	k.rooms[room] = members
	for who, came := range members {
		k.note(room, who, came)
	}
}

// person is set for a change of one; it does nothing for a room that is not encrypted.
func (k *keys) person(room, who jid.JID, member, came bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	members := k.rooms[room]
	if members == nil {
		return
	}
	if !member {
		delete(members, who)
		k.forget(room, who)
		return
	}
	members[who] = came
	k.note(room, who, came)
}

func (k *keys) note(room, who jid.JID, came bool) {
	if !came {
		return
	}
	if k.of[who] == nil {
		k.of[who] = map[jid.JID]struct{}{}
	}
	k.of[who][room] = struct{}{}
}

func (k *keys) forget(room, who jid.JID) {
	if delete(k.of[who], room); len(k.of[who]) == 0 {
		delete(k.of, who)
	}
}

// share tells whether an asker is a member of an encrypted room that owner has
// been in as a member.
func (k *keys) share(owner, asker jid.JID) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for room := range k.of[owner] {
		if _, ok := k.rooms[room][asker]; ok {
			return true
		}
	}
	return false
}

// beside are those with whom owner shares such rooms of at most crowd members.
func (k *keys) beside(owner jid.JID) (all []jid.JID) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	seen := map[jid.JID]struct{}{owner: {}}
	for room := range k.of[owner] {
		if len(k.rooms[room]) > crowd {
			continue
		}
		for who := range k.rooms[room] {
			if _, ok := seen[who]; !ok {
				seen[who] = struct{}{}
				all = append(all, who)
			}
		}
	}
	return all
}

// Also tells whether asker may read a node of owner's because they need each
// other's keys: for pubsub's hook of that name. It does not block.
func (s *Rooms) Also(owner, asker jid.JID, node string) bool {
	_, ok := nodeOfKeys(node)
	return ok && s.extras.keys.share(owner, asker)
}

// Beside are those who hear of owner's devices for the same reason.
func (s *Rooms) Beside(owner jid.JID, node string) []jid.JID {
	if devices, _ := nodeOfKeys(node); !devices {
		return nil
	}
	return s.extras.keys.beside(owner)
}

// rekey tells keys who belongs to the room, and whether it is encrypted; under mu.
func (r *room) rekey() {
	if !r.cfg.Encrypted || r.locked || r.gone {
		r.svc.extras.keys.set(r.jid, nil)
		return
	}
	members := map[jid.JID]bool{}
	for who, a := range r.affs {
		if a.Affiliation >= Member {
			members[who] = a.Came
		}
	}
	r.svc.extras.keys.set(r.jid, members)
}

// came notes that a member has entered, durable on return; under mu.
func (r *room) came(who jid.JID) error {
	a := r.known(who)
	if a.Came || a.Affiliation < Member {
		return nil
	}
	a.Came = true
	return r.change(who, a)
}

// loadKeys makes the members of a room known that is on disk only.
func (s *Rooms) loadKeys(j jid.JID, c Config) error {
	if !c.Encrypted {
		return nil
	}
	r := newRoom(s, j)
	r.cfg = c
	if err := s.store.loadAffiliations(context.Background(), r); err != nil {
		return err
	}
	r.rekey()
	return nil
}
