package httpd

import (
	"net/http"
	"net/url"
)

// This file is what a browser may do with each file of the screen. web/build/policy.ts has
// the same policies, for those who work on the screen.

// permissions are what pages may ask people for: calls and voice notes, nothing that tells
// where somebody is or what else the machine has.
const permissions = "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), fullscreen=(self), autoplay=(self), picture-in-picture=(self), screen-wake-lock=(self), " +
	"publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), " +
	"accelerometer=(), gyroscope=(), magnetometer=()"

// ScreenHeaders are those that keep a browser from doing more with a file of the screen than
// was meant: all of them but what TLS is for. at is the origin of the site; files is what links to
// files begin with, "" where there are none.
func ScreenHeaders(name string, at *url.URL, files string) http.Header {
	h := http.Header{}
	basics(h)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	reach := reachOf(at, files)
	switch name {
	case pageName:
		h.Set("Content-Security-Policy", pagePolicy(reach))
		h.Set("Permissions-Policy", permissions)
	case engineName:
		h.Set("Content-Security-Policy", enginePolicy(reach))
	case workerName:
		h.Set("Content-Security-Policy", workerPolicy(reach))
		h.Set("Service-Worker-Allowed", "/")
	}
	return h
}

// basics are on every answer of the server.
func basics(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}

// pagePolicy lets the page run what we serve and nothing else, inline or made of strings.
// Text becomes HTML by the two policies alone that are named: Svelte's, for what stands in its
// templates, and the screen's own, for addresses of Workers.
func pagePolicy(reach string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src " + reach +
		"; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
		"require-trusted-types-for 'script'; trusted-types svelte-trusted-html mirsal"
}

// enginePolicy is the only one under which a program in WebAssembly runs: that of
// the Worker, whose policy is that of its own script.
func enginePolicy(reach string) string {
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src " + reach + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

func workerPolicy(reach string) string {
	return "default-src 'none'; script-src 'self'; connect-src " + reach + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

// reachOf lists where pages may connect to: the site, its WebSocket, which not every browser
// takes 'self' for, and where files are, if that is another origin.
func reachOf(at *url.URL, files string) string {
	list := "'self' " + socketAt(at)
	if o := siteOf(files); o != "" && o != at.String() {
		list += " " + o
	}
	return list
}

// socketAt is the origin of WebSockets at a site.
func socketAt(base *url.URL) string {
	ws := *base
	ws.Scheme = "wss"
	if base.Scheme == "http" {
		ws.Scheme = "ws"
	}
	return ws.String()
}

// siteOf is the origin of an address, empty if it has none.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
