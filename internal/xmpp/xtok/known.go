package xtok

import "strings"

// known holds the names and namespaces that most streams carry, each as its
// own key. It is never written after it is built.
var known = wordTable(knownNames, knownSpaces)

func wordTable(lists ...string) map[string]string {
	m := make(map[string]string)
	for _, l := range lists {
		for _, w := range strings.Fields(l) {
			m[w] = w
		}
	}
	return m
}

// intern is string(b), without an allocation if it is known.
func intern(b []byte) string {
	if s, ok := known[string(b)]; ok {
		return s
	}
	return string(b)
}

const knownNames = `
chat groupchat headline normal set get unavailable probe subscribed unsubscribed cancel modify to from type id ver lang en
message presence iq body subject thread show status priority error text query item items x a r
resume resumed resumption enable enabled failed auth response challenge success abort starttls
proceed bind jid resource session ping feature identity c active composing paused inactive gone
received displayed acknowledged markable request store no-store no-copy no-permanent-store origin-id
stanza-id encrypted header key keys iv payload encryption pubsub publish publish-options retract
notify event configure create delete subscribe unsubscribe subscription subscriptions affiliation
affiliations group field value option list devices device bundle data metadata result fin set max
after before first last count index forwarded delay sent private conference nick vCard prefs always
never block unblock blocklist reference reply fallback reaction reactions replace storage remove
username password stream features stream:stream stream:error stream:features mechanism mechanisms
signedPreKeyPublic signedPreKeySignature identityKey prekeys preKeyPublic spk spks ik pk prekey db
xml`

const knownSpaces = `
jabber:client
jabber:server
jabber:component:accept
http://etherx.jabber.org/streams
http://www.w3.org/XML/1998/namespace
urn:ietf:params:xml:ns:xmpp-framing
urn:ietf:params:xml:ns:xmpp-tls
urn:ietf:params:xml:ns:xmpp-sasl
urn:ietf:params:xml:ns:xmpp-bind
urn:ietf:params:xml:ns:xmpp-session
urn:ietf:params:xml:ns:xmpp-stanzas
urn:ietf:params:xml:ns:xmpp-streams
urn:xmpp:sm:3
urn:xmpp:csi:0
urn:xmpp:ping
urn:xmpp:time
urn:xmpp:sid:0
urn:xmpp:hints
urn:xmpp:receipts
urn:xmpp:chat-markers:0
urn:xmpp:carbons:2
urn:xmpp:forward:0
urn:xmpp:delay
urn:xmpp:mam:2
urn:xmpp:eme:0
urn:xmpp:reply:0
urn:xmpp:reactions:0
urn:xmpp:fallback:0
urn:xmpp:message-correct:0
urn:xmpp:omemo:2
urn:xmpp:bookmarks:1
urn:xmpp:avatar:data
urn:xmpp:avatar:metadata
urn:xmpp:blocking
urn:xmpp:sasl:2
urn:xmpp:bind:0
urn:xmpp:http:upload:0
urn:xmpp:jingle-message:0
urn:xmpp:occupant-id:0
urn:xmpp:stanza-content-encryption:0
urn:xmpp:styling:0
urn:xmpp:sce:1
urn:xmpp:mds:displayed:0
eu.siacs.conversations.axolotl
jabber:iq:roster
jabber:iq:register
jabber:iq:version
jabber:iq:last
jabber:iq:private
jabber:x:conference
jabber:x:data
jabber:x:oob
jabber:x:delay
jabber:x:encrypted
vcard-temp
vcard-temp:x:update
storage:bookmarks
http://jabber.org/protocol/caps
http://jabber.org/protocol/chatstates
http://jabber.org/protocol/commands
http://jabber.org/protocol/disco#info
http://jabber.org/protocol/disco#items
http://jabber.org/protocol/muc
http://jabber.org/protocol/muc#user
http://jabber.org/protocol/muc#admin
http://jabber.org/protocol/muc#owner
http://jabber.org/protocol/nick
http://jabber.org/protocol/pubsub
http://jabber.org/protocol/pubsub#event
http://jabber.org/protocol/pubsub#owner
http://jabber.org/protocol/pubsub#errors
http://jabber.org/protocol/rsm
http://jabber.org/protocol/address
http://jabber.org/protocol/xhtml-im
http://jabber.org/features/iq-register`
