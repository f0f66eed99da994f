package clientconn

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/internal/foreign"
)

// TestTheBrowsersWebSocketSignsInAndResumes runs the engine's connection as wasm, in
// Node, whose WebSocket is a browser's.
func TestTheBrowsersWebSocketSignsInAndResumes(t *testing.T) {
	node := foreign.Program(t, "node")
	s := start(t)
	program := filepath.Join(t.TempDir(), "inbrowser.wasm")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "./inbrowser")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	start := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, node, "--experimental-websocket", "--stack-size=8192", start, program,
		"ws://"+s.Addr("http-plain")+"/ws", "alice@"+domain, password).CombinedOutput()
	if got := string(out); err != nil || !strings.Contains(got, "up HT-SHA-256-NONE\n") || !strings.Contains(got, "resumed\nleft\n") {
		t.Errorf("%v\n%s", err, got)
	}
}
