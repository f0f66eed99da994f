package rooms

import (
	"slices"
	"strings"
	"testing"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// submit is a submitted form of "name=value" pairs; "name" alone has no value.
func submit(pairs ...string) form.Form {
	f := form.Form{Kind: form.Submit, Of: formConfig}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !strings.Contains(name, "#") && !strings.HasPrefix(name, "{") && name != "mam" {
			name = "muc#roomconfig_" + name
		}
		one := form.Field{Var: name}
		if ok {
			one.Values = strings.Split(value, "|")
		}
		f.Fields = append(f.Fields, one)
	}
	return f
}

func TestConfigurationsSurviveTheirForm(t *testing.T) {
	all := Config{
		Name: "N", Description: "D", Lang: "de", Persistent: true, Public: true, MembersOnly: true, Moderated: true,
		NonAnonymous: true, Password: "p", MembersInvite: true, SubjectByAnyone: true, PM: pmNone, MaxUsers: 33,
		History: 7, Archive: true, Broadcast: [4]bool{Moderator: true}, MemberList: [4]bool{Participant: true},
		Queries: true, Encrypted: true, Decided: true, RegisterAllowed: true,
	}
	def := DefaultConfig()
	def.Decided = true
	for _, c := range []Config{all, def, {PM: pmAnyone, Decided: true}} {
		asked := c.Form(1000)
		e, err := xtok.Parse(asked.Append(nil), xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := form.Read(e)
		if err != nil {
			t.Fatal(err)
		}
		f.Kind = form.Submit
		got, err := Config{PM: pmAnyone}.Change(f)
		if err != nil || got != c {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
}

func TestTheFormOffersTheSizeThatIs(t *testing.T) {
	f := Config{MaxUsers: 33}.Form(60)
	if got := f.Field("muc#roomconfig_maxusers").Options; !slices.Equal(got, []string{"10", "20", "33", "50", "none"}) {
		t.Error(got)
	}
}

func TestFieldsThatAreNotThereKeepTheirValue(t *testing.T) {
	was := DefaultConfig()
	was.Name, was.Decided = "before", true
	is, err := was.Change(submit("roomdesc=new", "enablelogging=1", "urn#unknown=7", "roomname_extra=x"))
	was.Description = "new"
	if err != nil || is != was {
		t.Errorf("%+v, %v", is, err)
	}
}

func TestEachFieldIsTaken(t *testing.T) {
	for pair, set := range map[string]func(*Config){
		"roomname= a room ":               func(c *Config) { c.Name = "a room" },
		"roomname=":                       func(c *Config) {},
		"roomdesc=one|two":                func(c *Config) { c.Description = "one\ntwo" },
		"persistentroom=true":             func(c *Config) { c.Persistent = true },
		"publicroom=1":                    func(c *Config) { c.Public = true },
		"membersonly=1":                   func(c *Config) { c.MembersOnly = true },
		"moderatedroom=1":                 func(c *Config) { c.Moderated = true },
		"whois=anyone":                    func(c *Config) { c.NonAnonymous = true },
		"roomsecret=s":                    func(c *Config) { c.Password = "s" },
		"allowinvites=1":                  func(c *Config) { c.MembersInvite = true },
		"changesubject=1":                 func(c *Config) { c.SubjectByAnyone = true },
		"allowpm=moderators":              func(c *Config) { c.PM = pmModerators },
		"allow_query_users=0":             func(c *Config) { c.Queries = false },
		"maxusers=40":                     func(c *Config) { c.MaxUsers = 40 },
		"maxusers=none":                   func(c *Config) {},
		"historylength=3":                 func(c *Config) { c.History = 3 },
		"muc#maxhistoryfetch=":            func(c *Config) { c.History = -1 },
		"muc#maxhistoryfetch=999999":      func(c *Config) { c.History = maxHistory },
		"enablearchiving=0":               func(c *Config) { c.Archive = false },
		"mam=0":                           func(c *Config) { c.Archive = false },
		"presencebroadcast=moderator":     func(c *Config) { c.Broadcast = [4]bool{Moderator: true} },
		"presencebroadcast=none":          func(c *Config) { c.Broadcast = [4]bool{} },
		"presencebroadcast":               func(c *Config) { c.Broadcast = [4]bool{} },
		"getmemberlist=participant":       func(c *Config) { c.MemberList = [4]bool{Participant: true} },
		"{urn:mirsal:rooms:0}register=0":  func(c *Config) { c.RegisterAllowed = false },
		"{urn:mirsal:rooms:0}encrypted=0": func(c *Config) { c.Decided = true },
		"{urn:mirsal:rooms:0}encrypted":   func(*Config) {},
		"passwordprotectedroom=0":         func(*Config) {},
		"{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites=1": func(c *Config) { c.MembersInvite = true },
	} {
		want := DefaultConfig()
		set(&want)
		is, err := DefaultConfig().Change(submit(pair))
		if want.History == -1 {
			if err == nil {
				t.Errorf("%s was taken", pair)
			}
		} else if err != nil || is != want {
			t.Errorf("%s: %+v, %v", pair, is, err)
		}
	}
}

func TestWhatMakesNoSenseIsRefusedWhole(t *testing.T) {
	was := DefaultConfig()
	for _, pairs := range [][]string{
		{"roomname=new", "whois=none"},
		{"whois"},
		{"membersonly=yes"},
		{"membersonly=1|0"},
		{"membersonly"},
		{"maxusers=-1"},
		{"maxusers=many"},
		{"historylength=-1"},
		{"allowpm=members"},
		{"presencebroadcast=owner"},
		{"presencebroadcast=none|moderator"},
		{"roomname=" + strings.Repeat("x", maxName+1)},
		{"roomdesc=" + strings.Repeat("x", maxDescription+1)},
		{"roomsecret=" + strings.Repeat("x", maxPassword+1)},
		{"roomsecret=a|b"},
		{"passwordprotectedroom=1"},
		{"passwordprotectedroom=1", "roomsecret"},
		{"{urn:mirsal:rooms:0}encrypted=maybe"},
		{"{urn:mirsal:rooms:0}encrypted=1"},
		{"{urn:mirsal:rooms:0}encrypted=1", "membersonly=1"},
	} {
		is, err := was.Change(submit(pairs...))
		if condition(err) != stanza.NotAcceptable || is != was {
			t.Errorf("%s: %+v, %v", pairs, is, err)
		}
	}
	for _, f := range []form.Form{
		{Kind: form.Cancel, Of: formConfig},
		{Kind: form.Submit, Of: "urn:other"},
		{Kind: form.Submit, Fields: []form.Field{{Var: "muc#roomconfig_roomname", Values: []string{"x"}}}},
	} {
		if is, err := was.Change(f); condition(err) != stanza.BadRequest || is != was {
			t.Errorf("%+v: %+v, %v", f, is, err)
		}
	}
}

func TestPasswordsComeAndGo(t *testing.T) {
	with := DefaultConfig()
	with.Password = "old"
	for name, row := range map[string]struct {
		pairs []string
		want  string
	}{
		"kept":                {nil, "old"},
		"kept when confirmed": {[]string{"passwordprotectedroom=1"}, "old"},
		"changed":             {[]string{"passwordprotectedroom=1", "roomsecret=new"}, "new"},
		"switched off":        {[]string{"passwordprotectedroom=0", "roomsecret=old"}, ""},
		"emptied":             {[]string{"roomsecret="}, ""},
	} {
		if is, err := with.Change(submit(row.pairs...)); err != nil || is.Password != row.want {
			t.Errorf("%s: %q, %v", name, is.Password, err)
		}
	}
}

func TestNewPrivateRoomsAreEncrypted(t *testing.T) {
	private := []string{"membersonly=1", "whois=anyone", "publicroom=0"}
	ask := fieldEncrypted + "="
	for name, row := range map[string]struct {
		pairs []string
		want  bool
	}{
		"private":                       {private, true},
		"private, form sent back":       {append(private, ask+"auto"), true},
		"private, but the owner says":   {append(private, ask+"0"), false},
		"open":                          {nil, false},
		"listed":                        {[]string{"membersonly=1", "whois=anyone", "publicroom=1"}, false},
		"listed, but the owner says":    {[]string{"membersonly=1", "whois=anyone", "publicroom=1", ask + "1"}, true},
		"members who hide":              {[]string{"membersonly=1"}, false},
		"non-anonymous, but not closed": {[]string{"whois=anyone"}, false},
	} {
		said := slices.ContainsFunc(row.pairs, func(p string) bool { return p == ask+"0" || p == ask+"1" })
		if is, err := DefaultConfig().Change(submit(row.pairs...)); err != nil || is.Encrypted != row.want || is.Decided != (row.want || said) {
			t.Errorf("%s: %v, %v", name, is.Encrypted, err)
		}
	}
}

func TestOldRoomsAreEncryptedOnlyWhenOwnersSaySo(t *testing.T) {
	instant, err := DefaultConfig().Change(form.Form{Kind: form.Submit})
	if err != nil {
		t.Fatal(err)
	}
	if closed, err := instant.Change(submit("membersonly=1", "whois=anyone")); err != nil || !closed.Encrypted {
		t.Errorf("a room that became private: %v, %v", closed.Encrypted, err)
	}
	open, err := instant.Change(submit(fieldEncrypted + "=0"))
	if err != nil {
		t.Fatal(err)
	}
	closed, err := open.Change(submit("membersonly=1", "whois=anyone"))
	if err != nil || closed.Encrypted {
		t.Errorf("a room that became private against its owner's word: %v, %v", closed.Encrypted, err)
	}
	on, err := closed.Change(submit(fieldEncrypted + "=1"))
	if err != nil || !on.Encrypted {
		t.Errorf("switched on: %v, %v", on.Encrypted, err)
	}
	for _, pairs := range [][]string{{"membersonly=0"}, {"whois=moderators"}, {"membersonly=0", fieldEncrypted + "=1"}, {fieldEncrypted + "=0"}} {
		if off, err := on.Change(submit(pairs...)); err != nil || off.Encrypted {
			t.Errorf("%s: still encrypted, %v", pairs, err)
		}
	}
	if still, err := on.Change(submit("publicroom=1")); err != nil || !still.Encrypted {
		t.Errorf("listing the room: %v, %v", still.Encrypted, err)
	}
}

func TestFeaturesAreTheConfiguration(t *testing.T) {
	plain := []string{"muc_hidden", "muc_open", "muc_unmoderated", "muc_semianonymous", "muc_unsecured", "muc_temporary"}
	if got := (Config{}).Features(); !slices.Equal(got, plain) {
		t.Error(got)
	}
	all := Config{Public: true, MembersOnly: true, Moderated: true, NonAnonymous: true, Password: "x", Persistent: true}
	if got := all.Features(); !slices.Equal(got, []string{
		"muc_public", "muc_membersonly", "muc_moderated", "muc_nonanonymous", "muc_passwordprotected", "muc_persistent",
	}) {
		t.Error(got)
	}
}

func TestInformationNamesNoPassword(t *testing.T) {
	c := DefaultConfig()
	c.Name, c.Password = "<room>", "secret"
	f := c.RoomInfo(Info{Occupants: 3, Subject: "S", Contacts: []jid.JID{jid.MustParse("a@example.org")}, Avatars: []string{"00"}})
	xml := string(f.Append(nil))
	for _, want := range []string{"&lt;room", ">3<", ">S<", "a@example.org", "avatarhash", "muc#roomconfig_allowinvites"} {
		if !strings.Contains(xml, want) {
			t.Errorf("no %s in %s", want, xml)
		}
	}
	f = c.RoomInfo(Info{Occupants: -1})
	if xml += string(f.Append(nil)); strings.Contains(xml, "secret") || f.Field("muc#roominfo_occupants") != nil || f.Field("muc#roominfo_avatarhash") != nil {
		t.Error(xml)
	}
}
