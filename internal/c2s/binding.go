package c2s

import (
	"crypto/tls"

	"mirsal/internal/xmpp/sasl"
)

// Bindings are the channel bindings of a TLS connection, best first; endPoint is
// its certificate's, nil where there is none.
func Bindings(st *tls.ConnectionState, endPoint []byte) []sasl.Binding {
	var list []sasl.Binding
	// RFC 9266 §2; Go makes the exporter only where it is safe: with TLS 1.3, or
	// with the extended master secret
	if key, err := st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
		list = append(list, sasl.Binding{Type: "tls-exporter", Data: key})
	}
	if endPoint != nil {
		list = append(list, sasl.Binding{Type: "tls-server-end-point", Data: endPoint})
	}
	return list
}
