package omemo

import (
	"fmt"
)

// A message is what a <key/> holds.
type message struct {
	preKey bool
	data   []byte
}

// A party is one device. Errors are refusals.
type party interface {
	bundle() []byte // as XML
	rotate()        // the signed pre-key
	// start begins a session and returns its first message.
	start(peer string, bundle, plain []byte) (message, error)
	encrypt(peer string, plain []byte) (message, error)
	decrypt(peer string, m message) ([]byte, error)
	// seal and unseal are of whole messages, as XML; with an empty plain they have no
	// payload.
	seal(peer string, plain []byte) ([]byte, error)
	unseal(peer string, element []byte) ([]byte, error)
}

// stranger is a party in an oracle.
type stranger struct {
	o    *oracle
	name string
}

func (o *oracle) device(fataler, string) party {
	o.count++
	s := stranger{o, fmt.Sprint(o.count)}
	o.must(question{Do: "device", Device: s.name})
	return s
}

func (s stranger) bundle() []byte {
	return s.o.must(question{Do: "bundle", Device: s.name}).Bundle
}

func (s stranger) rotate() { s.o.must(question{Do: "rotate", Device: s.name}) }

func (s stranger) start(peer string, bundle, plain []byte) (message, error) {
	a, err := s.o.ask(question{Do: "start", Device: s.name, Peer: peer, Bundle: bundle, Plain: plain})
	return message{a.PreKey, a.Data}, err
}

func (s stranger) encrypt(peer string, plain []byte) (message, error) {
	a, err := s.o.ask(question{Do: "encrypt", Device: s.name, Peer: peer, Plain: plain})
	return message{a.PreKey, a.Data}, err
}

func (s stranger) decrypt(peer string, m message) ([]byte, error) {
	a, err := s.o.ask(question{Do: "decrypt", Device: s.name, Peer: peer, PreKey: m.preKey, Data: m.data})
	return a.Plain, err
}

func (s stranger) seal(peer string, plain []byte) ([]byte, error) {
	a, err := s.o.ask(question{Do: "seal", Device: s.name, Peer: peer, Plain: plain})
	return a.Data, err
}

func (s stranger) unseal(peer string, element []byte) ([]byte, error) {
	a, err := s.o.ask(question{Do: "unseal", Device: s.name, Peer: peer, Data: element})
	return a.Plain, err
}
