package e2ee

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/xmpp/jid"
)

// What stays in memory; the rest is read from the store when it is needed. Anybody may write to us,
// and each stranger is an account, a key and a chat.
const (
	maxAccounts = 2048    // accounts, with their devices and keys
	maxNames    = 4096    // of each: whose a key is, chats that were encrypted
	maxRead     = 1 << 14 // messages remembered as read
	maxAsked    = 1 << 10 // who was asked out of turn, questions without an answer
)

// account finds or makes an account.
func (b *Book) account(who jid.JID) *account {
	who = who.Bare()
	a := b.known(who)
	if a == nil {
		a = &account{who: who}
		b.turn++
		a.turn = b.turn
		b.accounts[who] = a
	}
	return a
}

// known finds an account; nil when nothing is known of it. Where the store fails it is as good as
// new, and nothing that follows from that is kept.
func (b *Book) known(who jid.JID) *account {
	a := b.accounts[who]
	if a == nil {
		raw, err := b.store.Get(accountTable, who.String())
		if err == nil && raw != nil {
			a, err = readAccount(who, raw)
		}
		if err != nil {
			b.failed = err
			return nil
		}
		if a == nil {
			return nil
		}
		b.accounts[who] = a
		if a.reconnected() { // its silence may have been of an earlier stream
			b.touch(a)
		}
	}
	b.turn++
	a.turn = b.turn
	return a
}

func readAccount(who jid.JID, raw []byte) (*account, error) {
	a := &account{who: who}
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("e2ee: account %s: %w", who, err)
	}
	return a, nil
}

// everybody is all accounts, by address; those that are not in memory do not come into it.
func (b *Book) everybody() []*account {
	all := slices.Collect(maps.Values(b.accounts))
	err := b.store.Scan(accountTable, keep.Range{}, func(key string, raw []byte) bool {
		who, err := jid.Parse(key)
		if err == nil && b.accounts[who] != nil {
			return true
		}
		var a *account
		if err == nil {
			a, err = readAccount(who, raw)
		}
		if err != nil {
			b.failed = err
			return false
		}
		all = append(all, a)
		return true
	})
	if err != nil {
		b.failed = err
	}
	slices.SortFunc(all, func(x, y *account) int { return compare(x.who, y.who) })
	return all
}

// owner is the account that a key was first met with; zero when it was not met.
func (b *Book) owner(fingerprint string) jid.JID {
	if who, known := b.owners[fingerprint]; known || fingerprint == "" {
		return who
	}
	raw, err := b.store.Get(ownerTable, fingerprint)
	if err != nil {
		b.failed = err
	}
	if raw == nil {
		return jid.JID{}
	}
	who, err := jid.Parse(string(raw))
	if err != nil {
		b.failed = fmt.Errorf("e2ee: the owner of key %s: %w", fingerprint, err)
		return jid.JID{}
	}
	b.owners[fingerprint] = who
	return who
}

// claim notes whose a key is: the account that it was first met with.
func (b *Book) claim(who jid.JID, fingerprint string) {
	if fingerprint != "" && b.owner(fingerprint).IsZero() {
		b.owners[fingerprint] = who
		b.batch.Put(ownerTable, fingerprint, []byte(who.String()))
	}
}

// Encrypted tells whether the chat (contact or room) was ever encrypted: then it never
// goes back by itself.
func (b *Book) Encrypted(chat jid.JID) bool {
	chat = chat.Bare()
	if b.chats[chat] || chat.IsZero() {
		return b.chats[chat]
	}
	raw, err := b.store.Get(encryptedName, chat.String())
	if err != nil {
		b.failed = err
	}
	if raw != nil {
		b.chats[chat] = true
	}
	return raw != nil
}

// began notes that a chat is encrypted.
func (b *Book) began(chat jid.JID) {
	if chat = chat.Bare(); !chat.IsZero() && !b.Encrypted(chat) {
		b.chats[chat] = true
		b.batch.Put(encryptedName, chat.String(), nil)
	}
}

