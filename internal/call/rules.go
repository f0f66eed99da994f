package call

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/call/filter"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
)

// This file is the emergency filter: signed rules, in a file that an operator puts
// in its place, which refuse some calls until they end by themselves.

// normalMost is how many stanzas of accepted calls rules are tried with.
const normalMost = 2000

// ErrHarm is of rules that would have refused calls which were accepted.
var ErrHarm = errors.New("these rules would have refused normal calls")

// rules are those in force. The tick's goroutine alone changes them.
type rules struct {
	keys   []ed25519.PublicKey
	file   string
	bucket *store.Bucket

	read string // what the file said last
	last uint64 // the highest serial that was ever in force
	init bool   // last is known
}

const serialKey = "serial"

func newRules(kv store.KV, keys []ed25519.PublicKey, file string) rules {
	return rules{keys: keys, file: file, bucket: kv.Declare(store.Space{
		Name: "call-rules", Fields: "serial number of the newest rules",
		Purpose: "not to go back to older rules for calls", Until: "the server itself is gone",
	})}
}

// reload puts new rules in force. What is in the log of them is the audit: by
// whose key, which, until when, or why not.
func (f *Calls) reload(now time.Time) {
	f.expired(now)
	if len(f.rules.keys) == 0 || f.rules.file == "" {
		return
	}
	b, err := os.ReadFile(f.rules.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b = []byte(err.Error()) // which is no rules, and is told once
	}
	text := string(b)
	if text == f.rules.read {
		return
	}
	f.rules.read = text
	if text == "" {
		f.cfg.Log.Info("call rules are gone from their place; those in force stay until they end")
		return
	}
	trial, err := f.activate(text, now)
	if err != nil {
		f.cfg.Log.Error("call rules are not put in force", "file", f.rules.file, "tried", trial.Calls, "refused", fmt.Sprint(trial.Refused), "err", err)
	}
}

// expired says when rules have ended.
func (f *Calls) expired(now time.Time) {
	if r := f.inForce.Load(); r != nil && !now.Before(r.Expires) {
		f.inForce.Store(nil)
		f.cfg.Log.Info("call rules have ended", "serial", r.Serial)
	}
}

// activate puts a file in force if it is signed, new, and harmless to the calls
// that were accepted lately.
func (f *Calls) activate(file string, now time.Time) (trial filter.Trial, err error) {
	first := !f.rules.init
	if first {
		if f.rules.last, err = f.rules.serial(); err != nil {
			return trial, err
		}
		f.rules.init = true
	}
	last := f.rules.last
	if first && last > 0 {
		last-- // the server was restarted: those that were in force are again
	}
	r, err := filter.Open(file, f.rules.keys, last, now)
	if err != nil {
		return trial, err
	}
	if trial = r.Try(slices.Values(f.recorded()), now); !trial.Harmless() {
		return trial, ErrHarm
	}
	if err := f.rules.bucket.Put(context.Background(), "", serialKey, strconv.AppendUint(nil, r.Serial, 10)); err != nil {
		return trial, err
	}
	f.rules.last = r.Serial
	f.inForce.Store(r)
	f.cfg.Log.Info("call rules are in force", "serial", r.Serial, "rules", len(r.List), "expires", r.Expires, "tried", trial.Calls)
	return trial, nil
}

func (r *rules) serial() (uint64, error) {
	i, err := r.bucket.Get(context.Background(), "", serialKey)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(i.Value), 10, 64)
}

// ruled tells whether a rule refuses a stanza of a call.
func (f *Calls) ruled(t *core.Transit, c filter.Call) bool {
	r := f.inForce.Load()
	if r == nil {
		return false
	}
	c = f.about(t, c)
	name := r.Judge(c, t.Time)
	if name == "" {
		return false
	}
	f.note(t, "rule", name)
	return true
}

// about adds what is known of a call's sender.
func (f *Calls) about(t *core.Transit, c filter.Call) filter.Call {
	from := t.Head.From.Bare()
	if c.Component = !f.router.Local(from); c.Component || f.cfg.Created == nil {
		return c
	}
	if made := f.cfg.Created(from); !made.IsZero() {
		c.Age, c.Aged = t.Time.Sub(made), true
	}
	return c
}

func byRule() error {
	return stanza.Errorf(stanza.NotAllowed, "the operators of this server do not let such calls pass for now").WithApp(NS, "rule")
}

// record remembers what a stanza of an accepted call consists of, so that rules can
// be tried: no addresses, keys, names or ids.
func (f *Calls) record(t *core.Transit, s jingle.Session) {
	if len(f.rules.keys) == 0 {
		return
	}
	s.SID, s.Initiator, s.Responder, s.Cause = "", "", "", jingle.Cause{}
	s.Contents = slices.Clone(s.Contents)
	for i := range s.Contents {
		c := &s.Contents[i]
		c.Name = ""
		if c.Description != nil {
			d := *c.Description
			d.SSRC, d.Sources, d.SourceGroups = 0, nil, nil
			c.Description = &d
		}
		if c.Transport != nil {
			w := &jingle.Transport{}
			for _, x := range c.Transport.Candidates {
				w.Candidates = append(w.Candidates, jingle.Candidate{Type: x.Type})
			}
			c.Transport = w
		}
	}
	f.remember(f.about(t, filter.Call{Session: &s}))
}

// remember keeps the newest of what is normal.
func (f *Calls) remember(c filter.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.normal) < normalMost {
		f.normal = append(f.normal, c)
		return
	}
	f.normal[f.nextNormal%normalMost] = c
	f.nextNormal++
}

func (f *Calls) recorded() []filter.Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.normal)
}
