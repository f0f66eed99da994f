package c2s

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// This file is SASL upgrade tasks, XEP-0480: a client that has proved its
// password makes keys for a mechanism that the account has none for.

// upgrade is a task that the client does at the moment.
type upgrade struct {
	mech string
	salt []byte // nil before the client has begun
}

// appendUpgrades offers every task to everybody: who needs which is nobody's
// business before the password is proved.
// XEP-0480 §2.1
func appendUpgrades(b []byte) []byte {
	for _, m := range sasl.Mechanisms(nil) {
		b = append(b, "<upgrade xmlns='"+sasl.NSUpgrade+"'>"+sasl.UpgradeTask(m)+"</upgrade>"...)
	}
	return b
}

// proceed sets the next task, or ends the login when there is none.
// XEP-0480 §2.2
func (c *conn) proceed() error {
	r := c.neg.req
	mech, ok := c.nextUpgrade(r)
	if !ok {
		return c.succeed()
	}
	r.upgrade = &upgrade{mech: mech}
	b := []byte("<continue xmlns='" + stream.NSSASL2 + "'>")
	b = r.appendData(b)
	b = append(b, "<tasks><task>"+sasl.UpgradeTask(mech)+"</task></tasks></continue>"...)
	_, err := c.Write(b)
	return err
}

// nextUpgrade takes the next mechanism that the client offers keys for and the account lacks.
func (c *conn) nextUpgrade(r *request) (mech string, ok bool) {
	if isTokenMechanism(r.mech) || len(r.upgrades) == 0 {
		return "", false // a token tells nothing of the password
	}
	lacks := c.srv.auth.Lacks(r.account.Local())
	for len(r.upgrades) > 0 {
		mech = sasl.UpgradeMech(r.upgrades[0])
		r.upgrades = r.upgrades[1:]
		if slices.Contains(lacks, mech) {
			return mech, true
		}
	}
	return "", false
}

// task takes one step of the task at hand.
// XEP-0480 §3
func (c *conn) task(e xtok.Elem) error {
	r, u := c.neg.req, c.neg.req.upgrade
	var err error
	switch {
	case e.Local() == "abort":
		err = &sasl.Failure{Condition: sasl.Aborted}
	case e.Local() == "next" && e.AttrIs("task", sasl.UpgradeTask(u.mech)) && u.salt == nil:
		_, err := c.Write(u.begin(c.srv.cfg.Iterations))
		return err
	case e.Local() == "task-data" && u.salt != nil:
		if err = c.upgraded(r, e); err == nil {
			return c.proceed()
		}
	default:
		err = &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	return c.refuse(err, stream.NSSASL2)
}

// begin tells the client how to salt its password.
func (u *upgrade) begin(iterations int) []byte {
	b := []byte("<task-data xmlns='" + stream.NSSASL2 + "'>")
	salt, challenge := sasl.UpgradeChallenge(iterations)
	u.salt = salt
	return append(append(b, challenge...), "</task-data>"...)
}

func (c *conn) upgraded(r *request, e xtok.Elem) error {
	hash, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(e.Child(sasl.NSScramUpgrade, "hash").Text()))
	if err != nil {
		return &sasl.Failure{Condition: sasl.IncorrectEncoding}
	}
	u := r.upgrade
	err = c.srv.auth.Upgrade(c.srv.ctx, r.account.Local(), u.mech, hash, u.salt, c.srv.cfg.Iterations)
	if errors.Is(err, auth.ErrPassword) {
		return &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	return err
}
