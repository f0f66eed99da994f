package admin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// mostAccounts is how many accounts one command can be about.
const mostAccounts = 1000

// bare is an account's address.
func (a *Admin) bare(name string) jid.JID {
	j, _ := jid.New(name, a.router.Domain.Domain(), "") // names are checked
	return j
}

// own tells whether an account is the asker's.
func own(c *command.Call, name string) bool { return !c.By.IsZero() && c.By.Local() == name }

// XEP-0133#add-user
func (a *Admin) addUser(c *command.Call) (command.Result, error) {
	password := c.Answers.Value("password")
	if again := c.Answers.Value("password-verify"); again != "" && again != password {
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "the two passwords differ")
	}
	name, err := a.Accounts.Add(c.Ctx, c.Text("accountjid"), password)
	if err != nil {
		return command.Result{}, refusal(err)
	}
	return remark(command.Said(a.bare(name).String()+" has an account."), name, password), nil
}

// remark says what is wrong with a password that was set all the same.
func remark(r command.Result, name, password string) command.Result {
	if err := auth.CheckPassword(name, password); err != nil {
		r.Notes = append(r.Notes, command.Note{Kind: command.Warn, Text: "The password is set, but " + err.Error() + "."})
	}
	return r
}

// XEP-0133#change-user-password
func (a *Admin) changePassword(c *command.Call) (command.Result, error) {
	name, err := a.Accounts.Name(c.Text("accountjid"))
	if err == nil {
		err = a.Accounts.Passwd(c.Ctx, name, c.Answers.Value("password"))
	}
	if err != nil {
		return command.Result{}, refusal(err)
	}
	return remark(command.Said("The password is set; all devices of "+a.bare(name).String()+" have to sign in with it."), name, c.Answers.Value("password")), nil
}

// each does something to every account that is named. What fails for one is told,
// and the others are done all the same.
func (a *Admin) each(c *command.Call, done string, do func(name string) error) (command.Result, error) {
	named := c.Values("accountjids")
	if len(named) > mostAccounts {
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "at most %d accounts at once", mostAccounts)
	}
	var r command.Result
	count := 0
	for _, s := range named {
		name, err := a.Accounts.Name(s)
		if err == nil {
			err = do(name)
		}
		if err == nil {
			count++
			continue
		}
		if len(named) == 1 {
			return r, refusal(err)
		}
		r.Notes = append(r.Notes, command.Note{Kind: command.Error, Text: s + ": " + reason(err)})
	}
	r.Notes = append(r.Notes, command.Note{Kind: command.Info, Text: fmt.Sprintf("%s: %d", done, count)})
	return r, nil
}

// reason is an error's text for people.
func reason(err error) string {
	if se := stanza.AsError(refusal(err)); se.Text != "" {
		return se.Text
	}
	return "it could not be done; the log tells why"
}

// spared refuses what administrators must not do to themselves.
func spared(c *command.Call, name string) error {
	if own(c, name) {
		return stanza.Errorf(stanza.NotAllowed, "that is your own account; ask another administrator, or do it at the machine")
	}
	return nil
}

// XEP-0133#delete-user
func (a *Admin) deleteUsers(c *command.Call) (command.Result, error) {
	return a.each(c, "Removed", func(name string) error {
		if err := spared(c, name); err != nil {
			return err
		}
		return a.Accounts.Remove(context.WithoutCancel(c.Ctx), name)
	})
}

// XEP-0133#disable-user
func (a *Admin) disableUsers(c *command.Call) (command.Result, error) {
	return a.each(c, "Disabled", func(name string) error {
		if err := spared(c, name); err != nil {
			return err
		}
		return a.Accounts.Disable(c.Ctx, name)
	})
}

// XEP-0133#reenable-user
func (a *Admin) enableUsers(c *command.Call) (command.Result, error) {
	return a.each(c, "Enabled", func(name string) error { return a.Accounts.Enable(c.Ctx, name) })
}

