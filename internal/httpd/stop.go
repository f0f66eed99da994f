package httpd

import "net/http"

// Stop refuses new streams from now on; those that there are go on until c2s
// ends them. Who is told that the server stops comes back at once, and has to
// find out that it is too early: converse.js waits for a WebSocket that is
// closed before it began for ever, and takes the end of a BOSH session that
// never began for final. What an HTTP status refuses it tries again.
func (s *Server) Stop() { s.stopping.Store(true) }

// mayBegin refuses a stream that the server has no time for.
func (s *Server) mayBegin(w http.ResponseWriter) bool {
	if !s.stopping.Load() {
		return true
	}
	w.Header().Set("Retry-After", "5")
	http.Error(w, "The server is about to stop.", http.StatusServiceUnavailable)
	return false
}
