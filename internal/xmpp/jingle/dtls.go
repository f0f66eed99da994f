package jingle

import (
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// Fingerprint is that of a side's certificate; the zero Fingerprint is none.
// XEP-0320 §2
type Fingerprint struct {
	Hash  Hash
	Setup Setup
	Value string // pairs of hex digits in capitals, with colons
}

// Hash is how a fingerprint was made. Those of RFC 8122 that are broken or short
// (md2, md5, sha-1) are none.
type Hash uint8

// The hashes.
const (
	SHA256 Hash = iota + 1
	SHA384
	SHA512
)

// String is the hash as it is written, "" for none.
func (h Hash) String() string {
	switch h {
	case SHA256:
		return "sha-256"
	case SHA384:
		return "sha-384"
	case SHA512:
		return "sha-512"
	}
	return ""
}

// size is that of a hash in bytes.
func (h Hash) size() int { return 16 + 16*int(h) }

// Setup is who begins the handshake.
type Setup uint8

// XEP-0320 §2
const (
	ActPass Setup = iota + 1 // whoever answers may choose
	ActiveSetup
	PassiveSetup
)

// String is the setup as it is written, "" for none.
func (s Setup) String() string {
	switch s {
	case ActPass:
		return "actpass"
	case ActiveSetup:
		return "active"
	case PassiveSetup:
		return "passive"
	}
	return ""
}

// Sealed is a fingerprint that is encrypted for one OMEMO device: the one that
// has accepted the call, or that has called. What is in it is for that device to
// judge.
type Sealed struct {
	Hash    Hash
	Setup   Setup
	Sender  uint32 // the device that encrypted
	Keys    []SealedKey
	IV      []byte // 12 or 16 bytes
	Payload []byte // at most 256 bytes
}

// SealedKey is the key for one device.
type SealedKey struct {
	Device uint32
	PreKey bool   // it also begins a session
	Data   []byte // at most 512 bytes
}

const (
	mostDevice  = 1<<31 - 1 // numbers of OMEMO devices
	mostKey     = 512
	mostPayload = 256
)

// fingerprint reads the one that is there, open or sealed; both are refused, for
// then the open one would make nothing of the seal.
func (r *reader) fingerprint(t *Transport, e xtok.Elem) {
	open, sealed := r.only(e, NSDTLS, "fingerprint"), r.only(e, NSSealed, "fingerprint")
	switch {
	case open.OK() && sealed.OK():
		r.refuse(Doubled, "fingerprint")
	case open.OK():
		h := r.hash(open)
		t.Fingerprint = Fingerprint{h, oneOf(r, open, "setup", ActPass, PassiveSetup, 0), r.pairs(open, h)}
	case sealed.OK():
		t.Sealed = r.sealed(sealed)
	}
}

func (r *reader) hash(e xtok.Elem) Hash {
	h := named(strings.ToLower(e.Attr("hash")), SHA256, SHA512) // RFC 8122 §5: in any case
	if h == 0 {
		r.refuse(Insecure, "hash")
	}
	return h
}

// pairs reads XX:XX:… of a hash's size.
func (r *reader) pairs(e xtok.Elem, h Hash) string {
	s := strings.ToUpper(strings.TrimSpace(e.Text()))
	ok := h != 0 && len(s) == 3*h.size()-1
	for i := 0; i < len(s) && ok; i++ {
		if i%3 == 2 {
			ok = s[i] == ':'
		} else {
			ok = s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'F'
		}
	}
	if !ok {
		r.refuse(Malformed, "fingerprint")
	}
	return s
}

func (r *reader) sealed(e xtok.Elem) *Sealed {
	s := &Sealed{Hash: r.hash(e), Setup: oneOf(r, e, "setup", ActPass, PassiveSetup, 0)}
	envelope := r.only(e, NSEnvelope, "encrypted")
	header := r.only(envelope, NSEnvelope, "header")
	s.Sender = uint32(r.number(header, "sid", 1, mostDevice, -1))
	r.each(header, NSEnvelope, "key", MostKeys, func(k xtok.Elem) {
		s.Keys = append(s.Keys, SealedKey{
			Device: uint32(r.number(k, "rid", 1, mostDevice, -1)),
			PreKey: k.AttrIs("prekey", "true") || k.AttrIs("prekey", "1"),
			Data:   r.bytes(k, "key", 1, mostKey),
		})
	})
	if len(s.Keys) == 0 {
		r.refuse(Missing, "key")
	}
	s.IV = r.bytes(r.only(header, NSEnvelope, "iv"), "iv", 12, 16)
	s.Payload = r.bytes(r.only(envelope, NSEnvelope, "payload"), "payload", 1, mostPayload)
	return s
}

func (w *writer) fingerprint(t *Transport) {
	switch {
	case t.Sealed != nil:
		w.sealed(t.Sealed)
	case t.Fingerprint.Hash != 0:
		w.open("fingerprint", NSDTLS)
		w.attr("hash", t.Fingerprint.Hash.String())
		w.attr("setup", t.Fingerprint.Setup.String())
		w.inside()
		w.b = append(w.b, t.Fingerprint.Value...)
		w.close("fingerprint")
	}
}

func (w *writer) sealed(s *Sealed) {
	w.open("fingerprint", NSSealed)
	w.attr("hash", s.Hash.String())
	w.attr("setup", s.Setup.String())
	w.inside()
	w.open("encrypted", NSEnvelope)
	w.inside()
	w.open("header", "")
	w.number("sid", int64(s.Sender), 0)
	w.inside()
	for _, k := range s.Keys {
		w.open("key", "")
		w.number("rid", int64(k.Device), 0)
		if k.PreKey {
			w.attr("prekey", "true")
		}
		w.bytes("key", k.Data)
	}
	w.open("iv", "")
	w.bytes("iv", s.IV)
	w.close("header")
	w.open("payload", "")
	w.bytes("payload", s.Payload)
	w.close("encrypted")
	w.close("fingerprint")
}
