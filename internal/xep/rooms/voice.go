package rooms

import (
	"crypto/rand"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const formRequest = "http://jabber.org/protocol/muc#request"

// How often a visitor may ask moderators for voice.
const (
	voiceBurst = 2
	voicePause = time.Minute
)

// voice takes requests for voice, and what moderators decide of them.
// XEP-0045#requestvoice, XEP-0045#voiceapprove
func (r *room) voice(t *core.Transit, st *seat) (taken bool, err error) {
	x := t.Elem.Child(form.NS, "x")
	if !x.OK() {
		return false, nil
	}
	f, err := form.Read(x)
	switch {
	case err != nil:
		return true, err
	case f.Of != formRequest:
		return false, nil
	case st == nil:
		return true, notInside()
	case f.Kind == form.Cancel:
		return true, nil
	case f.Kind != form.Submit || f.Value("muc#role") != Participant.String():
		return true, stanza.Errorf(stanza.BadRequest, "what can be asked for is the role of a participant")
	case f.Field("muc#request_allow") != nil:
		return true, r.decideVoice(st, &f)
	}
	return true, r.askVoice(st)
}

// askVoice shows moderators that a visitor wants to speak.
func (r *room) askVoice(st *seat) error {
	if st.who.role >= Participant {
		return stanza.Errorf(stanza.NotAllowed, "you have voice already")
	}
	if wait := r.svc.extras.voice.take(r.jid.String()+"|"+st.who.real.String(), 1); wait > 0 {
		return stanza.Errorf(stanza.ResourceConstraint, "the moderators have been asked: wait %s", wait.Round(time.Second))
	}
	ask, who, as := voiceForm(st), st.who.real, st.who.addr
	head := stanza.Head{Kind: stanza.Message, Type: stanza.Normal, ID: "v" + rand.Text()[:12], From: r.jid}
	m := stanza.New(head, ask.Append(nil))
	router := r.svc.router
	r.event(func(b *back) {
		for i := range b.seats {
			l := &b.seats[i]
			if me := l.seat.session.JID; l.mod && !router.Blocked(me, who) && !router.Blocked(me, as) {
				l.seat.session.Push(addressed(m, l.seat.to, nil))
			}
		}
	})
	return nil
}

// voiceForm names who asks by his account: what one's session is called, one chooses
// oneself, and moderators would be shown that.
func voiceForm(st *seat) form.Form {
	return form.Form{Kind: form.Ask, Of: formRequest, Title: "Somebody asks for voice", Fields: []form.Field{
		{Var: "muc#role", Kind: form.ListSingle, Label: "The role asked for", Values: []string{Participant.String()}, Options: []string{Participant.String()}},
		{Var: "muc#jid", Kind: form.JIDSingle, Label: "Who asks", Values: []string{st.who.real.String()}},
		{Var: "muc#roomnick", Kind: form.TextSingle, Label: "The name in the room", Values: []string{st.who.nick}},
		{Var: "muc#request_allow", Kind: form.Boolean, Label: "Give voice?", Values: []string{"0"}},
	}}
}

// decideVoice gives voice to whom a moderator names: by nick and address, as
// somebody else may have the nick by now.
func (r *room) decideVoice(st *seat, f *form.Form) error {
	allow, ok := f.Bool("muc#request_allow")
	who, err := jid.Parse(f.Value("muc#jid"))
	o := r.nicks[f.Value("muc#roomnick")]
	switch {
	case st.who.role != Moderator:
		return stanza.Errorf(stanza.Forbidden, "only moderators give voice")
	case !ok:
		return stanza.Errorf(stanza.BadRequest, "neither yes nor no")
	case !allow:
		return nil
	case err != nil || o == nil || o.real != who.Bare():
		return stanza.Errorf(stanza.ItemNotFound, "who asked for voice is not in the room any more")
	case o.role >= Participant:
		return nil // another moderator was faster
	}
	by := Standing{r.affiliation(st.who.real), st.who.role}
	if err := mayChangeRole(by, Standing{r.affiliation(o.real), o.role}, Participant); err != nil {
		return err
	}
	r.giveRole(o, Participant, departure{actor: st.who.nick})
	return nil
}
