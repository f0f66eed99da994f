package main

import "encoding/base64"

func base64Of(raw []byte) []byte { return base64.StdEncoding.AppendEncode(nil, raw) }

func bytesOf(text []byte) ([]byte, error) { return base64.StdEncoding.AppendDecode(nil, text) }
