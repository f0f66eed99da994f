// Package conformance signs in to any XMPP server as a plain client would, tries
// what the XMPP Compliance Suites (XEP-0479 version 0.1.0, of 2023) ask of
// servers, and says what it found: by behaviour wherever one account can show
// it, not by what the server announces.
//
// It is a client that knows nothing of our own server's inside, and no client to
// live with. Invariants: the password goes over a channel whose certificate was
// verified, or nowhere, unless Options say otherwise; contacts see nothing of a
// run; what a run changes in the account it puts back, but for what About says.
package conformance

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/xtok"
)

// Options say whom to test and how to get there.
type Options struct {
	Account  jid.JID // bare
	Password string

	Server    string // host:port in place of what DNS says
	DirectTLS bool   // Server has TLS from the first byte
	ServerTLS string // host:port of direct TLS in place of what DNS says
	Web       string // host:port of the domain's HTTPS; "" for the domain, 443
	Component string // host:port for components (XEP-0114); "" leaves that untested

	CA         *x509.CertPool // nil for the system's
	Insecure   bool           // sign in although the certificate is not trusted
	AllowPlain bool           // send the password itself where nothing else is offered

	Program string    // "mirsal 0.1.0"
	Now     time.Time // of the report
	// Progress hears what is being tried; may be nil.
	Progress func(string)
}

// SignInError says in words why nobody could sign in.
type SignInError struct{ Reason string }

func (e *SignInError) Error() string { return strings.Map(printable, e.Reason) }

// exam is one run.
type exam struct {
	o        Options
	account  jid.JID
	password string // prepared
	token    string // in all names that are made
	roots    *x509.CertPool
	web      *http.Client
	report   *Report

	srvDirect []string // what DNS says of direct TLS
	place     place    // where the sessions sign in
	noted     bool
	before    xtok.Elem // features before encryption
	way       *how      // how the first session signed in

	a, b     *session // two devices of the account
	shown    bool     // our sessions are available
	server   *info    // disco#info of the domain
	own      *info    // disco#info of the account
	services []service
}

// About says before a run what it will do to an account.
func About(account jid.JID) string {
	return "Signs in as " + account.String() + " several times over and tries what the server can do.\n" +
		"Contacts see nothing of it. What it makes it removes at the end: PEP nodes, a bookmark,\n" +
		"a contact, a block and a room, all named mirsal-conformance-…; an account that has neither\n" +
		"contacts nor vCard nor picture gets a picture for a moment. What stays: one or two short messages\n" +
		"to yourself in your archive, and a file of 1 kB where files can be uploaded.\n"
}

// Run signs in and tries everything. A *SignInError tells that it could not even
// sign in; any other error that it was broken off.
func Run(ctx context.Context, o Options) (*Report, error) {
	e, err := newExam(o)
	if err != nil {
		return nil, err
	}
	w, err := e.reach(ctx)
	if err != nil {
		return nil, &SignInError{err.Error()}
	}
	first := w.features
	w, h, err := e.signIn(ctx, w)
	if err != nil {
		return nil, &SignInError{e.refused(err)}
	}
	e.way = &h
	if e.a, err = e.settle(ctx, w, "a"); err != nil {
		return nil, &SignInError{err.Error()}
	}
	defer func() { e.a.leave() }()
	e.noteSignIn(first, h)
	if err := e.probeAll(ctx); err != nil {
		return nil, err
	}
	e.report.judge()
	return e.report, nil
}

func newExam(o Options) (*exam, error) {
	p, err := sasl.Password(o.Password)
	if err != nil {
		return nil, &SignInError{err.Error()}
	}
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	e := &exam{o: o, account: o.Account.Bare(), password: p, token: "mirsal-conformance-" + hex.EncodeToString(random[:]), roots: o.CA, report: newReport()}
	e.web = e.newWeb()
	e.report.Program, e.report.Date, e.report.Account, e.report.Domain = o.Program, o.Now, e.account.String(), e.account.Domain()
	return e, nil
}

// refused says in words why a sign-in was refused.
func (e *exam) refused(err error) string {
	var r *refusal
	if !errors.As(err, &r) {
		return inWords(err)
	}
	switch r.condition {
	case string(sasl.NotAuthorized):
		return "wrong password, or there is no account " + e.account.String()
	case string(sasl.AccountDisabled):
		return "the account is disabled"
	case string(sasl.TemporaryAuthFailure):
		return "the server cannot check passwords just now; try later"
	case string(sasl.CredentialsExpired):
		return "the password has expired"
	}
	return "the server refuses the sign-in: " + r.Error()
}

