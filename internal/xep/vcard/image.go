package vcard

import (
	"bytes"
	"crypto/sha1" // the hash that XEP-0084 and XEP-0153 name pictures by; it protects nothing
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// maxImage is how many bytes a picture in a card may have: base64 makes four of
// three, and an item of a node has at most 128 KiB.
const maxImage = 96_000

// maxInfos is how many forms of a picture are looked at.
const maxInfos = 16

// image is a picture; the zero one is none.
type image struct {
	data []byte
	kind string // media type
}

// hash names the picture, "" for none.
// XEP-0084#process-pubdata
func (i image) hash() string {
	if len(i.data) == 0 {
		return ""
	}
	sum := sha1.Sum(i.data)
	return hex.EncodeToString(sum[:])
}

// payload is the picture as an item of the data node, metadata what describes it.
func (i image) payload() []byte {
	b := base64.StdEncoding.AppendEncode([]byte("<data xmlns='"+nodeData+"'>"), i.data)
	return append(b, "</data>"...)
}

func (i image) metadata() []byte {
	b := []byte("<metadata xmlns='" + nodeMeta + "'><info bytes='" + strconv.Itoa(len(i.data)) + "' id='" + i.hash() + "' type='")
	return append(xtok.Escape(b, i.kind), "'/></metadata>"...)
}

// readPhoto reads a PHOTO; one without data is no picture.
// XEP-0153#impl
func readPhoto(e xtok.Elem) (image, error) {
	data, err := decode(e.Child(ns, "BINVAL").Text())
	if err != nil {
		return image{}, stanza.Errorf(stanza.NotAcceptable, "the picture is no valid base64")
	}
	if len(data) > maxImage {
		return image{}, stanza.Errorf(stanza.NotAcceptable, "the picture has more than %d bytes", maxImage)
	}
	return image{data, kindOf(data, e.Child(ns, "TYPE").Text())}, nil
}

// decode reads base64 as clients write it: with line breaks.
// XEP-0153#bizrules-image
func decode(text string) ([]byte, error) {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, text)
	return base64.StdEncoding.Strict().DecodeString(text)
}

// signatures are how files of the common kinds begin.
var signatures = []struct{ begin, kind string }{
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"GIF8", "image/gif"},
	{"\xff\xd8\xff", "image/jpeg"},
}

// kindOf is the kind that the data shows, else the one that the card says.
func kindOf(data []byte, said string) string {
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.begin)) {
			return s.kind
		}
	}
	if len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return "image/webp"
	}
	if said = strings.TrimSpace(said); strings.HasPrefix(said, "image/") && len(said) <= 64 {
		return said
	}
	return "image/png"
}

// verified is the picture that an account's nodes show, as far as it was
// looked into: hash is "" when there is none, or none whose bytes have the
// hash that it goes by. It holds while the nodes have these places.
type verified struct {
	hash, kind string
	meta, data uint64
}

const cacheBytes = 1 << 20

// picture finds the account's picture: what the metadata names, at the data node
// and not elsewhere, and whose hash is right.
// XEP-0398#pep2vcard
func (v *VCard) picture(d Draft, owner jid.JID) (verified, error) {
	now := verified{meta: d.Place(nodeMeta), data: d.Place(nodeData)}
	if now.meta == 0 || now.data == 0 {
		return now, nil
	}
	if p, ok := v.pictures.Get(owner); ok && p.meta == now.meta && p.data == now.data {
		return p, nil
	}
	_, payload, err := d.Last(nodeMeta)
	if err != nil {
		return now, err
	}
	now.hash, now.kind, err = find(d, payload)
	if err == nil {
		v.pictures.Put(owner, now, 256)
	}
	return now, err
}

// find looks for the picture that metadata describes.
func find(d Draft, metadata []byte) (hash, kind string, err error) {
	e, err := xtok.Parse(metadata, xtok.Limits{})
	if err != nil || !e.Is(nodeMeta, "metadata") {
		return "", "", nil
	}
	count := 0
	for info := range e.Children() {
		if count++; count > maxInfos {
			break
		}
		if !info.Is(nodeMeta, "info") || info.HasAttr("url") {
			continue
		}
		id := info.Attr("id")
		i, err := load(d, id)
		if err != nil {
			return "", "", err
		}
		if len(i.data) > 0 && i.hash() == strings.ToLower(id) {
			return id, kindOf(i.data, info.Attr("type")), nil
		}
	}
	return "", "", nil
}

// load reads the picture under an id of the data node.
func load(d Draft, id string) (image, error) {
	payload, err := d.Item(nodeData, id)
	if err != nil || payload == nil {
		return image{}, err
	}
	e, err := xtok.Parse(payload, xtok.Limits{})
	if err != nil || !e.Is(nodeData, "data") {
		return image{}, nil
	}
	data, err := decode(e.Text())
	if err != nil {
		return image{}, nil // not for us to mend
	}
	return image{data: data}, nil
}

// appendPhoto appends a picture as a card shows it.
// XEP-0153#publish
func appendPhoto(b []byte, d Draft, p verified) ([]byte, error) {
	i, err := load(d, p.hash)
	if err != nil || i.hash() != strings.ToLower(p.hash) {
		return b, err
	}
	b = append(b, "<PHOTO><TYPE>"...)
	b = append(xtok.Escape(b, p.kind), "</TYPE><BINVAL>"...)
	b = base64.StdEncoding.AppendEncode(b, i.data)
	return append(b, "</BINVAL></PHOTO>"...), nil
}
