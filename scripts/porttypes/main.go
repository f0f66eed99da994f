// Porttypes writes web/src/port/types.ts: the values of internal/client/port as
// TypeScript sees them, once they are JSON. It reads the Go source, so that comments
// come along; a test fails while the written file is another one.
//
//	go run ./scripts/porttypes >web/src/port/types.ts
package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := generate("internal/client/port")
	if err != nil {
		fmt.Fprintln(os.Stderr, "porttypes:", err)
		os.Exit(1)
	}
	os.Stdout.WriteString(text)
}
