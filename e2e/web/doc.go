// Package web tests the streams that come through HTTP, WebSocket and BOSH, and
// what stands around them, from outside: against bin/mirsal, with clients that
// share no code with it.
package web
