package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// standIn is a small server that speaks as much of S3 as the engine does,
// and objects to what a real one would object to.
type standIn struct {
	t   *testing.T
	srv *httptest.Server

	mu      sync.Mutex
	objects map[string][]byte
	asked   []string // methods and paths
	fail    int      // so many requests get a 503
}

const bucket, accessKey, secretKey = "files", "AKIDEXAMPLE", "wJalrXUtnFEMI-secret"

func newStandIn(t *testing.T) *standIn {
	s := &standIn{t: t, objects: map[string][]byte{}}
	s.srv = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.srv.Close)
	return s
}

func (s *standIn) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if why := s.unsigned(r); why != "" {
		s.t.Errorf("%s %s: %s", r.Method, r.URL, why)
		http.Error(w, why, http.StatusForbidden)
		return
	}
	if s.fail > 0 {
		s.fail--
		http.Error(w, "slow down", http.StatusServiceUnavailable)
		return
	}
	// path-style
	key, ok := strings.CutPrefix(r.URL.Path, "/"+bucket)
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	key = strings.TrimPrefix(key, "/")
	switch {
	case key == "" && r.Method == http.MethodHead:
	case key == "" && r.URL.Query().Get("list-type") == "2":
		s.list(w, r)
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		s.get(w, r, key)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

// unsigned tells what is missing of a signature (SigV4), "" when nothing is.
func (s *standIn) unsigned(r *http.Request) string {
	a := r.Header.Get("Authorization")
	for _, part := range []string{"AWS4-HMAC-SHA256 Credential=" + accessKey + "/", "/eu-test-1/s3/aws4_request", "SignedHeaders=", "host", "x-amz-date", "Signature="} {
		if !strings.Contains(a, part) {
			return "not signed: no " + part
		}
	}
	for name, values := range r.Header {
		if strings.Contains(strings.Join(values, ""), secretKey) || strings.Contains(r.URL.String(), secretKey) {
			return "the secret key was sent in " + name
		}
	}
	return ""
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (s *standIn) put(w http.ResponseWriter, r *http.Request, key string) {
	body, err := io.ReadAll(r.Body)
	sum := sha256.Sum256(body)
	switch said := r.Header.Get("X-Amz-Content-Sha256"); {
	case err != nil || r.ContentLength != int64(len(body)):
		refuse(w, http.StatusBadRequest, "IncompleteBody")
	case said != hex.EncodeToString(sum[:]):
		refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
	default:
		s.objects[key] = body
		w.Header().Set("ETag", etag(body))
	}
}

func etag(body []byte) string { return fmt.Sprintf("\"%x\"", sha256.Sum256(body))[:20] + "\"" }

func (s *standIn) get(w http.ResponseWriter, r *http.Request, key string) {
	body, ok := s.objects[key]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	if m := r.Header.Get("If-Match"); m != "" && m != etag(body) {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	w.Header().Set("ETag", etag(body))
	if ask := r.Header.Get("Range"); ask != "" {
		var from int
		if _, err := fmt.Sscanf(ask, "bytes=%d-", &from); err != nil || from >= len(body) {
			refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		body = body[from:]
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// pageSize is small, so that lists have pages.
const pageSize = 3

func (s *standIn) list(w http.ResponseWriter, r *http.Request) {
	type object struct{ Key string }
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Contents              []object
		IsTruncated           bool
		NextContinuationToken string
	}
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, r.URL.Query().Get("prefix")) && k > r.URL.Query().Get("continuation-token") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) > pageSize {
		keys = keys[:pageSize]
		out.IsTruncated, out.NextContinuationToken = true, keys[pageSize-1]
	}
	for _, k := range keys {
		out.Contents = append(out.Contents, object{k})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(out)
}
