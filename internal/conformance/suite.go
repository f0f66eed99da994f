package conformance

// The sections of the suite, and what is looked at besides.
const (
	Core   = "Core"
	Web    = "Web"
	IM     = "IM"
	Mobile = "Mobile"
	AV     = "A/V"
	Beyond = "Beyond the suite"
)

var sections = [...]string{Core, Web, IM, Mobile, AV, Beyond}

// suite is what XEP-0479 version 0.1.0 asks of servers, with its rows for
// clients alone, and then what is looked at beyond it. remedy is said when the
// feature does not work, to the operator of any server.
var suite = [...]struct {
	key, section, feature, by string
	core, advanced            Need
	remedy                    string
	unseen                    bool
}{
	{"core.core", Core, "Streams and stanzas", "RFC 6120", Required, Required,
		"Sign-in by SCRAM and the basic handling of requests are the server's core: look for an update.", false},
	{"core.tls", Core, "Encryption", "RFC 7590", Required, Required,
		"Offer TLS 1.2 and 1.3 only, with a certificate for the domain that everybody trusts, and take no login without it.", false},
	{"core.direct-tls", Core, "Direct TLS", "XEP-0368", NotAsked, Required,
		"Open a port with TLS from the first byte, usually 5223, and publish it as the SRV record _xmpps-client._tcp.", false},
	{"core.disco", Core, "Feature discovery", "XEP-0030", Required, Required,
		"Turn service discovery on: without it clients find nothing else.", false},
	{"core.caps", Core, "Feature broadcasts", "XEP-0115", NotAsked, Required,
		"Have the server state its capabilities in its stream features, with a hash that matches.", false},
	{"core.components", Core, "Server extensibility", "XEP-0114", Required, Required,
		"Open a port for components, so that bridges and bots can be attached.", true},
	{"core.pep", Core, "Event publishing", "XEP-0163", NotAsked, Required,
		"Turn personal eventing (PEP) on: pictures, encryption and bookmarks rest on it.", false},

	{"web.connect", Web, "Web connections", "RFC 7395 XEP-0206", Component, Component,
		"Offer WebSocket (RFC 7395) over HTTPS and name it in https://DOMAIN/.well-known/host-meta, so that browsers can connect.", false},
	{"web.discovery", Web, "Connection discovery", "XEP-0156", NotAsked, NoServer, "", false},

	{"im.core", IM, "Contacts and messages", "RFC 6121", Required, Required,
		"The contact list and messages between devices are the server's core: look for an update.", false},
	{"im.me", IM, "/me", "XEP-0245", NoServer, NoServer, "", false},
	{"im.avatars", IM, "avatars", "XEP-0084", NoServer, NoServer, "", false},
	{"im.avatar-compat", IM, "Avatars, old and new", "XEP-0398 XEP-0153", NotAsked, Required,
		"Turn on the conversion between pictures in PEP and in vCards; else clients of one kind do not see those of the other.", false},
	{"im.vcard", IM, "vCards", "XEP-0054", Required, Required,
		"Turn vcard-temp on.", false},
	{"im.carbons", IM, "Copies to own devices", "XEP-0280", Required, Required,
		"Turn message carbons on: without them a conversation is torn apart between phone and computer.", false},
	{"im.blocking", IM, "Blocking", "XEP-0191", NotAsked, Required,
		"Turn the blocking command on.", false},
	{"im.muc", IM, "Group chat", "XEP-0045 XEP-0249", Component, Component,
		"Add a group chat service (MUC), and list it among the server's items.", false},
	{"im.muc-advanced", IM, "Group chat, advanced", "XEP-0048 XEP-0313 XEP-0402 XEP-0410", NotAsked, Component,
		"Give rooms an archive and self-ping, and let bookmarks of the old and the new kind be one list.", false},
	{"im.private-pubsub", IM, "Private data by PubSub", "XEP-0223", NotAsked, Component,
		"Let clients publish to PEP with publish-options, items that stay, and access for the owner only.", false},
	{"im.private-xml", IM, "Private XML", "XEP-0049", NotAsked, Component,
		"Turn private XML storage on: old clients keep their bookmarks there.", false},
	{"im.sm", IM, "Stream management", "XEP-0198", NotAsked, Required,
		"Turn stream management on, with resumption.", false},
	{"im.receipts", IM, "acknowledgements", "XEP-0184", NoServer, NoServer, "", false},
	{"im.history", IM, "History", "XEP-0313", NotAsked, Required,
		"Turn the message archive (MAM) on: without it a new device begins with nothing, and messages get lost between devices.", false},
	{"im.states", IM, "chat states", "XEP-0085", NoServer, NoServer, "", false},
	{"im.correction", IM, "correction", "XEP-0308", NoServer, NoServer, "", false},
	{"im.upload", IM, "File upload", "XEP-0363", Component, Component,
		"Add HTTP upload, and list it among the server's items: pictures and voice messages go that way.", false},
	{"im.files", IM, "direct file transfer", "XEP-0234", NoServer, NoServer, "", false},

	{"mobile.sm", Mobile, "Stream management", "XEP-0198", Required, Required,
		"Turn stream management on, with resumption: without it a phone loses messages when its network changes.", false},
	{"mobile.csi", Mobile, "Client state", "XEP-0352", Required, Required,
		"Turn client state indication on: it spares the phones' batteries.", false},
	{"mobile.push", Mobile, "Push", "XEP-0357", NotAsked, Component,
		"Turn push notifications on: some phones, iPhones above all, hear of nothing without them.", false},

	{"av.calls", AV, "call set-up", "XEP-0167 XEP-0353", NoServer, NoServer, "", false},
	{"av.transport", AV, "transport", "XEP-0176", NoServer, NoServer, "", false},
	{"av.encryption", AV, "encryption", "XEP-0320", NoServer, NoServer, "", false},
	{"av.turn", AV, "STUN and TURN", "XEP-0215", Required, Required,
		"Set up a relay for calls, such as coturn, and have the server tell clients of it; else calls fail behind many routers.", false},
	{"av.quality", AV, "quality", "XEP-0293 XEP-0294 XEP-0338 XEP-0339", NoServer, NoServer, "", false},

	{"beyond.sasl2", Beyond, "Sign-in in one step", "XEP-0388 XEP-0386", NotAsked, NotAsked,
		"SASL2 and Bind 2 would save each reconnection several round trips.", false},
	{"beyond.fast", Beyond, "Tokens for devices", "XEP-0484", NotAsked, NotAsked, "", false},
	{"beyond.binding-types", Beyond, "Types of binding told", "XEP-0440", NotAsked, NotAsked,
		"Say which types of channel binding there are; without that clients guess, and bind to nothing.", false},
	{"beyond.downgrade", Beyond, "Downgrade protection", "XEP-0474 XEP-0515", NotAsked, NotAsked, "", false},
	{"beyond.hostmeta", Beyond, "Connections found by web", "XEP-0156", NotAsked, NotAsked,
		"Serve https://DOMAIN/.well-known/host-meta and host-meta.json, readable from any web page.", false},
	{"beyond.roster-versions", Beyond, "Contact list versions", "XEP-0237", NotAsked, NotAsked, "", false},
	{"beyond.limits", Beyond, "Limits announced", "XEP-0478", NotAsked, NotAsked, "", false},
	{"beyond.devices", Beyond, "Devices with access", "XEP-0494", NotAsked, NotAsked, "", false},
	{"beyond.reports", Beyond, "Reports of spam", "XEP-0377", NotAsked, NotAsked, "", false},
	{"beyond.omemo", Beyond, "What OMEMO needs", "XEP-0384", NotAsked, NotAsked,
		"Let clients publish to PEP with access_model=open and max_items=max; else encryption fails for some of them.", false},
	{"beyond.displayed", Beyond, "Read marks in step", "XEP-0490", NotAsked, NotAsked, "", false},
	{"beyond.mam-extended", Beyond, "Archive, extended", "XEP-0313", NotAsked, NotAsked, "", false},
	{"beyond.mam-prefs", Beyond, "Archive preferences", "XEP-0441", NotAsked, NotAsked, "", false},
	{"beyond.caps2", Beyond, "Feature broadcasts, 2", "XEP-0390", NotAsked, NotAsked, "", false},
	{"beyond.contact", Beyond, "Whom to write to", "XEP-0157", NotAsked, NotAsked,
		"Name an address for abuse and for help, so that other operators reach you.", false},
}
