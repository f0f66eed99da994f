#!/bin/bash
# wasm.sh: builds the browser's engine with what starts it into a folder (bin/wasm):
# engine.wasm, its scripts, wasm_exec.js of the Go toolchain, and sizes.json.
#
#   scripts/wasm.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=local
to=${1:-bin/wasm}
from=internal/client/wasm
mkdir -p "$to"
# Without inlining the program is a seventh smaller on the way; what computes keeps it.
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' \
	-gcflags=all=-l -gcflags='crypto/...=' -gcflags='filippo.io/...=' -o "$to/engine.wasm" "./$from"
cp "$from"/*.js "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$to"
node scripts/wasm-sizes.mjs "$to"
