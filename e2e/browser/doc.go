// Package browser holds the tests in which converse.js, as the npm registry has
// it, talks through bin/mirsal in headless Chromium: over WebSocket and BOSH,
// between two and in rooms, in words and by files, with the pages driven by mouse
// and keyboard through a small agent for Node (folder node). They find out whether
// a browser that comes to the server for the first time works; what the
// specifications say is tested in e2e/scripts.
//
// Invariants: every test starts a server and a browser of its own and ends
// them, the browser's children too; pages reach no other network; nothing
// sleeps for a fixed time, everything waits for what the page should show.
package browser
