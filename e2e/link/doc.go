// Package link holds the tests of linking a new device to an account: engines on
// several devices against the real server, and people who try to get in with a code that
// was not meant for them. It has no code outside its tests.
package link