// endSessions ends the sessions of accounts, or those that are named in full. The
// asker's own, which carries the answer, stays. Where one is named that is not there,
// none is ended.
// XEP-0133#end-user-session
func (a *Admin) endSessions(c *command.Call) (command.Result, error) {
	var ending []*core.Session
	for _, s := range c.Values("accountjids") {
		j, err := a.existing(c.Ctx, s)
		if err != nil {
			return command.Result{}, err
		}
		which := a.sessionsOf(j)
		if j.IsFull() && len(which) == 0 {
			return command.Result{}, stanza.Errorf(stanza.ItemNotFound, "there is no session %s", j)
		}
		ending = append(ending, which...)
	}
	ended := map[*core.Session]bool{}
	for _, sess := range ending {
		if sess.JID != c.By && !ended[sess] {
			sess.Close(&stream.Error{Condition: "policy-violation", Text: "an administrator ended this session"})
			ended[sess] = true
		}
	}
	return command.Said(fmt.Sprintf("Sessions ended: %d", len(ended))), nil
}

// sessionsOf are those of an account, or the one that is named in full.
func (a *Admin) sessionsOf(j jid.JID) []*core.Session {
	return slices.DeleteFunc(slices.Clone(a.router.Directory().Sessions(j.Bare())), func(s *core.Session) bool {
		return j.IsFull() && s.JID != j
	})
}

// address reads an address of this server, or a name.
func (a *Admin) address(s string) (jid.JID, error) {
	if j, err := jid.Parse(s); err == nil && j.IsFull() && a.router.Local(j) {
		return j, nil
	}
	name, err := a.Accounts.Name(s)
	if err != nil {
		return jid.JID{}, refusal(err)
	}
	return a.bare(name), nil
}

// existing is address for an account that is there.
func (a *Admin) existing(ctx context.Context, s string) (jid.JID, error) {
	j, err := a.address(s)
	if err != nil {
		return j, err
	}
	if _, err := a.Accounts.Standing(ctx, j.Local()); err != nil {
		return j, refusal(err)
	}
	return j, nil
}

// lastLogin tells when accounts last signed in, to the hour.
// XEP-0133#get-user-lastlogin
func (a *Admin) lastLogin(c *command.Call) (command.Result, error) {
	who, when := form.Field{Var: "accountjids", Kind: form.JIDMulti}, form.Field{Var: "lastlogin", Kind: form.TextMulti}
	r := command.Result{List: &command.Table{Columns: []form.Field{{Var: "jid", Label: "Account"}, {Var: "lastlogin", Label: "Last sign-in"}}}}
	for _, s := range c.Values("accountjids") {
		name, err := a.Accounts.Name(s)
		if err != nil {
			return r, refusal(err)
		}
		devices, err := a.Accounts.Devices(c.Ctx, name)
		if err != nil {
			return r, refusal(err)
		}
		last := "never, or longer ago than devices are remembered"
		if len(devices) > 0 {
			last = stamp(devices[0].Last)
		}
		who.Values, when.Values = append(who.Values, a.bare(name).String()), append(when.Values, last)
		r.List.Rows = append(r.List.Rows, []string{a.bare(name).String(), last})
	}
	r.Form = form.Form{Kind: form.Result, Of: nsAdmin, Fields: []form.Field{who, when}}
	return r, nil
}

