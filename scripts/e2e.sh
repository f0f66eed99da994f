#!/bin/bash
# e2e.sh: the end-to-end tests, each once, never from the cache. They start
# bin/mirsal themselves and end what they start.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d e2e ] || { echo 'no end-to-end tests'; exit 0; }
packages=$(go list ./e2e/...)
# one package at a time: each starts servers and clients of its own
# shellcheck disable=SC2086
exec go test -count=1 -p 1 -timeout 30m $packages
