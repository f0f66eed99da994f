//go:build !js

package client

import (
	"bytes"
	"compress/flate"
	"io"
)

// deflate packs a block (RFC 1951).
func deflate(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// inflate is a block as it was, of bounded size.
func inflate(data []byte) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), mostBlock+1))
	if err != nil || len(raw) > mostBlock {
		return nil, errBlock
	}
	return raw, nil
}
