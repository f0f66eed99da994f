package httpd

import (
	"encoding/json"
	"io"
	"maps"
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
	cache := "no-cache"
	if strings.HasPrefix(name, hashedIn) {
		cache = "public, max-age=31536000, immutable"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), ScreenHeaders(name, s.base(r), s.cfg.Files))
		w.Header().Set("Cache-Control", cache)
		s.cfg.Screen.Serve(w, r, name)
	}
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
