package pubsub

import (
	"slices"
	"strconv"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
)

// Config is how a node behaves. The tags name the fields on disk.
type Config struct {
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"`
	Language    string   `json:"language,omitempty"`
	Access      string   `json:"access"`
	Groups      []string `json:"groups,omitempty"`
	MaxItems    int      `json:"max_items"` // maxItems stands for "max"
	Persist     bool     `json:"persist"`
	SendLast    string   `json:"send_last"`
	Deliver     bool     `json:"deliver"`
	Payloads    bool     `json:"payloads"`
	Style       string   `json:"style"` // message type of events
	OnRetract   bool     `json:"on_retract"`
	OnDelete    bool     `json:"on_delete"`
	OnConfig    bool     `json:"on_config"`
	ItemReply   string   `json:"itemreply"`
	Expire      int64    `json:"expire,omitempty"`  // seconds that an item lives, 0 for ever
	Publish     string   `json:"publish,omitempty"` // publish model; "" where there is one only
}

// Access models.
// XEP-0060#accessmodels
const (
	open      = "open"
	presence  = "presence"
	rosterAcc = "roster"
	authorize = "authorize"
	whitelist = "whitelist"
)

// Publish models.
// XEP-0060#registrar-formtypes-config
const (
	byPublishers  = "publishers"
	bySubscribers = "subscribers"
	byAll         = "open"
)

// What "send the last published item" may mean.
const (
	sendNever    = "never"
	sendOnSub    = "on_sub"
	sendPresence = "on_sub_and_presence"
)

// defaults are what a new node gets where its creator says nothing.
// XEP-0163#defaults
func defaults(name string) Config {
	c := Config{
		Access: presence, MaxItems: 1, Persist: true, SendLast: sendPresence, Deliver: true, Payloads: true,
		Style: stanza.Headline, OnRetract: true, OnDelete: true, ItemReply: "none",
	}
	if f := special[name]; f != nil {
		f(&c)
	}
	return c
}

// serviceItems is how many items a node at the service keeps where nobody says
// otherwise.
const serviceItems = 100

// serviceDefaults are what a new node at the service gets. Several may publish
// there, so items name their publisher.
// XEP-0060#accessmodels
func serviceDefaults() Config {
	return Config{
		Access: open, MaxItems: serviceItems, Persist: true, SendLast: sendNever, Deliver: true, Payloads: true,
		Style: stanza.Headline, OnRetract: true, OnDelete: true, ItemReply: "publisher", Publish: byPublishers,
	}
}

// special are nodes of which a client that states no options still means more
// than the defaults.
var special = map[string]func(*Config){
	// XEP-0402#adding-a-bookmark
	"urn:xmpp:bookmarks:1": private,
	"storage:bookmarks":    func(c *Config) { c.Access = whitelist },
	// displayed markers: what was read where is nobody else's business
	"urn:xmpp:mds:displayed:0": private,
	// XEP-0384#bundles: an item for each device
	"urn:xmpp:omemo:2:bundles": func(c *Config) { c.MaxItems = maxItems },
}

func private(c *Config) {
	c.Access, c.MaxItems, c.SendLast = whitelist, maxItems, sendNever
}

// field is one option as forms know it.
type field struct {
	name, kind, label string
	options           []string
	get               func(*Config) []string
	set               func(*Config, []string) bool // false: not an acceptable value
}

// fields are all options, in the order of the form: of an account's nodes, where
// the owner alone publishes and nobody is asked who may read, and of the service's.
// XEP-0060#registrar-formtypes-config
var fields = map[bool][]field{
	false: options(
		choice("pubsub#access_model", accessLabel, func(c *Config) *string { return &c.Access },
			open, presence, rosterAcc, whitelist),
		fixed("pubsub#publish_model", publishLabel, byPublishers)),
	true: options(
		choice("pubsub#access_model", accessLabel, func(c *Config) *string { return &c.Access },
			open, presence, rosterAcc, authorize, whitelist),
		choice("pubsub#publish_model", publishLabel, func(c *Config) *string { return &c.Publish },
			byPublishers, bySubscribers, byAll)),
}

const (
	accessLabel  = "Who may subscribe and retrieve items"
	publishLabel = "Who may publish"
)

func options(access, publish field) []field {
	return []field{
		text("pubsub#title", "A name for the node", func(c *Config) *string { return &c.Title }),
		text("pubsub#description", "What the node is for", func(c *Config) *string { return &c.Description }),
		text("pubsub#type", "The namespace of the payloads", func(c *Config) *string { return &c.Type }),
		language(),
		access,
		{
			"pubsub#roster_groups_allowed", form.ListMulti, "The roster groups that have access", nil,
			func(c *Config) []string { return c.Groups }, setGroups,
		},
		{"pubsub#max_items", form.TextSingle, "How many items are kept", nil, getMax, setMax},
		{"pubsub#item_expire", form.TextSingle, "After how many seconds an item goes", nil, getExpire, setExpire},
		flag("pubsub#persist_items", "Keep items", func(c *Config) *bool { return &c.Persist }),
		choice("pubsub#send_last_published_item", "When to send the last item", func(c *Config) *string { return &c.SendLast },
			sendNever, sendOnSub, sendPresence),
		flag("pubsub#deliver_notifications", "Send notifications", func(c *Config) *bool { return &c.Deliver }),
		flag("pubsub#deliver_payloads", "Send payloads with notifications", func(c *Config) *bool { return &c.Payloads }),
		choice("pubsub#notification_type", "The type of notifications", func(c *Config) *string { return &c.Style },
			stanza.Normal, stanza.Headline),
		flag("pubsub#notify_retract", "Notify when items are removed", func(c *Config) *bool { return &c.OnRetract }),
		flag("pubsub#notify_delete", "Notify when the node is deleted", func(c *Config) *bool { return &c.OnDelete }),
		flag("pubsub#notify_config", "Notify when the configuration changes", func(c *Config) *bool { return &c.OnConfig }),
		choice("pubsub#itemreply", "Whose address items name", func(c *Config) *string { return &c.ItemReply },
			"none", "owner", "publisher"),
		publish,
		fixed("pubsub#node_type", "What the node is", "leaf"),
	}
}

