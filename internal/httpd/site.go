package httpd

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// This file is the site: the screen for browsers (web, internal/assets), and what a
// browser may do with each of its files. Every path is registered by its name, so all
// others are unknown to the server, whatever a page does with its addresses. Nothing of a
// request comes back in an answer; a Host header decides only between names that are ours.

// Names that need more than their bytes.
const (
	pageName   = "index.html"
	engineName = "engine/engine.js" // the Worker's script
	workerName = "sw.js"            // the service worker's
	hashedIn   = "assets/"          // names with a hash of what is in them
)

// site adds the screen, or what stands in its place.
func (s *Server) site(mux *http.ServeMux) {
	if s.cfg.Screen == nil {
		mux.HandleFunc("GET /{$}", landing)
		return
	}
	mux.HandleFunc("GET /manifest.json", s.manifest)
	mux.HandleFunc("GET /site.json", s.siteJSON)
	if !s.cfg.Screen.Built() {
		mux.HandleFunc("GET /{$}", s.placeholder)
		return
	}
	mux.HandleFunc("GET /{$}", s.asset(pageName))
	for _, name := range s.cfg.Screen.Names() {
		if name != "site.json" {
			mux.HandleFunc("GET /"+name, s.asset(name))
		}
	}
}

// landing is what is at the server's address where there is no screen.
func landing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "This is a Mirsal server. Connect with an XMPP client; an invitation tells how.\n")
}

func (s *Server) placeholder(w http.ResponseWriter, _ *http.Request) {
	own(w.Header(), "no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(s.cfg.Placeholder) // the asker went away
}

// own is for what only our own pages may use.
func own(h http.Header, cache string) {
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", cache)
}

// asset serves a file of the screen.
func (s *Server) asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, cache := w.Header(), "no-cache"
		switch {
		case name == pageName:
			h.Set("Content-Security-Policy", s.pagePolicy(r))
			h.Set("Permissions-Policy", permissions)
		case name == engineName:
			h.Set("Content-Security-Policy", s.enginePolicy(r))
		case name == workerName:
			h.Set("Content-Security-Policy", s.workerPolicy(r))
			h.Set("Service-Worker-Allowed", "/")
		case strings.HasPrefix(name, hashedIn):
			cache = "public, max-age=31536000, immutable"
		}
		own(h, cache)
		s.cfg.Screen.Serve(w, r, name)
	}
}

// permissions are what pages may ask people for: calls and voice notes, nothing that tells
// where somebody is or what else the machine has.
const permissions = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), picture-in-picture=(self), screen-wake-lock=(self), " +
	"publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), " +
	"accelerometer=(), gyroscope=(), magnetometer=()"

// pagePolicy lets the page run what we serve and nothing else, inline or made of strings.
// Text becomes HTML by the two policies alone that are named: Svelte's, for what stands in its
// templates, and the screen's own, for addresses of Workers.
func (s *Server) pagePolicy(r *http.Request) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src " + s.reach(r) +
		"; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
		"require-trusted-types-for 'script'; trusted-types svelte-trusted-html mirsal"
}

// enginePolicy is the only one under which a program in WebAssembly runs: that of
// the Worker, whose policy is that of its own script.
func (s *Server) enginePolicy(r *http.Request) string {
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src " + s.reach(r) + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

func (s *Server) workerPolicy(r *http.Request) string {
	return "default-src 'none'; script-src 'self'; connect-src " + s.reach(r) + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

// reach lists where pages may connect to: the site, its WebSocket, which not every browser
// takes 'self' for, and where files are, if that is another origin.
func (s *Server) reach(r *http.Request) string {
	base := s.base(r)
	list := "'self' " + socketAt(base)
	if files := s.filesOrigin(); files != "" && files != base.String() {
		list += " " + files
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

// filesOrigin is the origin of uploads, empty where there are none.
func (s *Server) filesOrigin() string {
	u, err := url.Parse(s.cfg.Files)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// siteJSON tells the page where it is. docs/protocol/site.md
func (s *Server) siteJSON(w http.ResponseWriter, r *http.Request) {
	base := s.base(r)
	about := struct {
		Domain    string `json:"domain"`
		WebSocket string `json:"websocket"`
		// Files is what links to files begin with that are at /upload/ of this site too.
		Files    string `json:"files,omitempty"`
		Passkeys bool   `json:"passkeys"`
	}{Domain: s.cfg.Domain.String(), WebSocket: socketAt(base) + "/ws", Passkeys: s.cfg.Passkeys}
	if s.cfg.Files != "" {
		about.Files = s.cfg.Files + "/upload/"
	}
	own(w.Header(), "no-store")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(about) // the asker went away
}

// manifest lists the files of the screen with their hashes; `mirsal web-hash` prints the same.
func (s *Server) manifest(w http.ResponseWriter, _ *http.Request) {
	b, err := s.cfg.Screen.Manifest()
	if err != nil {
		s.cfg.Log.Error("the screen's files cannot be read", "err", err)
		http.Error(w, "The program is damaged.", http.StatusInternalServerError)
		return
	}
	own(w.Header(), "no-cache")
	openToAll(w.Header()) // who compares servers may do so from anywhere
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the asker went away
}

// Base is the origin of the site for a request behind Guard: never a name that is
// not one of ours.
func (s *Server) Base(r *http.Request) *url.URL { return s.base(r) }

// SameOrigin tells whether a request behind Guard comes from a page of this site, or from a
// program. Browsers say so by Sec-Fetch-Site, and old ones by Origin; "null" is nobody.
func (s *Server) SameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == s.base(r).String()
}
