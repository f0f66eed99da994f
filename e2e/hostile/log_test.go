package hostile

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// secrets are what clients of TestTheLogTellsNoSecrets say: none may be logged, at
// any level, in any form.
var secrets = map[string]string{
	"a password":             "hunter2-the-password",
	"a wrong password":       "hunter3-the-guess",
	"a new password":         "hunter4-the-new-one",
	"a message":              "the-body-of-a-message",
	"a subject":              "the-subject-of-a-message",
	"a status":               "the-status-of-a-presence",
	"a name in a roster":     "the-name-of-a-contact",
	"a group of a roster":    "the-group-of-a-contact",
	"a file's name":          "the-name-of-a-file.jpg",
	"a key of OMEMO":         "VGhlLWtleS1vZi1PTUVNTw",
	"a payload of OMEMO":     "VGhlLXBheWxvYWQtb2YtT01FTU8",
	"a published item":       "the-text-of-an-item",
	"a bookmark's password":  "the-password-of-a-room",
	"private data":           "the-private-data",
	"a vCard":                "the-street-of-a-person",
	"what is not XML":        "the-text-that-is-no-xml",
	"a body that is refused": "the-body-that-is-too-long",
	"a word of an archive":   "the-word-that-was-searched",
}

// TestTheLogTellsNoSecrets has people do all that they do, well and badly, over all
// transports, on a server that logs all it can, and reads the whole log. Case 63
func TestTheLogTellsNoSecrets(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Wrap: []string{"sh", "-c", `log=$1; shift; exec "$@" 2>"$log"`, "sh", log}, Args: append([]string{
				"--set", "c2s.require_tls=false", "--set", "auth.plain=true", "--set", "log.level=debug", "--set", "log.format=" + format, "--set", "limits.enabled=true",
			}, overHTTP...)})
			s.Accounts(secrets["a password"], "witness", "friend")
			s.Accounts(password, "alice", "bob")
			v := &victim{Server: s, ctx: t.Context()}
			v.pair = v.chat(t)
			tokens := map[string]string{}
			for _, via := range []transport{"", webSocket, bosh} {
				v.via = via
				v.talks(t, tokens)
				v.blunders(t)
			}
			v.undisturbed(t)
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			all, err := os.ReadFile(log)
			if err != nil || !strings.Contains(string(all), "witness@"+mirsal.Domain) {
				t.Fatalf("a log of %d bytes, %v", len(all), err)
			}
			for what, secret := range secrets {
				absent(t, string(all), what, secret)
			}
			for what, secret := range tokens {
				absent(t, string(all), what, secret)
			}
		})
	}
}

// absent checks that a log has a secret neither as it is nor encoded.
func absent(t *testing.T, log, what, secret string) {
	t.Helper()
	if secret == "" {
		t.Fatalf("there is no %s", what)
	}
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))} {
		if i := strings.Index(log, form); i >= 0 {
			t.Errorf("the log has %s: …%s…", what, log[max(0, i-200):min(len(log), i+100)])
		}
	}
}