// settle makes a session of an authenticated stream.
func (e *exam) settle(ctx context.Context, w *wire, name string) (*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	me, err := w.bind(ctx, "mirsal-conformance-"+name)
	if err != nil {
		w.close()
		return nil, err
	}
	return newSession(w, me), nil
}

// another signs in once more.
func (e *exam) another(ctx context.Context, name string) (*session, error) {
	w, err := e.fresh(ctx)
	if err != nil {
		return nil, err
	}
	return e.settle(ctx, w, name)
}

// fresh is an authenticated stream without an address.
func (e *exam) fresh(ctx context.Context) (*wire, error) {
	w, err := e.again(ctx)
	if err != nil {
		return nil, err
	}
	w, _, err = e.signIn(ctx, w)
	return w, err
}

func (e *exam) say(key string, res Result, format string, args ...any) {
	row := e.report.row(key)
	row.Result, row.Evidence = res, strings.Map(printable, fmt.Sprintf(format, args...))
	row.unseen = row.unseen && res == Untested
}

func (e *exam) works(key, format string, args ...any)   { e.say(key, Works, format, args...) }
func (e *exam) partly(key, format string, args ...any)  { e.say(key, Partly, format, args...) }
func (e *exam) missing(key, format string, args ...any) { e.say(key, Missing, format, args...) }
func (e *exam) unknown(key, format string, args ...any) { e.say(key, Untested, format, args...) }

// broken notes a feature whose use failed: missing, whatever was announced.
func (e *exam) broken(key string, announced bool, what string, err error) {
	if announced {
		e.missing(key, "announced, but %s %s", what, reason(err))
		return
	}
	var a *answerError
	if errors.As(err, &a) {
		e.missing(key, "not announced; tried all the same: %s", a)
		return
	}
	e.missing(key, "not announced; %s %s", what, reason(err))
}

// reason says how a request failed, to stand behind what was asked.
func reason(err error) string {
	var a *answerError
	if errors.As(err, &a) {
		return "is answered by " + a.Error()
	}
	if errors.Is(err, errSilent) {
		return "gets no answer"
	}
	return "fails: " + inWords(err)
}

// failedWith tells whether somebody answered with this condition.
func failedWith(err error, condition string) bool {
	var a *answerError
	return errors.As(err, &a) && a.condition == condition
}

// left notes what could not be put back.
func (e *exam) left(what string, err error) {
	if err != nil && !failedWith(err, "item-not-found") {
		e.report.Left = append(e.report.Left, strings.Map(printable, what+": removing it "+reason(err)))
	}
}

// probe tries some features. Its questions end by themselves, each after some
// seconds.
type probe struct {
	about string
	run   func(*exam, context.Context)
}

// probes are tried in this order.
var probes = [...]probe{
	{"encryption", (*exam).tryTLS},
	{"components", (*exam).tryComponents},
	{"discovery", (*exam).tryDisco},
	{"a second device", (*exam).trySecond},
	{"contacts and messages", (*exam).tryPeople},
	{"personal eventing", (*exam).tryPEP},
	{"private data", (*exam).tryPrivate},
	{"vCards and pictures", (*exam).tryCards},
	{"blocking", (*exam).tryBlocking},
	{"copies between devices", (*exam).tryCarbons},
	{"the archive", (*exam).tryArchive},
	{"stream management", (*exam).tryStreamManagement},
	{"phones", (*exam).tryMobile},
	{"group chat", (*exam).tryRooms},
	{"upload", (*exam).tryUpload},
	{"calls", (*exam).tryCalls},
	{"the web", (*exam).tryWeb},
	{"newer ways to sign in", (*exam).trySASL2},
	{"the rest", (*exam).tryRest},
}

// revive signs in anew in place of a session that has ended: what fails for one
// feature should not fail for all that come after it.
func (e *exam) revive(ctx context.Context) (err error) {
	for name, s := range map[string]**session{"a": &e.a, "b": &e.b} {
		if *s == nil || !(*s).ended() {
			continue
		}
		next, err := e.another(ctx, name)
		if err != nil {
			return err
		}
		next.be((*s).features())
		*s = next
		e.appear(ctx, next)
	}
	return nil
}

func (e *exam) probeAll(ctx context.Context) error {
	for _, p := range probes {
		if e.o.Progress != nil {
			e.o.Progress(p.about)
		}
		p.run(e, ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.revive(ctx); err != nil {
			return fmt.Errorf("the server ended the connection while it was tried (%s), and takes no new one: %s", p.about, inWords(err))
		}
	}
	if e.b != nil {
		e.b.leave()
	}
	return nil
}
