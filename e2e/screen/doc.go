// Package screen holds the tests of the browser client as people have it: the screen
// (web/) as bin/mirsal serves it, under its own policies, with the engine, in headless
// Chromium, on a desktop in English and on a phone in Arabic. What happens in the pages
// is told by the stories in node/stories, one for a test, with the Playwright of
// e2e/browser; the server is this side's, and so are people with programs instead of a
// browser: our own, and Profanity.
//
// Invariants: every test starts a server and a browser of its own and ends them; a page
// that complains on its console, throws, or is refused something by its policy fails
// its story, but for what the story itself breaks; nothing sleeps for a fixed time.
package screen