// maxLabel bounds texts of a configuration, in bytes; maxGroups its groups.
const (
	maxLabel  = 4096
	maxGroups = 50
)

func text(name, label string, at func(*Config) *string) field {
	set := func(c *Config, v []string) bool {
		*at(c) = first(v)
		return len(v) <= 1 && len(first(v)) <= maxLabel
	}
	get := func(c *Config) []string {
		if *at(c) == "" {
			return nil
		}
		return []string{*at(c)}
	}
	return field{name, form.TextSingle, label, nil, get, set}
}

// language takes any text, though the registry has a list here: aioxmpp takes no
// form in which it is something else.
// XEP-0060#registrar-formtypes-config
func language() field {
	f := text("pubsub#language", "The language of the node", func(c *Config) *string { return &c.Language })
	f.kind = form.ListSingle
	return f
}

func choice(name, label string, at func(*Config) *string, options ...string) field {
	set := func(c *Config, v []string) bool {
		*at(c) = first(v)
		return len(v) == 1 && slices.Contains(options, v[0])
	}
	return field{name, form.ListSingle, label, options, func(c *Config) []string { return []string{*at(c)} }, set}
}

func flag(name, label string, at func(*Config) *bool) field {
	get := func(c *Config) []string {
		if *at(c) {
			return []string{"1"}
		}
		return []string{"0"}
	}
	set := func(c *Config, v []string) bool {
		*at(c) = first(v) == "1" || first(v) == "true"
		return len(v) == 1 && slices.Contains([]string{"0", "1", "true", "false"}, v[0])
	}
	return field{name, form.Boolean, label, nil, get, set}
}

// fixed is an option that has one value here.
func fixed(name, label, value string) field {
	return field{
		name, form.ListSingle, label, []string{value},
		func(*Config) []string { return []string{value} },
		func(_ *Config, v []string) bool { return len(v) == 1 && v[0] == value },
	}
}

func setGroups(c *Config, v []string) bool {
	c.Groups = slices.Compact(slices.Sorted(slices.Values(v)))
	return len(c.Groups) <= maxGroups && !slices.ContainsFunc(v, func(g string) bool { return len(g) > maxID })
}

// getMax and setMax know the word "max" for the most that the server keeps.
// XEP-0060#entity-metadata
func getMax(c *Config) []string {
	if c.MaxItems == maxItems {
		return []string{"max"}
	}
	return []string{strconv.Itoa(c.MaxItems)}
}

func setMax(c *Config, v []string) bool {
	if first(v) == "max" {
		c.MaxItems = maxItems
		return true
	}
	n, err := strconv.Atoi(first(v))
	c.MaxItems = n
	return err == nil && 1 <= n && n <= maxItems
}

// maxExpire is the longest life of an item that can be asked for, in seconds: a
// hundred years.
const maxExpire = 100 * 366 * 24 * 60 * 60

// getExpire and setExpire know the word "max" for an item that stays.
// XEP-0060#registrar-features
func getExpire(c *Config) []string {
	if c.Expire == 0 {
		return []string{"max"}
	}
	return []string{strconv.FormatInt(c.Expire, 10)}
}

func setExpire(c *Config, v []string) bool {
	if first(v) == "max" {
		c.Expire = 0
		return true
	}
	n, err := strconv.ParseInt(first(v), 10, 64)
	c.Expire = n
	return err == nil && 0 <= n && n <= maxExpire
}

func first(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

// form is the configuration as a form; kind is form.Ask or form.Result.
func (c *Config) form(service bool, kind, of string) form.Form {
	f := form.Form{Kind: kind, Of: of}
	for _, o := range fields[service] {
		f.Fields = append(f.Fields, form.Field{Var: o.name, Kind: o.kind, Label: o.label, Options: o.options, Values: o.get(c)})
	}
	return f
}

// apply takes over what a submitted form says; fields that are not known are
// the caller's business.
// XEP-0060#owner-configure-process
func (c *Config) apply(service bool, f *form.Form) error {
	for _, o := range fields[service] {
		in := f.Field(o.name)
		if in == nil || len(in.Values) == 0 && o.kind != form.TextSingle && o.kind != form.ListMulti {
			continue
		}
		if len(in.Values) == 0 && (o.name == "pubsub#max_items" || o.name == "pubsub#item_expire") {
			continue
		}
		if !o.set(c, in.Values) {
			return fail(stanza.NotAcceptable, "invalid-options", "the value of "+o.name+" is not possible here")
		}
	}
	return nil
}

// known tells whether every field of a form is an option.
func known(service bool, f *form.Form) bool {
	return !slices.ContainsFunc(f.Fields, func(in form.Field) bool {
		return !slices.ContainsFunc(fields[service], func(o field) bool { return o.name == in.Var })
	})
}

// same tells whether two configurations agree in everything that forms know.
func (c *Config) same(service bool, o *Config) bool {
	return !slices.ContainsFunc(fields[service], func(f field) bool { return !slices.Equal(f.get(c), f.get(o)) })
}
