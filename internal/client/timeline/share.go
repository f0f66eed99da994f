package timeline

import (
	"encoding/base64"
	"net/url"
	"path"
	"strings"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of what is shared.
const (
	nsOOB       = "jabber:x:oob"
	nsSharing   = "urn:xmpp:sfs:0"
	nsESFS      = "urn:xmpp:esfs:0"
	nsFileMeta  = "urn:xmpp:file:metadata:0"
	nsURLData   = "http://jabber.org/protocol/url-data"
	nsHashes    = "urn:xmpp:hashes:2"
	nsRoomUser  = "http://jabber.org/protocol/muc#user"
	nsInvite    = "jabber:x:conference"
	maxURL      = 8 << 10
	maxKeyBytes = 64
)

// files finds the file of a message: as it is shared by elements, as an encrypted
// link that is the body, or as a link that stands beside the body too.
func (r *reader) files() {
	if r.open {
		if f := readSharing(r.meant.Child(nsSharing, "file-sharing")); f != nil {
			r.in.File = f
			return
		}
	}
	body := strings.TrimSpace(r.body)
	if link, more, _ := strings.Cut(body, "\n"); strings.HasPrefix(link, "aesgcm://") &&
		(more == "" || strings.HasPrefix(more, "data:")) {
		// XEP-0454#aesgcm; COMPAT: old Conversations append a small picture in a second line
		if f := linked(link); f != nil {
			r.in.File, r.body = f, link
		}
		return
	}
	// XEP-0066#x-oob
	if link := r.meant.Child(nsOOB, "x").Child(nsOOB, "url").Text(); r.open && link != "" && link == body {
		r.in.File = linked(link)
	}
}

// linked is the file behind a link; nil when the link is none that can be fetched.
func linked(link string) *File {
	u := usable(link)
	if u == nil {
		return nil
	}
	return &File{URL: link, Name: fileName(path.Base(u.Path)), Size: -1}
}

// usable is a link that can be fetched, nil for others.
func usable(link string) *url.URL {
	if len(link) > maxURL {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "aesgcm" {
		return nil
	}
	return u
}

// fileName is a name without a path and without characters that mislead. A long one keeps
// its ending, by which people and programs know what a file is. It is safe to show; what
// makes it safe to save under the engine does.
func fileName(s string) string {
	s = strings.TrimSpace(strings.Map(seen, s[strings.LastIndexAny(s, `/\`)+1:]))
	if s == "." || s == ".." {
		return ""
	}
	const mostEnding = 16 // code points
	if name := []rune(s); len(name) > maxName {
		ending := []rune(path.Ext(s))
		if len(ending) > mostEnding {
			ending = nil
		}
		s = string(name[:maxName-len(ending)]) + string(ending)
	}
	return s
}

// readSharing reads a shared file; nil where there is none that can be fetched.
// XEP-0447#file-sharing
func readSharing(e xtok.Elem) *File {
	if !e.OK() {
		return nil
	}
	f := &File{Size: -1}
	sources := e.Child(nsSharing, "sources")
	if x := sources.Child(nsESFS, "encrypted"); x.OK() {
		if !f.readEncrypted(x) {
			return nil
		}
	} else if !f.readURL(sources) {
		return nil
	}
	meta := e.Child(nsFileMeta, "file")
	f.Name = fileName(meta.Child(nsFileMeta, "name").Text())
	f.readMeta(meta)
	if f.Name == "" {
		f.Name = linked(f.URL).Name
	}
	return f
}

func (f *File) readURL(sources xtok.Elem) bool {
	for c := range sources.Children() {
		if target := c.Attr("target"); c.Is(nsURLData, "url-data") && usable(target) != nil {
			f.URL = target
			return true
		}
	}
	return false
}

// readEncrypted reads where the encrypted file is and how it is opened.
// XEP-0448#usecases
func (f *File) readEncrypted(x xtok.Elem) bool {
	f.Cipher = bounded(x.Attr("cipher"))
	f.Key = readKey(x.Child(nsESFS, "key"))
	f.IV = readKey(x.Child(nsESFS, "iv"))
	for c := range x.Children() {
		if c.Is(nsHashes, "hash") && c.AttrIs("algo", "sha-256") {
			f.Hash = readKey(c)
		}
	}
	return f.Cipher != "" && len(f.Key) > 0 && len(f.IV) > 0 && f.readURL(x.Child(nsSharing, "sources"))
}

func readKey(e xtok.Elem) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Text()))
	if err != nil || len(b) > maxKeyBytes {
		return nil
	}
	return b
}

// invite reads that one is asked into a room: by a person, or through the room. What stands
// beside an encrypted text is no word of its sender's.
func (r *reader) invite() bool {
	// XEP-0249#howitworks
	if c := r.meant.Child(nsInvite, "x"); c.OK() && !r.in.Room && r.open {
		return r.invited(c.Attr("jid"), r.in.Real, c.Attr("reason"), c.Attr("password"))
	}
	// XEP-0045#invite-mediated: who says so is the room
	x := r.e.Child(nsRoomUser, "x")
	c := x.Child(nsRoomUser, "invite")
	if !c.OK() || r.in.Mine || encrypted(r.e) {
		return false
	}
	return r.invited(r.e.Attr("from"), c.Attr("from"), c.Child(nsRoomUser, "reason").Text(), x.Child(nsRoomUser, "password").Text())
}

func (r *reader) invited(room, by, reason, password string) bool {
	where, err := jid.Parse(room)
	if err != nil || where.Local() == "" || r.e.AttrIs("type", stanza.Groupchat) {
		return false
	}
	who, err := jid.Parse(by)
	if err != nil {
		who = jid.JID{}
	}
	r.in.Kind = Invite
	r.in.Invite = &Invitation{Room: where.Bare().String(), By: who.Bare().String(),
		Reason: CleanName(cutText(reason, 512)), Password: bounded(password)}
	return true
}
