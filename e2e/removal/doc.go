// Package removal checks that an account which is removed leaves nothing: it walks the
// declared spaces of the store, the archive and the files of a real server. Whoever
// declares a space says here how an account comes into it.
package removal
