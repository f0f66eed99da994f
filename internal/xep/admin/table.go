package admin

import (
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
)

// Commands is the table of what administrators can do, to be put through Journal.
// XEP-0133#usecases
func (a *Admin) Commands() []command.Command {
	all := []command.Command{
		{Node: nsAdmin + "#add-user", Name: "Add an account", Steps: addForm(), Do: a.addUser},
		{Node: nsAdmin + "#delete-user", Name: "Remove accounts and all that they keep", Steps: accountsForm("Remove accounts"), Do: a.deleteUsers},
		{Node: nsAdmin + "#disable-user", Name: "Disable accounts", Steps: accountsForm("Disable accounts"), Do: a.disableUsers},
		{Node: nsAdmin + "#reenable-user", Name: "Enable accounts again", Steps: accountsForm("Enable accounts"), Do: a.enableUsers},
		{Node: nsAdmin + "#end-user-session", Name: "End sessions", Steps: sessionsForm(), Do: a.endSessions},
		{Node: nsAdmin + "#change-user-password", Name: "Set an account's password", Steps: passwordForm(), Do: a.changePassword},
		{Node: nsAdmin + "#get-user-lastlogin", Name: "Tell when accounts last signed in", Steps: accountsForm("Last sign-in"), Do: a.lastLogin},
		{Node: nsAdmin + "#user-stats", Name: "Tell of an account", Steps: accountForm("Account"), Do: a.userStats},
		{Node: nsOwn + "#sessions", Name: "List sessions", Steps: whoseForm(), Do: a.listSessions},
	}
	all = append(all, a.listings()...)
	all = append(all,
		command.Command{Node: nsAdmin + "#announce", Name: "Announce something", Steps: announceForm(), Do: a.announce},
		command.Command{Node: nsAdmin + "#set-motd", Name: "Set the message of the day", Steps: textForm("Message of the day", keyMOTD), Do: a.setMOTD},
		command.Command{Node: nsAdmin + "#edit-motd", Name: "Mend the message of the day", Steps: []command.Step{a.editForm}, Do: a.editMOTD},
		command.Command{Node: nsAdmin + "#delete-motd", Name: "Delete the message of the day", Do: a.deleteMOTD},
		command.Command{Node: nsAdmin + "#set-welcome", Name: "Set the welcome for newcomers", Steps: []command.Step{a.welcomeForm}, Do: a.setWelcome},
		command.Command{Node: nsAdmin + "#delete-welcome", Name: "Delete the welcome for newcomers", Do: a.deleteWelcome},
		command.Command{Node: nsAdmin + "#edit-admin", Name: "Say who is an administrator", Steps: []command.Step{a.adminForm}, Do: a.editAdmins},
	)
	if a.Stop != nil {
		all = append(all,
			command.Command{Node: nsAdmin + "#restart", Name: "Restart the server", Steps: endForm("Restart the server"), Do: a.restart},
			command.Command{Node: nsAdmin + "#shutdown", Name: "Shut the server down", Steps: endForm("Shut the server down"), Do: a.shutdown},
			command.Command{Node: nsOwn + "#keep-running", Name: "Neither restart nor shut down after all", Do: a.keepRunning},
		)
	}
	return all
}

// asks is one form, the same each time.
func asks(title string, fields ...form.Field) []command.Step {
	return []command.Step{func(*command.Call) (form.Form, error) {
		return form.Form{Kind: form.Ask, Of: nsAdmin, Title: title, Fields: fields}, nil
	}}
}

func accountsField() form.Field {
	return form.Field{Var: "accountjids", Kind: form.JIDMulti, Label: "Accounts", Required: true}
}

func accountField() form.Field {
	return form.Field{Var: "accountjid", Kind: form.JIDSingle, Label: "Account", Required: true}
}

func accountsForm(title string) []command.Step { return asks(title, accountsField()) }

func accountForm(title string) []command.Step { return asks(title, accountField()) }

// XEP-0133#add-user
func addForm() []command.Step {
	return asks("Add an account", accountField(),
		form.Field{Var: "password", Kind: form.TextPrivate, Label: "Password", Required: true},
		form.Field{Var: "password-verify", Kind: form.TextPrivate, Label: "The same again"})
}

// XEP-0133#change-user-password
func passwordForm() []command.Step {
	return asks("Set a password", accountField(), form.Field{Var: "password", Kind: form.TextPrivate, Label: "Password", Required: true})
}

// XEP-0133#end-user-session
func sessionsForm() []command.Step {
	return asks("End sessions", form.Field{
		Var: "accountjids", Kind: form.JIDMulti, Label: "Accounts, or single sessions with their resource", Required: true,
	})
}

func whoseForm() []command.Step {
	return asks("Sessions", form.Field{Var: "accountjids", Kind: form.JIDMulti, Label: "Accounts; empty for all"}, afterField(), maxField())
}

func textForm(title, field string) []command.Step {
	return asks(title, form.Field{Var: field, Kind: form.TextMulti, Label: title, Required: true})
}

// XEP-0133#announce
func announceForm() []command.Step {
	return asks("Announce something",
		form.Field{Var: "announcement", Kind: form.TextMulti, Label: "Announcement", Required: true},
		form.Field{Var: "subject", Kind: form.TextSingle, Label: "Subject"},
		form.Field{Var: "all", Kind: form.Boolean, Label: "Also for those who are away, who get it later", Values: []string{"0"}})
}

// XEP-0133#restart, XEP-0133#shutdown
func endForm(title string) []command.Step {
	return asks(title,
		form.Field{Var: "delay", Kind: form.ListSingle, Label: "In how many seconds", Values: []string{"60"},
			Options: []string{"10", "30", "60", "90", "120", "180", "240", "300", "600", "1800", "3600"}},
		form.Field{Var: "announcement", Kind: form.TextMulti, Label: "Announcement to those who are online"})
}
