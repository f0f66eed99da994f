#!/bin/bash
# foreign-record.sh: runs others' test suites against Mirsal and Prosody, as
# `make test` does, and writes docs/conformance/foreign-suites.md.
set -euo pipefail
cd "$(dirname "$0")/.."
MIRSAL_REQUIRE=all MIRSAL_RECORD=$PWD/docs/conformance/foreign-suites.md exec go test -count=1 ./e2e/foreign
