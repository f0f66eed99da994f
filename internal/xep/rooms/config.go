package rooms

import (
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// The forms of XEP-0045 (§15.5.3 and §15.5.4).
const (
	formConfig = "http://jabber.org/protocol/muc#roomconfig"
	formInfo   = "http://jabber.org/protocol/muc#roominfo"
)

// fieldEncrypted is whether a room refuses readable messages: "1", "0", or
// "auto" for "if it is private", which is what a new room's form offers, so
// that a client that sends back what it does not know changes nothing.
const fieldEncrypted = "{urn:mirsal:rooms:0}encrypted"

// Bounds of a configuration: lengths in bytes, and messages.
const (
	maxName        = 256
	maxDescription = 4096
	maxLang        = 35 // RFC 5646 §4.4.1
	maxPassword    = 256
	maxHistory     = 100
	maxUsers       = 1_000_000
)

// Who may send private messages.
// XEP-0045#createroom-reserved
const (
	pmAnyone       = "anyone"
	pmParticipants = "participants"
	pmModerators   = "moderators"
	pmNone         = "none"
)

// DefaultConfig is a room that nobody configured: open to who knows its name,
// listed nowhere, gone when the last one leaves.
func DefaultConfig() Config {
	everyone := [4]bool{Visitor: true, Participant: true, Moderator: true}
	return Config{
		PM: pmAnyone, History: 20, Archive: true, Broadcast: everyone, MemberList: everyone,
		RegisterAllowed: true, Queries: true,
	}
}

// Private tells whether only members come in, all see who the others are, and
// the room is not listed: the group of friends.
func (c Config) Private() bool { return c.MembersOnly && c.NonAnonymous && !c.Public }

// field is one option as forms know it.
type field struct {
	name, kind, label string
	also              []string // names that others use, read but not offered
	options, names    []string // what is chosen, and what people read for it
	get               func(Config) []string
	set               func(*Config, []string) bool // false: not an acceptable value
}

// fields are all options, in the order of the form. Not among them is
// enablelogging, a public log, which no room has.
// XEP-0045#registrar-formtype-owner
var fields = []field{
	line("muc#roomconfig_roomname", "Name", maxName, func(c *Config) *string { return &c.Name }),
	line("muc#roomconfig_roomdesc", "What the room is about", maxDescription, func(c *Config) *string { return &c.Description }),
	line("muc#roomconfig_lang", "Language of the conversation", maxLang, func(c *Config) *string { return &c.Lang }),
	flag("muc#roomconfig_persistentroom", "Keep the room when the last one leaves", func(c *Config) *bool { return &c.Persistent }),
	flag("muc#roomconfig_publicroom", "List the room publicly", func(c *Config) *bool { return &c.Public }),
	flag("muc#roomconfig_membersonly", "Let only members in", func(c *Config) *bool { return &c.MembersOnly }),
	flag("muc#roomconfig_moderatedroom", "Let only those speak who were given voice", func(c *Config) *bool { return &c.Moderated }),
	{
		name: "muc#roomconfig_whois", kind: form.ListSingle, label: "Who sees the real addresses",
		options: []string{"moderators", "anyone"}, names: []string{"moderators only", "everybody in the room"}, get: getWhois, set: setWhois,
	},
	{
		name: "muc#roomconfig_passwordprotectedroom", kind: form.Boolean, label: "Ask for a password",
		get: func(c Config) []string { return yes(c.Password != "") }, set: isBool,
	},
	{
		name: "muc#roomconfig_roomsecret", kind: form.TextPrivate, label: "The password",
		get: func(c Config) []string { return some(c.Password) }, set: isPassword,
	},
	flag("muc#roomconfig_allowinvites", "Let members invite others", func(c *Config) *bool { return &c.MembersInvite },
		"{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites"),
	flag("muc#roomconfig_changesubject", "Let everybody change the subject", func(c *Config) *bool { return &c.SubjectByAnyone }),
	{
		name: "muc#roomconfig_allowpm", kind: form.ListSingle, label: "Who may send private messages",
		options: []string{pmAnyone, pmParticipants, pmModerators, pmNone}, names: []string{"everybody", "those with voice", "moderators", "nobody"},
		get: func(c Config) []string { return []string{c.PM} }, set: setPM,
	},
	flag("muc#roomconfig_allow_query_users", "Let occupants ask each other's clients", func(c *Config) *bool { return &c.Queries },
		"allow_query_users"),
	{name: "muc#roomconfig_maxusers", kind: form.ListSingle, label: "How many may be in the room", get: getMaxUsers, set: setMaxUsers},
	{
		name: "muc#maxhistoryfetch", kind: form.TextSingle, label: "Messages shown on entering",
		also: []string{"muc#roomconfig_historylength"},
		get:  func(c Config) []string { return []string{strconv.Itoa(c.History)} }, set: setHistory,
	},
	flag("muc#roomconfig_enablearchiving", "Keep messages for members to read later", func(c *Config) *bool { return &c.Archive },
		"muc#roomconfig_mam", "mam"),
	choose("muc#roomconfig_presencebroadcast", "Whose presence is shown to all (moderators see everybody)", func(c *Config) *[4]bool { return &c.Broadcast }),
	choose("muc#roomconfig_getmemberlist", "Who may read the list of members, in a room that lets only members in and shows addresses", func(c *Config) *[4]bool { return &c.MemberList }),
	flag("{urn:mirsal:rooms:0}register", "Let people register a name", func(c *Config) *bool { return &c.RegisterAllowed }),
	{
		name: "{urn:mirsal:rooms:0}approve", kind: form.Boolean, label: "In a room for members: let admins decide about those who come by its link",
		get: func(c Config) []string { return yes(!c.LinkOpens) }, set: func(c *Config, v []string) bool {
			c.LinkOpens = !isYes(v)
			return isBool(c, v)
		},
	},
	{
		name: fieldEncrypted, kind: form.ListSingle, label: "Refuse messages that are not end-to-end encrypted",
		options: []string{"auto", "1", "0"}, names: []string{"yes, if it is for members only, shows addresses and is not listed", "yes", "no"}, get: getEncrypted, set: isEncrypted,
	},
}

func line(name, label string, most int, at func(*Config) *string) field {
	get := func(c Config) []string { return some(*at(&c)) }
	set := func(c *Config, v []string) bool {
		*at(c) = strings.TrimSpace(strings.Join(v, "\n")) // COMPAT: descriptions sent as text-multi
		return len(*at(c)) <= most
	}
	return field{name: name, kind: form.TextSingle, label: label, get: get, set: set}
}

func flag(name, label string, at func(*Config) *bool, also ...string) field {
	get := func(c Config) []string { return yes(*at(&c)) }
	set := func(c *Config, v []string) bool {
		*at(c) = isYes(v)
		return isBool(c, v)
	}
	return field{name: name, kind: form.Boolean, label: label, also: also, get: get, set: set}
}

// choose is a choice of roles.
func choose(name, label string, at func(*Config) *[4]bool) field {
	get := func(c Config) (v []string) {
		for r := Moderator; r > Nobody; r-- {
			if at(&c)[r] {
				v = append(v, r.String())
			}
		}
		return v
	}
	set := func(c *Config, v []string) bool {
		*at(c) = [4]bool{}
		for _, s := range v {
			r, ok := ParseRole(s)
			if !ok || r == Nobody && len(v) > 1 {
				return false
			}
			at(c)[r] = r != Nobody // "none" alone is nobody's
		}
		return true
	}
	options := []string{Moderator.String(), Participant.String(), Visitor.String()}
	return field{name: name, kind: form.ListMulti, label: label, options: options, get: get, set: set}
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func yes(b bool) []string {
	if b {
		return []string{"1"}
	}
	return []string{"0"}
}

func first(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

func isYes(v []string) bool { return first(v) == "1" || first(v) == "true" }

func isBool(_ *Config, v []string) bool {
	return len(v) == 1 && slices.Contains([]string{"0", "1", "false", "true"}, v[0])
}

func isPassword(_ *Config, v []string) bool { return len(v) <= 1 && len(first(v)) <= maxPassword }

func getWhois(c Config) []string {
	if c.NonAnonymous {
		return []string{"anyone"}
	}
	return []string{"moderators"}
}

func setWhois(c *Config, v []string) bool {
	c.NonAnonymous = first(v) == "anyone"
	return len(v) == 1 && (c.NonAnonymous || v[0] == "moderators")
}

func setPM(c *Config, v []string) bool {
	c.PM = first(v)
	return len(v) == 1 && slices.Contains([]string{pmAnyone, pmParticipants, pmModerators, pmNone}, v[0])
}

func getMaxUsers(c Config) []string {
	if c.MaxUsers == 0 {
		return []string{"none"}
	}
	return []string{strconv.Itoa(c.MaxUsers)}
}

func setMaxUsers(c *Config, v []string) bool {
	if s := first(v); s == "none" || s == "" || s == "0" {
		c.MaxUsers = 0
		return len(v) <= 1
	}
	n, err := strconv.Atoi(v[0])
	c.MaxUsers = min(n, maxUsers)
	return err == nil && n > 0 && len(v) == 1
}

func setHistory(c *Config, v []string) bool {
	n, err := strconv.Atoi(first(v))
	c.History = min(n, maxHistory)
	return err == nil && n >= 0 && len(v) == 1
}

func getEncrypted(c Config) []string {
	if !c.Decided {
		return []string{"auto"}
	}
	return yes(c.Encrypted)
}

func isEncrypted(_ *Config, v []string) bool {
	return len(v) == 0 || len(v) == 1 && (v[0] == "auto" || isBool(nil, v))
}

// Form is the configuration form, filled in. It holds the password: it is for
// owners. most is how many occupants the service allows.
// XEP-0045#createroom-reserved
func (c Config) Form(most int) form.Form {
	f := form.Form{Kind: form.Ask, Of: formConfig, Title: "Configuration of the room"}
	for _, o := range fields {
		one := form.Field{Var: o.name, Kind: o.kind, Label: o.label, Values: o.get(c), Options: o.options, Names: o.names}
		if o.name == "muc#roomconfig_maxusers" {
			one.Options = crowds(c.MaxUsers, most)
		}
		f.Fields = append(f.Fields, one)
	}
	return f
}

// crowds are the sizes of room that the form offers.
func crowds(now, most int) (options []string) {
	sizes := []int{10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000}
	if now > 0 && !slices.Contains(sizes, now) {
		sizes = append(sizes, now)
	}
	slices.Sort(sizes)
	for _, n := range sizes {
		if n <= most || most <= 0 || n == now {
			options = append(options, strconv.Itoa(n))
		}
	}
	return append(options, "none")
}

// Change is what a submitted form makes of a configuration. Fields that are
// not there keep their value, fields that nobody here knows are ignored, and
// the empty form accepts what is (XEP-0045 §10.1.2). The error is a
// *stanza.StanzaError: nothing of such a form is taken.
func (c Config) Change(f form.Form) (Config, error) {
	// XEP-0045#roomconfig
	if f.Kind != form.Submit || f.Of != formConfig && (f.Of != "" || len(f.Fields) > 0) {
		return c, stanza.Errorf(stanza.BadRequest, "not a submitted room configuration")
	}
	is := c
	for _, o := range fields {
		given := o.find(&f)
		if given != nil && !o.set(&is, given.Values) {
			return c, stanza.Errorf(stanza.NotAcceptable, "%s: not an acceptable value", o.name)
		}
	}
	if err := is.protect(&f); err != nil {
		return c, err
	}
	if err := is.encrypt(&f); err != nil {
		return c, err
	}
	return is, nil
}

// find is the field as submitted: by its own name before those of others.
func (o field) find(f *form.Form) *form.Field {
	if given := f.Field(o.name); given != nil {
		return given
	}
	for _, name := range o.also {
		if given := f.Field(name); given != nil {
			return given
		}
	}
	return nil
}

// protect sets the password from its two fields: the one that says whether,
// the one that says which.
func (c *Config) protect(f *form.Form) error {
	secret := c.Password
	if f.Field("muc#roomconfig_roomsecret") != nil {
		secret = f.Value("muc#roomconfig_roomsecret")
	}
	want, said := f.Bool("muc#roomconfig_passwordprotectedroom")
	switch {
	case said && want && secret == "":
		// XEP-0045#createroom-reserved
		return stanza.Errorf(stanza.NotAcceptable, "a password-protected room needs a password")
	case said && !want:
		secret = ""
	}
	c.Password = secret
	return nil
}

// encrypt decides whether readable messages are refused. A room is encrypted
// once it is private, unless its owner says otherwise; from then on only owners
// change it. COMPAT: Converse makes every room an open one first. Keys can be had where members know each other
// (XEP-0384 §5.8), so a room that stops to be of members, or hides who they
// are, stops to be encrypted.
func (c *Config) encrypt(f *form.Form) error {
	possible := c.MembersOnly && c.NonAnonymous
	switch v := f.Value(fieldEncrypted); {
	case v == "auto", v == "" && !c.Decided:
		c.Encrypted = c.Private()
		c.Decided = c.Encrypted
		return nil
	case v != "" && !isYes([]string{v}):
		c.Encrypted = false
	case v != "" && !possible && !c.Encrypted:
		return stanza.Errorf(stanza.NotAcceptable, "only a members-only room that shows real addresses can be encrypted")
	case v != "":
		c.Encrypted = true
	}
	c.Encrypted, c.Decided = c.Encrypted && possible, true
	return nil
}

// Features are what the configuration adds to the features of a room.
// XEP-0045#registrar-features
func (c Config) Features() []string {
	pick := func(b bool, is, isNot string) string {
		if b {
			return is
		}
		return isNot
	}
	return []string{
		pick(c.Public, "muc_public", "muc_hidden"),
		pick(c.MembersOnly, "muc_membersonly", "muc_open"),
		pick(c.Moderated, "muc_moderated", "muc_unmoderated"),
		pick(c.NonAnonymous, "muc_nonanonymous", "muc_semianonymous"),
		pick(c.Password != "", "muc_passwordprotected", "muc_unsecured"),
		pick(c.Persistent, "muc_persistent", "muc_temporary"),
	}
}

// Info is what a room tells of itself besides its configuration.
type Info struct {
	Occupants int // negative: not told
	Subject   string
	Contacts  []jid.JID // owners, where they may be known
	Avatars   []string  // SHA-1 of the picture in hex, one for each format (XEP-0486)
}

// RoomInfo is the form in a room's disco#info. Fields of the configuration
// that people may know are there too, as clients decide by them what to
// offer.
// XEP-0045#disco-roominfo
func (c Config) RoomInfo(i Info) form.Form {
	f := form.Form{Kind: form.Result, Of: formInfo}
	add := func(name, kind string, v ...string) {
		f.Fields = append(f.Fields, form.Field{Var: name, Kind: kind, Values: v})
	}
	add("muc#roomconfig_roomname", form.TextSingle, c.Name)
	add("muc#roominfo_description", form.TextSingle, c.Description)
	add("muc#roominfo_subject", form.TextSingle, i.Subject)
	add("muc#roominfo_lang", form.TextSingle, c.Lang)
	if i.Occupants >= 0 {
		add("muc#roominfo_occupants", form.TextSingle, strconv.Itoa(i.Occupants))
	}
	if len(i.Contacts) > 0 {
		add("muc#roominfo_contactjid", form.JIDMulti, texts(i.Contacts)...)
	}
	add("muc#maxhistoryfetch", form.TextSingle, strconv.Itoa(c.History))
	add("muc#roominfo_subjectmod", form.Boolean, yes(c.SubjectByAnyone)...)
	add("muc#roomconfig_changesubject", form.Boolean, yes(c.SubjectByAnyone)...)
	add("muc#roomconfig_allowinvites", form.Boolean, yes(c.MembersInvite)...)
	// COMPAT: Conversations and Dino look for Prosody's name of the same.
	add("{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites", form.Boolean, yes(c.MembersInvite)...)
	add("muc#roomconfig_allowpm", form.ListSingle, c.PM)
	add(fieldEncrypted, form.Boolean, yes(c.Encrypted)...)
	if len(i.Avatars) > 0 {
		// XEP-0486#disco-avatar-hash
		add("muc#roominfo_avatarhash", form.TextMulti, i.Avatars...)
	}
	return f
}

func texts(addresses []jid.JID) (v []string) {
	for _, a := range addresses {
		v = append(v, a.String())
	}
	return v
}
