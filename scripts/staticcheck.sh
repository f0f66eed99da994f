#!/bin/bash
# staticcheck.sh: prints the path of staticcheck in the version that this
# project is checked with, having installed it below .tools if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v0.8.2
dir=$PWD/.tools/staticcheck-$version
if [ ! -x "$dir/staticcheck" ]; then
	GOTOOLCHAIN=local GOFLAGS= GOBIN=$dir go install "honnef.co/go/tools/cmd/staticcheck@$version" >&2
fi
echo "$dir/staticcheck"
