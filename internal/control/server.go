package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/command"
)

// Bounds of one request.
const (
	maxRequest = 64 << 10
	maxImport  = 256 << 20
)

// request and response are the bodies of all calls; each uses its part.
type request struct {
	Name     string              `json:"name,omitempty"`
	Password string              `json:"password,omitempty"`
	Force    bool                `json:"force,omitempty"`
	Circle   string              `json:"circle,omitempty"`
	Offer    *auth.Offer         `json:"offer,omitempty"`
	Fields   map[string][]string `json:"fields,omitempty"`
}

type response struct {
	Error       string            `json:"error,omitempty"`
	Name        string            `json:"name,omitempty"`
	Names       []string          `json:"names,omitempty"`
	Count       int               `json:"count,omitempty"`
	Invitations []auth.Invitation `json:"invitations,omitempty"`
	Circles     []auth.Circle     `json:"circles,omitempty"`
	Status      *Status           `json:"status,omitempty"`
	Commands    []Command         `json:"commands,omitempty"`
	Result      *command.Result   `json:"result,omitempty"`
}

// Server answers on the socket.
type Server struct {
	http    *http.Server
	done    chan struct{}
	release func()
}

// Serve answers on the socket of a data directory, which the caller has locked,
// until Close. more is answered besides.
func Serve(dir string, a Home, status func() Status, log *slog.Logger, more ...Calls) (*Server, error) {
	l, release, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	s := &Server{done: make(chan struct{}), release: release, http: &http.Server{
		Handler: handler(journal{a, log}, status, more...), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // ErrServerClosed
	}()
	return s, nil
}

// Close ends the requests under way and takes the socket away.
func (s *Server) Close() {
	s.http.Close()
	<-s.done
	s.release()
}

// call is what one path does.
type call func(r *http.Request, in request) (response, error)

// Calls are more that a server answers.
type Calls map[string]call

func handler(a Accounts, status func() Status, more ...Calls) http.Handler {
	mux := http.NewServeMux()
	for path, f := range map[string]call{
		"POST /ping": func(*http.Request, request) (response, error) { return response{}, nil },
		"POST /status": func(*http.Request, request) (response, error) {
			st := status()
			return response{Status: &st}, nil
		},
		"POST /account/add": func(r *http.Request, in request) (out response, err error) {
			add := a.Add
			if in.Force {
				add = a.AddAnyway
			}
			out.Name, err = add(r.Context(), in.Name, in.Password)
			return out, err
		},
		"POST /account/list": func(r *http.Request, _ request) (out response, err error) {
			out.Names, err = a.List(r.Context())
			return out, err
		},
		"POST /account/passwd": func(r *http.Request, in request) (response, error) {
			return response{}, a.Passwd(r.Context(), in.Name, in.Password)
		},
		"POST /account/remove": func(r *http.Request, in request) (response, error) {
			return response{}, a.Remove(r.Context(), in.Name)
		},
		"POST /account/disable": func(r *http.Request, in request) (response, error) {
			return response{}, a.Disable(r.Context(), in.Name)
		},
		"POST /account/enable": func(r *http.Request, in request) (response, error) {
			return response{}, a.Enable(r.Context(), in.Name)
		},
		"POST /account/admin": func(r *http.Request, in request) (response, error) {
			return response{}, a.SetAdmin(r.Context(), in.Name, in.Force)
		},
	} {
		mux.HandleFunc(path, withRequest(f))
	}
	for _, calls := range append(more, invitationCalls(a)) {
		for path, f := range calls {
			mux.HandleFunc(path, withRequest(f))
		}
	}
	mux.HandleFunc("POST /account/import", func(w http.ResponseWriter, r *http.Request) {
		n, err := a.Import(r.Context(), http.MaxBytesReader(w, r.Body, maxImport))
		reply(w, response{Count: n}, err)
	})
	return mux
}

// invitationCalls are those about invitations and circles.
func invitationCalls(a Accounts) map[string]call {
	return map[string]call{
		"POST /invite": func(r *http.Request, in request) (response, error) {
			if in.Offer == nil {
				return response{}, auth.ErrOffer
			}
			inv, err := a.Invite(r.Context(), *in.Offer)
			return response{Invitations: []auth.Invitation{inv}}, err
		},
		"POST /invite/list": func(r *http.Request, in request) (out response, err error) {
			out.Invitations, err = a.Invitations(r.Context(), in.Name)
			return out, err
		},
		"POST /invite/revoke": func(r *http.Request, in request) (response, error) {
			return response{}, a.Withdraw(r.Context(), in.Name)
		},
		"POST /circle/list": func(r *http.Request, _ request) (out response, err error) {
			out.Circles, err = a.Circles(r.Context())
			return out, err
		},
		"POST /circle/members": func(r *http.Request, in request) (out response, err error) {
			out.Names, err = a.Members(r.Context(), in.Circle)
			return out, err
		},
		"POST /circle/add": func(r *http.Request, in request) (response, error) {
			return response{}, a.Join(r.Context(), in.Circle, in.Name)
		},
		"POST /circle/remove": func(r *http.Request, in request) (response, error) {
			return response{}, a.Leave(r.Context(), in.Circle, in.Name)
		},
	}
}

func withRequest(f call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in request
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in)
		if err != nil && !errors.Is(err, io.EOF) {
			reply(w, response{}, errors.New("bad request"))
			return
		}
		out, err := f(r, in)
		reply(w, out, err)
	}
}

func reply(w http.ResponseWriter, out response, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		out = response{Error: err.Error()}
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(out) // the asker went away
}
