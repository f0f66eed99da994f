package timeline

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/xtok"
)

// This file is what is said of a file beside where it lies: how large a picture is, how long a
// voice note. It goes only where it is encrypted with the text.

const (
	nsThumbs = "urn:xmpp:thumbs:1"
	nsVoice  = "urn:mirsal:voice:0"
	nsFile   = "urn:mirsal:file:0"
	cipher   = "urn:xmpp:ciphers:aes-256-gcm-nopadding:0"

	maxThumb    = 4 << 10 // bytes of a data: address
	maxWaveform = 256     // bytes
	maxSide     = 1 << 16 // pixels
	maxDuration = 1 << 40 // milliseconds
	maxAlbum    = 64      // bytes
)

// CleanMedia is media within bounds: what is out of them is left out.
func CleanMedia(m port.Media) port.Media {
	if m.Width <= 0 || m.Height <= 0 || m.Width > maxSide || m.Height > maxSide {
		m.Width, m.Height = 0, 0
	}
	if m.Duration < 0 || m.Duration > maxDuration {
		m.Duration = 0
	}
	if len(m.Thumb) > maxThumb || !strings.HasPrefix(m.Thumb, "data:image/") {
		m.Thumb = ""
	}
	if len(m.Album) > maxAlbum || strings.ContainsFunc(m.Album, func(r rune) bool { return r <= ' ' || r > '~' }) {
		m.Album = ""
	}
	if len(m.Waveform) == 0 || len(m.Waveform) > maxWaveform {
		m.Waveform = nil
	}
	return m
}

// AppendInside appends what goes only inside of an encrypted message: the file with its key and
// what it is, for which the body, a link, stands.
// XEP-0447#file-sharing, XEP-0448#usecases, XEP-0446#file-element
func (o Outgoing) AppendInside(dst []byte) []byte {
	if o.Kind != Text || o.File == nil {
		return dst
	}
	place, secret, ok := strings.Cut(strings.TrimPrefix(o.File.URL, "aesgcm://"), "#")
	raw, err := hex.DecodeString(secret)
	if !ok || err != nil || len(raw) <= 32 || !strings.HasPrefix(o.File.URL, "aesgcm://") {
		return dst
	}
	iv := len(raw) - 32
	dst = append(dst, "<file-sharing xmlns='"+nsSharing+"' disposition='inline'>"...)
	dst = append(o.File.appendMeta(dst), "<sources><encrypted xmlns='"+nsESFS+"' cipher='"+cipher+"'>"...)
	dst = xtok.AppendElement(dst, "key", base64.StdEncoding.EncodeToString(raw[iv:]))
	dst = xtok.AppendElement(dst, "iv", base64.StdEncoding.EncodeToString(raw[:iv]))
	dst = append(dst, "<sources xmlns='"+nsSharing+"'><url-data xmlns='"+nsURLData+"'"...)
	dst = xtok.AppendAttr(dst, "target", "https://"+place)
	dst = append(dst, "/></sources></encrypted></sources></file-sharing>"...)
	return appendFallback(dst, nsSharing, -1)
}

// appendMeta appends what a file is.
func (f *File) appendMeta(dst []byte) []byte {
	dst = append(dst, "<file xmlns='"+nsFileMeta+"'>"...)
	text := func(name, value string) {
		if value != "" && value != "0" {
			dst = xtok.AppendElement(dst, name, value)
		}
	}
	m := f.Media
	text("name", f.Name)
	text("media-type", f.Type)
	if f.Size >= 0 {
		text("size", strconv.FormatInt(f.Size, 10))
	}
	text("width", strconv.Itoa(m.Width))
	text("height", strconv.Itoa(m.Height))
	text("length", strconv.FormatInt(m.Duration, 10))
	if m.Thumb != "" {
		dst = append(xtok.AppendAttr(append(dst, "<thumbnail xmlns='"+nsThumbs+"'"...), "uri", m.Thumb), "/>"...)
	}
	if len(m.Waveform) > 0 {
		dst = append(base64.StdEncoding.AppendEncode(append(dst, "<waveform xmlns='"+nsVoice+"'>"...), m.Waveform), "</waveform>"...)
	}
	return append(f.appendTogether(dst), "</file>"...)
}

// appendTogether appends with which other messages a file is one thing to people.
func (f *File) appendTogether(dst []byte) []byte {
	if f.Media.Album == "" && f.Said == "" {
		return dst
	}
	dst = append(dst, "<together xmlns='"+nsFile+"'"...)
	if f.Media.Album != "" {
		dst = xtok.AppendAttr(dst, "album", f.Media.Album)
	}
	if f.Said != "" {
		dst = xtok.AppendAttr(dst, "caption", f.Said)
	}
	return append(dst, "/>"...)
}

// Facts is what is said of a file, as XML that stands alone.
func (f *File) Facts() []byte { return f.appendMeta(nil) }

// Learn takes what Facts told, where nothing is known yet. What it says of the name does not
// count: a link has its own.
func (f *File) Learn(facts []byte) {
	e, err := xtok.Parse(facts, xtok.Limits{Size: 16 << 10, Depth: 4, Attrs: 8, Name: 64, Prefixes: 8, Nodes: 64})
	if err != nil || !e.Is(nsFileMeta, "file") {
		return
	}
	f.readMeta(e)
}

func (f *File) readMeta(meta xtok.Elem) {
	f.Type = cutText(CleanName(meta.Child(nsFileMeta, "media-type").Text()), 128)
	f.Media, f.Said = readMedia(meta), bounded(meta.Child(nsFile, "together").Attr("caption"))
	if n, err := strconv.ParseInt(meta.Child(nsFileMeta, "size").Text(), 10, 64); err == nil && n >= 0 {
		f.Size = n
	}
}

// readMedia reads what a file is.
func readMedia(meta xtok.Elem) port.Media {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(meta.Child(nsFileMeta, name).Text(), 10, 64)
		if err != nil || n > maxDuration {
			return 0
		}
		return n
	}
	m := port.Media{Width: int(min(number("width"), maxSide+1)), Height: int(min(number("height"), maxSide+1)), Duration: number("length"),
		Thumb: meta.Child(nsThumbs, "thumbnail").Attr("uri"), Album: meta.Child(nsFile, "together").Attr("album")}
	if text := strings.TrimSpace(meta.Child(nsVoice, "waveform").Text()); len(text) <= 2*maxWaveform {
		m.Waveform, _ = base64.StdEncoding.DecodeString(text)
	}
	return CleanMedia(m)
}
