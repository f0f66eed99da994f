// Package clientconn runs the client's connection (internal/client/conn) against
// real servers: our own, over sockets and WebSocket, with the connection cut in the
// middle of what is said, and Debian's Prosody, which signs in and resumes as older
// specifications have it. It has no code outside its tests.
package clientconn
