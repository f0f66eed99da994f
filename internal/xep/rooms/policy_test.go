package rooms

import (
	"errors"
	"slices"
	"testing"

	"mirsal/internal/xmpp/stanza"
)

func condition(err error) stanza.Condition {
	var se *stanza.StanzaError
	if errors.As(err, &se) {
		return se.Condition
	}
	return ""
}

func TestNamesAreReadBack(t *testing.T) {
	for a := Outcast; a <= Owner; a++ {
		if got, ok := ParseAffiliation(a.String()); got != a || !ok {
			t.Errorf("%s was read as %s", a, got)
		}
	}
	for r := Nobody; r <= Moderator; r++ {
		if got, ok := ParseRole(r.String()); got != r || !ok {
			t.Errorf("%s was read as %s", r, got)
		}
	}
	if _, ok := ParseAffiliation("Owner"); ok {
		t.Error("names are case-sensitive")
	}
	if _, ok := ParseRole(""); ok {
		t.Error("no role is a role")
	}
}

// XEP-0045#roles-default
func TestRolesOnEnteringAreThoseOfTheTable(t *testing.T) {
	for name, row := range map[string]struct {
		c    Config
		want [5]Role // by affiliation, from Outcast on
	}{
		"open":                   {Config{}, [5]Role{Nobody, Participant, Participant, Moderator, Moderator}},
		"moderated":              {Config{Moderated: true}, [5]Role{Nobody, Visitor, Participant, Moderator, Moderator}},
		"members-only":           {Config{MembersOnly: true}, [5]Role{Nobody, Nobody, Participant, Moderator, Moderator}},
		"moderated members-only": {Config{MembersOnly: true, Moderated: true}, [5]Role{Nobody, Nobody, Participant, Moderator, Moderator}},
	} {
		for a, want := range row.want {
			if got := row.c.RoleOf(Affiliation(a)); got != want {
				t.Errorf("%s room: %s enters as %s, not %s", name, Affiliation(a), got, want)
			}
		}
	}
}

func TestWhoMayChangeRoles(t *testing.T) {
	const forbidden, notAllowed = stanza.Forbidden, stanza.NotAllowed
	mod := Standing{None, Moderator}
	modMember := Standing{Member, Moderator}
	admin, owner := Standing{Admin, Moderator}, Standing{Owner, Moderator}
	part, member, visitor := Standing{None, Participant}, Standing{Member, Participant}, Standing{None, Visitor}
	for name, row := range map[string]struct {
		by, of Standing
		to     Role
		want   stanza.Condition
	}{
		// XEP-0045#kick
		"moderator kicks participant":          {mod, part, Nobody, ""},
		"moderator kicks visitor":              {mod, visitor, Nobody, ""},
		"moderator kicks member":               {mod, member, Nobody, notAllowed},
		"member-moderator kicks member":        {modMember, member, Nobody, ""},
		"moderator kicks moderator":            {mod, mod, Nobody, notAllowed},
		"moderator kicks admin":                {modMember, admin, Nobody, notAllowed},
		"moderator kicks owner":                {modMember, owner, Nobody, notAllowed},
		"admin kicks owner":                    {admin, owner, Nobody, notAllowed},
		"admin kicks admin":                    {admin, admin, Nobody, ""},
		"admin kicks moderator":                {admin, modMember, Nobody, ""},
		"owner kicks owner":                    {owner, owner, Nobody, ""},
		"participant kicks participant":        {part, part, Nobody, forbidden},
		"visitor kicks":                        {visitor, visitor, Nobody, forbidden},
		"outsider kicks":                       {Standing{None, Nobody}, part, Nobody, forbidden},
		"admin who is not in the room kicks":   {Standing{Admin, Nobody}, part, Nobody, ""},
		"member who is not in the room kicks":  {Standing{Member, Nobody}, part, Nobody, forbidden},
		"moderator kicks someone who has left": {mod, Standing{None, Nobody}, Nobody, stanza.ItemNotFound},
		// XEP-0045#grantvoice, XEP-0045#revokevoice
		"moderator grants voice":                       {mod, visitor, Participant, ""},
		"participant grants voice":                     {part, visitor, Participant, forbidden},
		"visitor takes voice":                          {visitor, visitor, Participant, forbidden},
		"moderator revokes voice":                      {mod, part, Visitor, ""},
		"moderator revokes a member's voice":           {mod, member, Visitor, notAllowed},
		"member revokes a member's voice":              {modMember, member, Visitor, notAllowed},
		"admin revokes a member's voice":               {admin, member, Visitor, ""},
		"moderator revokes an admin's voice":           {mod, Standing{Admin, Participant}, Visitor, notAllowed},
		"moderator revokes a moderating admin's voice": {modMember, admin, Visitor, notAllowed},
		"moderator revokes an owner's voice":           {mod, owner, Visitor, notAllowed},
		"owner revokes an admin's voice":               {owner, admin, Visitor, notAllowed},
		"owner revokes an owner's voice":               {owner, owner, Visitor, notAllowed},
		"moderator revokes a moderator's voice":        {modMember, mod, Visitor, forbidden},
		"admin makes a moderator a visitor":            {admin, mod, Visitor, ""},
		"moderator changes what is so already":         {mod, visitor, Visitor, ""},
		"participant changes what is so already":       {part, visitor, Visitor, forbidden},
		"admin who is not in the room gives back":      {Standing{Admin, Nobody}, visitor, Participant, ""},
		// XEP-0045#grantmod, XEP-0045#revokemod
		"admin grants moderator":                {admin, part, Moderator, ""},
		"owner grants moderator to visitor":     {owner, visitor, Moderator, ""},
		"moderator grants moderator":            {modMember, part, Moderator, forbidden},
		"admin revokes moderator":               {admin, modMember, Participant, ""},
		"moderator revokes moderator":           {modMember, mod, Participant, forbidden},
		"admin revokes moderator of admin":      {admin, admin, Participant, notAllowed},
		"admin revokes moderator of owner":      {admin, owner, Participant, notAllowed},
		"owner revokes moderator of an admin":   {owner, admin, Participant, notAllowed},
		"participant makes himself a moderator": {part, part, Moderator, forbidden},
	} {
		if err := mayChangeRole(row.by, row.of, row.to); condition(err) != row.want {
			t.Errorf("%s: %v, not %s", name, err, row.want)
		}
	}
}

