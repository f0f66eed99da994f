package filter

import (
	"strings"
	"time"

	"mirsal/internal/xmpp/jingle"
)

// Call is what a rule can look at: one stanza, and what is known of its sender.
type Call struct {
	Invite    *jingle.Invite  // a propose, or
	Session   *jingle.Session // a stanza of a session
	Component bool            // no account of the server sent it
	Age       time.Duration   // of the account
	Aged      bool            // the age is known
}

// Judge returns the name of the first rule that refuses a call, "" where none does.
// Rules whose end has come refuse nothing.
func (r *Rules) Judge(c Call, now time.Time) string {
	if r == nil || !now.Before(r.Expires) {
		return ""
	}
	for i := range r.List {
		if r.List[i].is(&c) {
			return r.List[i].Name
		}
	}
	return ""
}

func (r *Rule) is(c *Call) bool {
	switch {
	case c.Invite != nil && (r.About != "propose" || c.Invite.Kind != jingle.Propose):
		return false
	case c.Session != nil && r.About != "session" && r.About != c.Session.Action.String():
		return false
	case c.Invite == nil && c.Session == nil:
		return false
	}
	for _, k := range r.Conditions {
		if !k.is(c) {
			return false
		}
	}
	return true
}

func (k *Condition) is(c *Call) bool {
	switch k.Field {
	case "sender":
		return c.Component == (k.Value == "component")
	case "age":
		return c.Aged && c.Age < time.Duration(k.number)*time.Second
	case "media":
		return c.media(k.Value)
	case "contents":
		return c.Session != nil && int64(len(c.Session.Contents)) > k.number
	}
	if c.Session == nil {
		return false
	}
	for i := range c.Session.Contents {
		if k.inContent(&c.Session.Contents[i]) {
			return true
		}
	}
	return false
}

func (c *Call) media(m string) bool {
	if c.Invite != nil {
		return m == "audio" && c.Invite.Audio || m == "video" && c.Invite.Video
	}
	for i := range c.Session.Contents {
		if d := c.Session.Contents[i].Description; d != nil && d.Media.String() == m {
			return true
		}
	}
	return false
}

func (k *Condition) inContent(c *jingle.Content) bool {
	if w := c.Transport; w != nil {
		switch k.Field {
		case "candidates":
			return int64(len(w.Candidates)) > k.number
		case "candidate":
			return one(w.Candidates, func(x jingle.Candidate) bool { return x.Type.String() == k.Value })
		}
	}
	d := c.Description
	if d == nil {
		return false
	}
	switch k.Field {
	case "payloads":
		return int64(len(d.Payloads)) > k.number
	case "extension":
		return one(d.Extensions, func(x jingle.Extension) bool { return x.URI == k.Value })
	case "feedback":
		return k.inFeedback(d.Feedback) || one(d.Payloads, func(p jingle.Payload) bool { return k.inFeedback(p.Feedback) })
	case "codec":
		return one(d.Payloads, func(p jingle.Payload) bool { return strings.EqualFold(p.Name, k.Value) })
	case "parameter":
		return one(d.Payloads, func(p jingle.Payload) bool {
			return one(p.Parameters, func(x jingle.Parameter) bool { return strings.EqualFold(x.Name, k.Value) })
		})
	}
	return false
}

func (k *Condition) inFeedback(list []jingle.Feedback) bool {
	return one(list, func(f jingle.Feedback) bool { return f.Type == k.Value })
}

func one[T any](list []T, is func(T) bool) bool {
	for _, x := range list {
		if is(x) {
			return true
		}
	}
	return false
}

// Trial is what rules would have done to calls that were normal.
type Trial struct {
	Calls   int
	Refused map[string]int // by rule
}

// Harmless tells whether none was refused.
func (t Trial) Harmless() bool { return len(t.Refused) == 0 }

// Try judges calls that are known to be normal, as of a time: before rules are activated.
func (r *Rules) Try(normal func(yield func(Call) bool), at time.Time) Trial {
	t := Trial{Refused: map[string]int{}}
	for c := range normal {
		t.Calls++
		if name := r.Judge(c, at); name != "" {
			t.Refused[name]++
		}
	}
	return t
}
