#!/bin/bash
# check.sh: what can be told without running the program. Stops at the first
# kind of trouble and says what to do about it.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=local

say() { printf '== %s\n' "$*"; }

say formatting
bad=$(git ls-files -co --exclude-standard '*.go' | grep -v /testdata/ | while read -r f; do [ ! -f "$f" ] || gofmt -l "$f"; done)
[ -z "$bad" ] || { printf 'not formatted (run gofmt -w):\n%s\n' "$bad" >&2; exit 1; }

say vet
go vet ./...
go vet -tags measure ./e2e/screen
GOOS=js GOARCH=wasm go vet ./internal/client/wasm ./internal/client/keep/indexeddb ./internal/xmpp/precis

say staticcheck
"$(scripts/staticcheck.sh)" ./...
GOOS=js GOARCH=wasm "$(scripts/staticcheck.sh)" ./internal/client/wasm ./internal/client/keep/indexeddb ./internal/xmpp/precis

say modules
go mod verify
go mod tidy -diff || { echo 'go.mod and the code disagree: run go mod tidy' >&2; exit 1; }

say dependencies
go run ./scripts/dependencies | diff -u docs/dependencies.txt - || { echo 'docs/dependencies.txt is out of date: run make generate' >&2; exit 1; }

say 'floors, specifications, changelog'
go test ./internal/archtest ./spec ./changelog
