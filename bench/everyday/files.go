package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/bench/measure"
	"mirsal/e2e/xmppclient"
)

const nsUpload = "urn:xmpp:http:upload:0"

// web fetches over HTTP from the server, whose certificate is its own.
func web() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 64,
	}}
}

// slot asks for a place for a file.
func (o *options) slot(ctx context.Context, c *xmppclient.Conn, number, size int) (put *http.Request, get string, err error) {
	n, err := ask(ctx, c, fmt.Sprint("slot", number), "upload."+o.domain, "get",
		fmt.Sprintf("<request xmlns='%s' filename='file%d.bin' size='%d' content-type='application/octet-stream'/>", nsUpload, number, size))
	if err != nil {
		return nil, "", err
	}
	slot := n.Child(nsUpload, "slot")
	if slot == nil || slot.Child(nsUpload, "put") == nil || slot.Child(nsUpload, "get") == nil {
		return nil, "", fmt.Errorf("no slot: %s", n)
	}
	p := slot.Child(nsUpload, "put")
	put, err = http.NewRequestWithContext(ctx, http.MethodPut, p.Attr("url"), nil)
	if err != nil {
		return nil, "", err
	}
	put.Header.Set("Content-Type", "application/octet-stream")
	for _, h := range p.Children {
		put.Header.Set(h.Attr("name"), h.Text)
	}
	return put, slot.Child(nsUpload, "get").Attr("url"), nil
}

// files uploads files and downloads them again.
func files(ctx context.Context, o *options) (map[string]any, error) {
	c, err := o.login(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	content := bytes.Repeat([]byte("0123456789abcdef"), o.size/16+1)[:o.size]
	puts, gets := make([]*http.Request, o.files), make([]string, o.files)
	for i := range puts {
		if puts[i], gets[i], err = o.slot(ctx, c, i, o.size); err != nil {
			return nil, err
		}
		puts[i].Body, puts[i].ContentLength = io.NopCloser(bytes.NewReader(content)), int64(o.size)
	}
	m := map[string]any{"files": o.files, "file_bytes": o.size, "at_a_time": o.people}
	client := web()
	for _, way := range []struct {
		name string
		do   func(i int) (*http.Request, error)
	}{
		{"upload", func(i int) (*http.Request, error) { return puts[i], nil }},
		{"download", func(i int) (*http.Request, error) {
			return http.NewRequestWithContext(ctx, http.MethodGet, gets[i], nil)
		}},
	} {
		a := o.usage()
		if err := o.all(client, way.do); err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		b := o.usage()
		mb := float64(o.files) * float64(o.size) / 1e6
		m[way.name+"_mb_per_second"] = measure.Round(mb/b.At.Sub(a.At).Seconds(), 1)
		m[way.name+"_server_cpu_ms_per_mb"] = measure.Round((b.CPU-a.CPU).Seconds()*1000/mb, 3)
		m[way.name+"_server_pss_mb"] = b.PSS >> 20
	}
	return m, nil
}

// all makes every request, so many at a time.
func (o *options) all(client *http.Client, do func(i int) (*http.Request, error)) error {
	var next atomic.Int64
	var run sync.WaitGroup
	errs := make(chan error, o.people)
	for range o.people {
		run.Go(func() {
			for i := int(next.Add(1)) - 1; i < o.files; i = int(next.Add(1)) - 1 {
				r, err := do(i)
				if err == nil {
					err = fetchAll(client, r, o.size)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	run.Wait()
	close(errs)
	return <-errs
}

// fetchAll makes one request and reads the answer; a download is of the size given.
func fetchAll(client *http.Client, r *http.Request, size int) error {
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode/100 != 2:
		return fmt.Errorf("status %s", answer.Status)
	case r.Method == http.MethodGet && n != int64(size):
		return fmt.Errorf("%d bytes of %d", n, size)
	}
	return nil
}

// pause waits until a time, or the end.
func pause(ctx context.Context, until time.Time) {
	select {
	case <-time.After(time.Until(until)):
	case <-ctx.Done():
	}
}
