// Package crash shows that what the server acknowledged is kept: it kills the
// server at random instants under traffic, traces its system calls, and fills
// its disk, and compares what the senders were told with what the recipients
// have. Every server is a process of its own (e2e/mirsal), every client speaks
// XMPP (e2e/xmppclient).
//
// A kill leaves the page cache, so kills say nothing of a power cut: the trace
// does, and the power cuts of internal/store.
//
// MIRSAL_CRASH_KILLS sets how many kills TestKills makes; it makes fewer by itself.
package crash
