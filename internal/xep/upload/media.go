package upload

import (
	"errors"
	"mime"
	"slices"
)

// octets is the type of what no more is said of.
const octets = "application/octet-stream"

// shown are the types that a browser may show by itself: it decodes them, and runs
// nothing of them.
func shown() []string {
	return []string{
		"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif",
		"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/opus", "audio/webm", "audio/flac", "audio/wav", "audio/x-wav", "audio/3gpp",
		"video/mp4", "video/webm", "video/ogg", "video/quicktime", "video/3gpp", "video/x-matroska",
	}
}

// named are the types that are told besides, of files that are saved and never
// shown. No HTML, SVG or XML is among them, nor scripts or styles.
func named() []string {
	return []string{
		"application/pdf", "application/zip", "application/gzip", "application/x-7z-compressed", "application/x-tar",
		"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.presentation",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/epub+zip",
		"application/vnd.android.package-archive", "text/plain", "image/heic", "image/heif", "image/bmp", "image/tiff",
	}
}

// mediaType is a type without its parameters; ok is false for what is none. Empty
// is the empty type.
func mediaType(s string) (t string, ok bool) {
	if s == "" {
		return "", true
	}
	if len(s) > 256 {
		return "", false
	}
	t, _, err := mime.ParseMediaType(s)
	return t, err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)
}

// served is the type under which a file goes out, and whether it may be shown.
func served(t string) (_ string, inline bool) {
	switch {
	case slices.Contains(shown(), t):
		return t, true
	case t == "text/plain":
		return t + "; charset=utf-8", false
	case slices.Contains(named(), t):
		return t, false
	}
	return octets, false
}