// talks does what clients do, and notes the tokens that it is given.
func (v *victim) talks(t *testing.T, tokens map[string]string) {
	t.Helper()
	c := v.secured(t)
	want := agent("a-device") + "<bind xmlns='urn:xmpp:bind:0'><tag>x</tag><enable xmlns='urn:xmpp:sm:3' resume='true'/><enable xmlns='urn:xmpp:carbons:2'/></bind>" +
		"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
	if err := c.Authenticate(v.ctx, "SCRAM-SHA-256", "witness", secrets["a password"], want); err != nil {
		t.Fatal(err)
	}
	n := next(t, c)
	tokens["the token over "+string(v.via)] = n.Child("urn:xmpp:fast:0", "token").Attr("token")
	tokens["the id of a session over "+string(v.via)] = n.Child("urn:xmpp:bind:0", "bound").Child(xmppclient.NSSM, "enabled").Attr("id")
	c.JID = bare("witness")
	friend := "friend@" + mirsal.Domain
	say(t, c, "<presence><status>"+secrets["a status"]+"</status></presence>")
	say(t, c, "<message type='chat' to='"+friend+"' id='1'><body>"+secrets["a message"]+"</body><subject>"+secrets["a subject"]+"</subject></message>")
	say(t, c, "<message type='chat' to='nobody@"+mirsal.Domain+"'><body>"+secrets["a message"]+"</body></message>")
	say(t, c, "<message type='chat' to='x@elsewhere.example'><body>"+secrets["a message"]+"</body></message>")
	say(t, c, "<message type='chat' to='"+friend+"'><encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>"+secrets["a key of OMEMO"]+"</key></header><payload>"+secrets["a payload of OMEMO"]+"</payload></encrypted></message>")
	for _, payload := range []string{
		"<query xmlns='jabber:iq:roster'><item jid='x@elsewhere.example' name='" + secrets["a name in a roster"] + "'><group>" + secrets["a group of a roster"] + "</group></item></query>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:example:x'><item id='1'><x xmlns='urn:x'>" + secrets["a published item"] + "</x></item></publish></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='eu.siacs.conversations.axolotl.bundles:1'><item id='current'><bundle xmlns='eu.siacs.conversations.axolotl'><identityKey>" + secrets["a key of OMEMO"] + "</identityKey></bundle></item></publish></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='tea@conference.example.org'><conference xmlns='urn:xmpp:bookmarks:1'><password>" + secrets["a bookmark's password"] + "</password></conference></item></publish></pubsub>",
		"<query xmlns='jabber:iq:private'><x xmlns='urn:x'>" + secrets["private data"] + "</x></query>",
		"<vCard xmlns='vcard-temp'><ADR><STREET>" + secrets["a vCard"] + "</STREET></ADR></vCard>",
		"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", "urn:xmpp:mam:2") + field("with", secrets["a word of an archive"]+"@@") + "</x></query>",
		"<query xmlns='jabber:iq:register'><username>witness</username><password>" + secrets["a new password"] + "</password></query>",
		"<query xmlns='jabber:iq:register'><username>witness</username><password>" + secrets["a password"] + "</password></query>",
	} {
		ask(t, c, "set", "", payload)
	}
	ask(t, c, "get", "upload."+mirsal.Domain, "<request xmlns='urn:xmpp:http:upload:0' filename='"+secrets["a file's name"]+"' size='9999999999' content-type='image/jpeg'/>")
	if n := ask(t, c, "get", "upload."+mirsal.Domain, "<request xmlns='urn:xmpp:http:upload:0' filename='"+secrets["a file's name"]+"' size='9' content-type='image/jpeg'/>"); n.Attr("type") == "result" {
		_, path, _ := strings.Cut(n.Child("urn:xmpp:http:upload:0", "slot").Child("urn:xmpp:http:upload:0", "put").Attr("url"), "//")
		_, path, _ = strings.Cut(path, "/")
		tokens["the link to a file over "+string(v.via)] = path
	}
	c.Kill()
}

// blunders does what goes wrong.
func (v *victim) blunders(t *testing.T) {
	t.Helper()
	for _, p := range both {
		for _, pw := range []string{secrets["a wrong password"], secrets["a password"]} {
			p.first(t, v.secured(t), "PLAIN", "\x00witness\x00"+pw, "")
			p.first(t, v.secured(t), "PLAIN", "another\x00witness\x00"+pw, "")
			p.first(t, v.secured(t), "PLAIN", pw, "")
			p.first(t, v.secured(t), "PLAIN", "\x00"+pw+"\x00x", "") // typed where the name belongs
		}
	}
	for _, text := range []string{
		"<message to='" + bare("friend") + "'><body>" + secrets["what is not XML"] + "</message>",
		"<message to='" + bare("friend") + "'><body>" + secrets["what is not XML"] + "&" + secrets["what is not XML"] + ";</body></message>",
		"<" + secrets["what is not XML"] + ":x/>", secrets["what is not XML"],
		"<message><body>" + strings.Repeat(secrets["a body that is refused"]+" ", 20_000),
		"<message to='" + bare("friend") + "' from='" + secrets["what is not XML"] + "@" + mirsal.Domain + "'><body>x</body></message>",
	} {
		c := v.secured(t)
		if c.Login(v.ctx, "friend", secrets["a password"]) != nil || c.Bind(v.ctx, "") != nil {
			t.Fatal("no login")
		}
		_ = c.Raw(text)
		ending(t, c.Net())
	}
}
