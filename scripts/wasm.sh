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
# What is inlined, and the newest garbage collector, cost more on the way here than they
# save: all but what encrypts goes without.
plain=crypto/internal/fips140
GOEXPERIMENT=nogreenteagc GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -gcflags=all=-l \
	-gcflags="$plain/edwards25519/...=" -gcflags="$plain/aes/...=" -gcflags="$plain/sha256=" -gcflags="$plain/sha512=" \
	-gcflags='filippo.io/...=' -o "$to/linked.wasm" "./$from"
node scripts/wasm-merge.mjs "$to/linked.wasm" "$to/engine.wasm"
rm "$to/linked.wasm"
cp "$from"/*.js "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$to"
node scripts/wasm-sizes.mjs "$to"
