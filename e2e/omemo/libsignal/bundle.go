package main

import (
	"encoding/xml"
	"errors"
	"math/rand/v2"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/util/optional"
)

// A published bundle, in the form of XEP-0384 0.3.0. The library knows no XML.
type published struct {
	XMLName xml.Name `xml:"eu.siacs.conversations.axolotl bundle"`
	Signed  struct {
		ID  uint32 `xml:"signedPreKeyId,attr"`
		Key []byte `xml:",chardata"`
	} `xml:"signedPreKeyPublic"`
	Signature []byte        `xml:"signedPreKeySignature"`
	Identity  []byte        `xml:"identityKey"`
	PreKeys   []preKeyEntry `xml:"prekeys>preKeyPublic"`
}

type preKeyEntry struct {
	ID  uint32 `xml:"preKeyId,attr"`
	Key []byte `xml:",chardata"`
}

func (d *device) publish() ([]byte, error) {
	var p published
	signed := d.signed[d.current]
	signature := signed.Signature()
	p.Signed.ID, p.Signed.Key = d.current, base64Of(signed.KeyPair().PublicKey().Serialize())
	p.Signature = base64Of(signature[:])
	p.Identity = base64Of(d.identity.PublicKey().Serialize())
	for id, k := range d.preKeys {
		p.PreKeys = append(p.PreKeys, preKeyEntry{id, base64Of(k.KeyPair().PublicKey().Serialize())})
	}
	return xml.Marshal(p)
}

// readBundle picks one of the pre-keys, as a client does.
func readBundle(text []byte) (*prekey.Bundle, error) {
	var p published
	if err := xml.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	signature, err := bytesOf(p.Signature)
	if err != nil || len(signature) != 64 || len(p.PreKeys) == 0 {
		return nil, errors.New("not a whole bundle")
	}
	one := p.PreKeys[rand.IntN(len(p.PreKeys))]
	var keys [3]ecc.ECPublicKeyable
	for i, text := range [][]byte{one.Key, p.Signed.Key, p.Identity} {
		if keys[i], err = point(text); err != nil {
			return nil, err
		}
	}
	return prekey.NewBundle(1, 1, optional.NewOptionalUint32(one.ID), p.Signed.ID,
		keys[0], keys[1], [64]byte(signature), identity.NewKey(keys[2])), nil
}

func point(text []byte) (ecc.ECPublicKeyable, error) {
	raw, err := bytesOf(text)
	if err != nil || len(raw) != 33 {
		return nil, errors.New("not a public key")
	}
	return ecc.DecodePoint(raw, 0)
}