func TestWhoMayChangeAffiliations(t *testing.T) {
	none, member, admin, owner := Standing{Affiliation: None}, Standing{Affiliation: Member}, Standing{Affiliation: Admin}, Standing{Affiliation: Owner}
	outcast := Standing{Affiliation: Outcast}
	for name, row := range map[string]struct {
		by, of Standing
		self   bool
		to     Affiliation
		owners int
		want   stanza.Condition
	}{
		"moderator bans":           {Standing{None, Moderator}, none, false, Outcast, 1, stanza.Forbidden},
		"member-moderator bans":    {Standing{Member, Moderator}, none, false, Outcast, 1, stanza.Forbidden},
		"member makes a member":    {member, none, false, Member, 1, stanza.Forbidden},
		"member makes himself one": {none, none, true, Member, 1, stanza.Forbidden},
		"outcast lifts his ban":    {outcast, outcast, true, None, 1, stanza.Forbidden},
		// XEP-0045#ban
		"admin bans":         {admin, none, false, Outcast, 1, ""},
		"admin bans member":  {admin, member, false, Outcast, 1, ""},
		"admin bans admin":   {admin, admin, false, Outcast, 1, stanza.NotAllowed},
		"admin bans owner":   {admin, owner, false, Outcast, 2, stanza.NotAllowed},
		"admin bans himself": {admin, admin, true, Outcast, 1, stanza.Conflict},
		"owner bans himself": {owner, owner, true, Outcast, 2, stanza.Conflict},
		"owner bans admin":   {owner, admin, false, Outcast, 1, ""},
		"owner bans owner":   {owner, owner, false, Outcast, 2, ""},
		"admin lifts a ban":  {admin, outcast, false, None, 1, ""},
		// XEP-0045#grantmember, XEP-0045#revokemember
		"admin makes a member":         {admin, none, false, Member, 1, ""},
		"admin makes an outcast one":   {admin, outcast, false, Member, 1, ""},
		"admin removes a member":       {admin, member, false, None, 1, ""},
		"admin changes what is so":     {admin, admin, false, Admin, 1, ""},
		"owner makes an admin":         {owner, member, false, Admin, 1, ""},
		"admin makes an admin":         {admin, member, false, Admin, 1, stanza.Forbidden},
		"admin removes an admin":       {admin, admin, false, Member, 1, stanza.Forbidden},
		"admin steps down":             {admin, admin, true, None, 1, ""},
		"admin becomes a member":       {admin, admin, true, Member, 1, ""},
		"admin makes an owner":         {admin, none, false, Owner, 1, stanza.Forbidden},
		"admin makes himself an owner": {admin, admin, true, Owner, 1, stanza.Forbidden},
		"admin removes an owner":       {admin, owner, false, None, 2, stanza.Forbidden},
		// XEP-0045#grantowner, XEP-0045#revokeowner
		"owner makes an owner":      {owner, admin, false, Owner, 1, ""},
		"owner removes an owner":    {owner, owner, false, Admin, 2, ""},
		"owner steps down":          {owner, owner, true, None, 2, ""},
		"last owner steps down":     {owner, owner, true, None, 1, stanza.Conflict},
		"last owner becomes admin":  {owner, owner, true, Admin, 1, stanza.Conflict},
		"last owner stays an owner": {owner, owner, true, Owner, 1, ""},
	} {
		err := mayChangeAffiliation(row.by, row.of, row.self, row.to, row.owners)
		if condition(err) != row.want {
			t.Errorf("%s: %v, not %s", name, err, row.want)
		}
	}
}

// XEP-0045#roomconfig-notify
func TestOccupantsHearWhatChanged(t *testing.T) {
	was := DefaultConfig()
	for name, row := range map[string]struct {
		change func(*Config)
		want   []int
	}{
		"nothing":           {func(*Config) {}, nil},
		"only decided":      {func(c *Config) { c.Decided = true }, nil},
		"name":              {func(c *Config) { c.Name = "x" }, []int{104}},
		"no archive":        {func(c *Config) { c.Archive = false }, []int{171}},
		"non-anonymous":     {func(c *Config) { c.NonAnonymous = true }, []int{172}},
		"both and a secret": {func(c *Config) { c.Archive, c.NonAnonymous, c.Password = false, true, "x" }, []int{104, 171, 172}},
	} {
		is := was
		row.change(&is)
		if got := diff(was, is); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, not %v", name, got, row.want)
		}
	}
	if got := diff(Config{NonAnonymous: true}, Config{Archive: true}); !slices.Equal(got, []int{170, 173}) {
		t.Errorf("back: %v", got)
	}
}