// stamp is a time as XEP-0082 has it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// userStats tells of an account what an administrator needs to help: nothing of
// whom it talks to, or from where.
// XEP-0133#get-user-stats
func (a *Admin) userStats(c *command.Call) (command.Result, error) {
	s, err := a.Accounts.Standing(c.Ctx, c.Text("accountjid"))
	if err != nil {
		return command.Result{}, refusal(err)
	}
	devices, err := a.Accounts.Devices(c.Ctx, s.Name)
	if err != nil {
		return command.Result{}, refusal(err)
	}
	bare := a.bare(s.Name)
	online := form.Field{Var: "onlineresources", Kind: form.TextMulti, Label: "Sessions"}
	for _, sess := range a.router.Directory().Sessions(bare) {
		online.Values = append(online.Values, sess.JID.Resource())
	}
	fields := []form.Field{
		{Var: "accountjid", Kind: form.JIDSingle, Label: "Account", Values: []string{bare.String()}},
		{Var: "rostersize", Kind: form.TextSingle, Label: "Contacts", Values: []string{strconv.Itoa(a.Contacts(bare))}},
		online,
		{Var: "devices", Kind: form.TextSingle, Label: "Devices", Values: []string{strconv.Itoa(len(devices))}},
		{Var: "admin", Kind: form.Boolean, Label: "Administrator", Values: []string{yes(s.Admin)}},
		{Var: "disabled", Kind: form.Boolean, Label: "Disabled", Values: []string{yes(s.Disabled)}},
	}
	if !s.Created.IsZero() {
		fields = append(fields, form.Field{Var: "created", Kind: form.TextSingle, Label: "Made", Values: []string{stamp(s.Created)}})
	}
	files, err := a.files(c.Ctx, bare)
	return command.Result{Form: form.Form{Kind: form.Result, Of: nsAdmin, Fields: append(fields, files...)}}, err
}

// files are fields about an account's uploads, none where the server takes none.
func (a *Admin) files(ctx context.Context, bare jid.JID) (fields []form.Field, err error) {
	if a.Files == nil {
		return nil, nil
	}
	f, there, err := a.Files(ctx, bare)
	if err != nil || !there {
		return nil, err
	}
	for _, x := range []struct {
		name, label string
		n           int64
	}{
		{"files", "Files", int64(f.Number)}, {"fileslimit", "Files at most", int64(f.Most)}, {"bytes", "Bytes in files", f.Bytes}, {"byteslimit", "Bytes at most", f.Quota},
	} {
		fields = append(fields, form.Field{Var: x.name, Kind: form.TextSingle, Label: x.label, Values: []string{strconv.FormatInt(x.n, 10)}})
	}
	return fields, nil
}

func yes(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// state is how a session is, in a word.
func state(s *core.Session) string {
	if _, asleep := s.Hibernating(); asleep {
		return "asleep"
	}
	if s.Flag(core.Inactive) {
		return "idle"
	}
	return "active"
}

// adminForm shows who is an administrator.
// XEP-0133#edit-admin
func (a *Admin) adminForm(c *command.Call) (form.Form, error) {
	now, err := a.admins(c.Ctx)
	f := form.Form{Kind: form.Ask, Of: nsAdmin, Title: "Administrators", Fields: []form.Field{
		{Var: "adminjids", Kind: form.JIDMulti, Label: "All who are to be administrators", Required: true, Values: now},
	}}
	return f, err
}

func (a *Admin) admins(ctx context.Context) (all []string, err error) {
	list, err := a.Accounts.Standings(ctx, func(s auth.Standing) bool { return s.Admin })
	for _, s := range list {
		all = append(all, a.bare(s.Name).String())
	}
	return all, err
}

// editAdmins makes exactly those administrators that are named; the asker stays one.
func (a *Admin) editAdmins(c *command.Call) (command.Result, error) {
	want := map[string]bool{}
	for _, s := range c.Values("adminjids") {
		st, err := a.Accounts.Standing(c.Ctx, s)
		if err != nil {
			return command.Result{}, refusal(err)
		}
		want[st.Name] = true
	}
	if len(want) > mostAccounts {
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "at most %d administrators", mostAccounts)
	}
	now, err := a.Accounts.Standings(c.Ctx, func(s auth.Standing) bool { return s.Admin })
	if err != nil {
		return command.Result{}, err
	}
	for _, s := range now {
		if own(c, s.Name) && !want[s.Name] {
			return command.Result{}, spared(c, s.Name)
		}
	}
	for _, s := range now {
		if !want[s.Name] {
			if err := a.Accounts.SetAdmin(c.Ctx, s.Name, false); err != nil {
				return command.Result{}, refusal(err)
			}
		}
	}
	for name := range want {
		if err := a.Accounts.SetAdmin(c.Ctx, name, true); err != nil {
			return command.Result{}, refusal(err)
		}
	}
	return command.Said(fmt.Sprintf("Administrators: %d", len(want))), nil
}
