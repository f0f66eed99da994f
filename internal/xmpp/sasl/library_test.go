package sasl

import (
	"testing"

	"github.com/xdg-go/scram"
)

// TestBothSidesAgreeWithTheCommonLibrary runs our client against the library's
// server and its client against ours, with and without channel binding.
func TestBothSidesAgreeWithTheCommonLibrary(t *testing.T) {
	hashes := map[string]scram.HashGeneratorFcn{SCRAMSHA1: scram.SHA1, SCRAMSHA256: scram.SHA256}
	for _, mech := range []string{SCRAMSHA1, SCRAMSHA256, SCRAMSHA1Plus, SCRAMSHA256Plus} {
		k, plus, _ := mechanism(mech)
		base := mech
		if plus {
			base = mech[:len(mech)-len("-PLUS")]
		}
		t.Run(mech, func(t *testing.T) {
			ourClientTheirServer(t, mech, plus, hashes[base], k)
			theirClientOurServer(t, mech, plus, hashes[base])
		})
	}
}

func ourClientTheirServer(t *testing.T, mech string, plus bool, h scram.HashGeneratorFcn, k kind) {
	keys := k.keys(newWorld(t)["alice"])
	server, err := h.NewServer(func(string) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: string(keys.Salt), Iters: keys.Iterations},
			StoredKey:  keys.StoredKey, ServerKey: keys.ServerKey,
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	conv, b := server.NewConversation(), Binding{}
	if plus {
		b = exporter()
		conv = server.NewConversationWithChannelBinding(scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: b.Data})
	}
	c, err := NewClient(mech, "alice", alicePassword, b)
	if err != nil {
		t.Fatal(err)
	}
	var in []byte
	for {
		out, done, err := c.Next(in)
		if err != nil {
			t.Fatal("our client:", err)
		}
		if done {
			break
		}
		s, err := conv.Step(string(out))
		if err != nil {
			t.Fatal("their server:", err)
		}
		in = []byte(s)
	}
	if !conv.Valid() {
		t.Error("their server does not believe our client")
	}
}

func theirClientOurServer(t *testing.T, mech string, plus bool, h scram.HashGeneratorFcn) {
	c, err := h.NewClientUnprepped("alice", alicePassword, "")
	if err != nil {
		t.Fatal(err)
	}
	conv, bindings := c.NewConversation(), []Binding(nil)
	if plus {
		bindings = []Binding{exporter()}
		conv = c.NewConversationWithChannelBinding(scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: bindings[0].Data})
	}
	x, err := Start(mech, domain(), bindings, newWorld(t).lookup)
	if err != nil {
		t.Fatal(err)
	}
	in := ""
	for done := false; !done; {
		out, err := conv.Step(in)
		if err != nil {
			t.Fatal("their client:", err)
		}
		var answer []byte
		if answer, done, err = x.Next([]byte(out)); err != nil {
			t.Fatal("our server:", err)
		}
		in = string(answer)
	}
	if _, err := conv.Step(in); err != nil || !conv.Valid() {
		t.Error("their client does not believe our server:", err)
	}
}
