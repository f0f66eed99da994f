//go:build !js

package files

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxRedirects is how often a file may be elsewhere.
const maxRedirects = 5

// HTTP is the Doer of programs.
type HTTP struct {
	client *http.Client
	agent  string
}

// NewHTTP returns a Doer by net/http. It keeps no cookies, asks for no compression, and
// goes on redirects of a GET only to what the policy allows, and never from elsewhere to
// this machine. agent is what it
// calls itself; trust may be nil for the system's certificates.
func NewHTTP(p Policy, agent string, trust *tls.Config) *HTTP {
	return &HTTP{agent: agent, client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			DisableCompression: true, IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 2,
			TLSHandshakeTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if via[0].Method != http.MethodGet { // r's own may have become GET
				return http.ErrUseLastResponse
			}
			if len(via) > maxRedirects {
				return fail(Refused, nil, "the file service sends us in circles")
			}
			return p.follows(via[len(via)-1].URL, r.URL)
		},
	}}
}

// Put is of Doer.
func (h *HTTP) Put(ctx context.Context, q PutRequest) (*Answer, error) {
	// the body is hidden: net/http would close it, and guess its size
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, q.URL, struct{ io.Reader }{q.Body})
	if err != nil {
		return nil, noURL(err)
	}
	r.ContentLength = q.Size
	r.Header.Set("Content-Type", q.Type)
	for _, x := range q.Headers {
		r.Header.Add(x.Name, x.Value)
	}
	return h.do(r)
}

// Get is of Doer.
func (h *HTTP) Get(ctx context.Context, q GetRequest) (*Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL, nil)
	if err != nil {
		return nil, noURL(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	if q.From > 0 {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(q.From, 10)+"-")
		if q.ETag != "" {
			r.Header.Set("If-Range", q.ETag)
		}
	}
	a, err := h.do(r)
	if err == nil && a.Status == http.StatusBadRequest && r.URL.Scheme == "http" && Loopback(r.URL.Hostname()) {
		// A link to this machine does not say whether its server speaks TLS, and was
		// taken for one that does not; one that does answers plain HTTP so.
		_ = a.Body.Close()
		r.URL.Scheme = "https"
		return h.do(r)
	}
	return a, err
}

func (h *HTTP) do(r *http.Request) (*Answer, error) {
	r.Header.Set("User-Agent", h.agent)
	a, err := h.client.Do(r)
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		if errors.As(err, &untrusted) {
			return nil, fail(Insecure, noURL(err), "the file service cannot show who it is (its certificate)")
		}
		return nil, noURL(err)
	}
	if e := a.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		_ = a.Body.Close()
		return nil, fail(Refused, nil, "the file service packed the file in a way that was not asked for")
	}
	return &Answer{
		Status: a.StatusCode, Size: a.ContentLength, ETag: a.Header.Get("ETag"),
		ContentRange: a.Header.Get("Content-Range"), RetryAfter: a.Header.Get("Retry-After"), Body: a.Body,
	}, nil
}

// Close gives up connections that nobody uses.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }
