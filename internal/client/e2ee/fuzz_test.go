package e2ee

import (
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// FuzzWhatAServerSays hands the same bytes in as an event, an answer to each question and a message: nothing
// panics, and nothing makes a compared contact's lock better than it is or takes its key's place.
func FuzzWhatAServerSays(f *testing.F) {
	f.Add([]byte(listEvent(omemo.Legacy.DevicesNode(), listOf(101, 5))))
	f.Add([]byte(itemsAnswer(omemo.Legacy.DevicesNode(), "<item id='current'>"+listOf(101, 102)+"</item>")))
	f.Add([]byte(itemsAnswer(omemo.Legacy.BundleNode(101), "<item id='current'><bundle xmlns='eu.siacs.conversations.axolotl'/></item>")))
	f.Add([]byte(refusal("conflict", "<precondition-not-met xmlns='"+nsErrors+"'/>")))
	f.Add([]byte("<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='101'><key prekey='true' rid='1'>MwgB</key><iv>AAAA</iv></header><payload>AA==</payload></encrypted>"))
	t := &testing.T{}
	w := newWorld(t)
	first := w.client(alice)
	p := w.puppet(bob, 101)
	p.publishBundle()
	w.putList(bob, 101)
	if _, s, err := first.Verify(p.code()); err == nil {
		first.do(s)
	}
	first.prepare(bob)
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := xtok.Parse(raw, xtok.Limits{Size: 1 << 16, Depth: 16, Attrs: 32, Name: 256, Prefixes: 32, Nodes: 1024})
		if err != nil {
			return
		}
		b, err := Open(Config{Store: frozen{first.disk}, Own: alice, Rand: w.rand, Now: first.now})
		if err != nil {
			t.Fatal(err)
		}
		before := b.Lock([]jid.JID{bob}, jid.JID{})
		b.Event(bob, x)
		b.Event(jid.JID{}, x)
		for k := getList; k <= deleteBundle; k++ {
			for _, who := range []jid.JID{alice, bob} {
				what := asked{kind: k, who: who, profile: omemo.Legacy}
				if k != getList && k != putList {
					what.device = 101
				}
				b.asked[what] = true
				b.Answer(Request{what: what}, x)
			}
		}
		if out, _, err := b.Decrypt(Incoming{From: bob, Element: x}); err == nil && out.Text != "" {
			t.Errorf("bytes from nowhere read %q", out.Text)
		}
		if d := b.accounts[bob].Devices[101]; d == nil || d.Key != p.key() || b.accounts[bob].trust(d.Key) != Verified {
			t.Error("the compared key has gone")
		}
		if after := b.Lock([]jid.JID{bob}, jid.JID{}); before.State != port.Verified || after.State == port.Locked {
			t.Errorf("the lock was %+v and is %+v", before, after)
		}
	})
}

// frozen is a store that many read and nobody changes.
type frozen struct{ keep.Store }

func (frozen) Apply(*keep.Batch) error { return nil }

func FuzzSafetyCode(f *testing.F) {
	f.Add("xmpp:bob@example.net?omemo-sid-1=abababababababababababababababababababababababababababababababab")
	f.Fuzz(func(t *testing.T, code string) {
		who, keys, err := readCode(code)
		if err == nil && (!who.IsBare() || len(keys) == 0 || len(keys) > mostKeys) {
			t.Errorf("%v, %v", who, keys)
		}
	})
}
