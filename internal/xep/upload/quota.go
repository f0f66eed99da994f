package upload

import (
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
)

// nsQuota is a protocol of our own: docs/protocol/quota.md.
const nsQuota = "urn:mirsal:quota:0"

// strangers is the refusal of whoever has no account here.
// XEP-0363#errors
func strangers() error {
	return stanza.Errorf(stanza.Forbidden, "only accounts of this server may upload files")
}

// quota tells an account what it has and what it may have.
func (u *Upload) quota(q *core.Query) ([]byte, error) {
	switch {
	case q.Set():
		return nil, stanza.Errorf(stanza.NotAllowed, "the operator sets quotas")
	case !u.router.Exists(q.Asker()):
		return nil, strangers()
	}
	a := u.account(q.Asker())
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := u.load(q.Ctx, a); err != nil {
		return nil, err
	}
	return u.told(a), nil
}

// quotaForm tells an account the same where every client looks. Others are told nothing.
// XEP-0128 §2
func (u *Upload) quotaForm(q *core.Query) []byte {
	if !u.router.Exists(q.Asker()) {
		return nil
	}
	use, err := u.UseOf(q.Ctx, q.Asker())
	if err != nil {
		return nil // it is an extra: the rest of the answer stands
	}
	f := form.Form{Kind: form.Result, Of: nsQuota}
	add := func(name string, n int64) {
		f.Fields = append(f.Fields, form.Field{Var: name, Kind: form.TextSingle, Values: []string{strconv.FormatInt(n, 10)}})
	}
	add("bytes-used", use.Bytes)
	add("bytes-limit", use.BytesMost)
	add("files-used", int64(use.Files))
	add("files-limit", int64(use.FilesMost))
	if u.cfg.Keep > 0 {
		add("kept-seconds", int64(u.cfg.Keep/time.Second))
	}
	return f.Append(nil)
}

// told is the account's quota as clients read it. Under a.mu.
func (u *Upload) told(a *account) []byte {
	b := []byte("<quota xmlns='" + nsQuota + "'>")
	b = append(number(number(append(b, "<bytes"...), "used", a.bytes), "limit", u.cfg.Quota), "/>"...)
	b = append(number(number(append(b, "<files"...), "used", int64(a.files)), "limit", int64(u.cfg.Files)), "/>"...)
	if u.cfg.Keep > 0 {
		b = append(number(append(b, "<kept"...), "seconds", int64(u.cfg.Keep/time.Second)), "/>"...)
	}
	return append(b, "</quota>"...)
}