// encrypted are all chats that were ever encrypted, by address.
func (b *Book) encrypted() []string {
	var all []string
	for chat := range b.chats {
		all = append(all, chat.String())
	}
	err := b.store.Scan(encryptedName, keep.Range{}, func(key string, _ []byte) bool {
		all = append(all, key)
		return true
	})
	if err != nil {
		b.failed = err
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rest puts out of memory what there is too much of. What is not in the store yet stays:
// read again from there, it would be what it was before.
func (b *Book) rest() {
	b.restSessions()
	b.restAccounts()
	trim(b.read, maxRead, func(k string, d digest) bool { return b.holds(readTable, k, d[:]) })
	trim(b.owners, maxNames, func(k string, who jid.JID) bool { return b.holds(ownerTable, k, []byte(who.String())) })
	trim(b.chats, maxNames, func(k jid.JID, _ bool) bool { return b.holds(encryptedName, k.String(), nil) })
	trim(b.poked, maxAsked, func(_ jid.JID, at time.Time) bool { return b.now().Sub(at) >= pokeEvery })
	trim(b.poked, 2*maxAsked, func(jid.JID, time.Time) bool { return true })
	trim(b.lost, maxAsked, func(asked, int) bool { return true })
}

// trim takes out of a map that has grown over its bound what may go.
func trim[K comparable, V any](m map[K]V, most int, may func(K, V) bool) {
	if len(m) > most {
		maps.DeleteFunc(m, may)
	}
}

// holds tells whether the store has just this.
func (b *Book) holds(t keep.Table, key string, value []byte) bool {
	raw, err := b.store.Get(t, key)
	return err == nil && raw != nil && bytes.Equal(raw, value)
}

// restAccounts puts accounts out of memory, the longest unused first.
func (b *Book) restAccounts() {
	if len(b.accounts) <= b.most {
		return
	}
	all := slices.SortedFunc(maps.Values(b.accounts), func(x, y *account) int { return cmp.Compare(x.turn, y.turn) })
	for _, a := range all[:len(all)-b.most/2] {
		text := encode(a)
		if a.who != b.own && !b.dirty[a] && (string(text) == "{}" || b.holds(accountTable, a.who.String(), text)) {
			delete(b.accounts, a.who)
		}
	}
}

// owe notes that something is owed to a device of an account (heal.go).
func (b *Book) owe(a *account) {
	if !b.owed[a.who] {
		b.owed[a.who] = true
		b.batch.Put(owedTable, a.who.String(), nil)
	}
}

// creditors are the accounts to which something is owed.
func (b *Book) creditors() []*account {
	all := maps.Clone(b.owed)
	err := b.store.Scan(owedTable, keep.Range{}, func(key string, _ []byte) bool {
		if who, err := jid.Parse(key); err == nil {
			all[who] = true
		}
		return true
	})
	if err != nil {
		b.failed = err
	}
	var out []*account
	for _, who := range slices.SortedFunc(maps.Keys(all), compare) {
		out = append(out, b.account(who))
	}
	return out
}

// settle notes that nothing is owed to an account any more.
func (b *Book) settle(a *account) {
	if !a.waits() {
		delete(b.owed, a.who)
		b.batch.Delete(owedTable, a.who.String())
	}
}

// waits tells whether something is owed to a device of the account.
func (a *account) waits() bool {
	for _, d := range a.Devices {
		if len(d.Heal) > 0 || len(d.Answer) > 0 {
			return true
		}
	}
	return false
}

// index fills the tables that tell of accounts what would otherwise have to be read from all of them.
// Stores that older programs have written lack them.
func (b *Book) index() error {
	if b.state.Indexed {
		return nil
	}
	for _, a := range b.everybody() {
		for _, id := range a.ids() {
			b.claim(a.who, a.Devices[id].Key)
		}
		if a.waits() {
			b.owe(a)
		}
	}
	b.state.Indexed, b.changed = true, true
	if b.failed != nil {
		return b.failed
	}
	return b.store.Apply(b.flush())
}
