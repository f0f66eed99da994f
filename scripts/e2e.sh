#!/bin/bash
# e2e.sh: the end-to-end tests, each once, never from the cache. They start
# bin/mirsal themselves and end what they start.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d e2e ] || { echo 'no end-to-end tests'; exit 0; }
# these have their servers in the test process, where the race detector sees them
go test -race -count=1 ./e2e/scripts
packages=$(go list ./e2e/... | grep -v /e2e/scripts)
# one package at a time: each starts servers and clients of its own
# shellcheck disable=SC2086
exec go test -count=1 -p 1 -timeout 30m $packages
