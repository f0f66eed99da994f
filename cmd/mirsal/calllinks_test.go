package main

import "testing"

const callToken = "JBSWY3DPEHPK3PXPJBSWY3DPEH"

func TestACallLinkIsReadAsItIsWrittenAndNotOtherwise(t *testing.T) {
	for uri, want := range map[string]string{
		"xmpp:bob@example.org?call;link=" + callToken:          "bob@example.org",
		"xmpp:bob%20%25@example.org?call;link=" + callToken:    "",
		"xmpp:bob%2Bnews@example.org?call;link=" + callToken:   "bob+news@example.org",
		"xmpp:%D8%B3%D9%84@example.org?call;link=" + callToken: "سل@example.org",
	} {
		if address, token, ok := callLink(uri); ok != (want != "") || ok && (address != want || token != callToken) {
			t.Errorf("%s: %q %q %v", uri, address, token, ok)
		}
	}
	for _, uri := range []string{
		"", "bob@example.org", "xmpp:bob@example.org", "xmpp:bob@example.org?call", "xmpp:example.org?call;link=" + callToken, "xmpp:@example.org?call;link=" + callToken,
		"XMPP:bob@example.org?call;link=" + callToken, " xmpp:bob@example.org?call;link=" + callToken, "xmpp://bob@example.org?call;link=" + callToken,
		"xmpp:bob@example.org/phone?call;link=" + callToken, "xmpp:bob@eve@example.org?call;link=" + callToken, "xmpp:bob%40eve@example.org?call;link=" + callToken,
		"xmpp:bob@example.org?call;link=" + callToken + "&x", "xmpp:bob@example.org?call;link=" + callToken[1:], "xmpp:bob@example.org?call;link=" + callToken[1:] + "1",
		"xmpp:bob@example.org?call;video;link=" + callToken, "xmpp:bob@example.org?call;link=" + callToken + ";link=" + callToken, "xmpp:bob%zz@example.org?call;link=" + callToken,
		"xmpp:bob@example.org?message;call;link=" + callToken, "xmpp:bob@example.org#x?call;link=" + callToken,
	} {
		if address, _, ok := callLink(uri); ok {
			t.Errorf("%s is read as %s", uri, address)
		}
	}
}
