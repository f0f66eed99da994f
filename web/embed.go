// Package web is the browser client as it was built: the files of web/dist, which
// `make web` makes of the sources beside this file. It is data and knows nothing of
// servers; internal/assets serves it.
//
// Invariants: the program builds without Node. A clean clone has nothing in web/dist but a
// .gitignore, which whoever empties the folder has to leave there; Dist then has no index.html
// and the server shows Placeholder instead.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

//go:embed placeholder.html
var placeholder []byte

// Dist is what was built: index.html, assets/, engine/ and so on, "/" between names.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is good
	}
	return sub
}

// Placeholder is the page that a server shows which was built without the screen.
func Placeholder() []byte { return placeholder }
