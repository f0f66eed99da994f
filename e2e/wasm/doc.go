// Package wasm holds the tests in which the browser's engine (internal/client/wasm)
// runs in headless Chromium, against bin/mirsal, under the policies (CSP, Trusted
// Types) that the web client will be served with. Pages that draw nothing are driven
// through a small agent for Node (folder node) with the Playwright of e2e/browser.
//
// Invariants: every test starts a server and a browser of its own and ends them;
// nothing sleeps for a fixed time, everything waits for what the engine tells.
package wasm
