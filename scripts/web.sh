#!/bin/bash
# web.sh: builds the screen (web/) with the engine into web/dist, which the program embeds.
#
#   scripts/web.sh          build it; fails where Node is not there
#   scripts/web.sh maybe    build it if Node is there and something has changed
#   scripts/web.sh check    types, accessibility warnings and unit tests, if Node is there
set -euo pipefail
cd "$(dirname "$0")/.."

node_there() { node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

# changed says that some source is newer than what was built.
changed() {
	[ -f web/dist/manifest.json ] || return 0
	[ -n "$(find web internal scripts/wasm.sh go.mod \( -name node_modules -o -path web/dist -o -path web/try -o -path web/src/i18n/paraglide \) -prune -o \
		-type f \( -name '*.go' -o -path 'web/*' -o -name '*.js' \) ! -name '*_test.go' ! -path 'web/project.inlang/*' -newer web/dist/manifest.json -print -quit)" ]
}

install() { # what the lockfile says, and none of its scripts
	[ web/node_modules/.package-lock.json -nt web/package-lock.json ] || (cd web && npm ci --ignore-scripts --no-audit --no-fund)
}

what=${1:-build}
if ! node_there; then
	echo 'web: Node 20.19 or later is not here'
	[ "$what" != build ]
	exit
fi
case $what in
check)
	install
	(cd web && npm run --silent test && npm run --silent check) # the tests compile the messages, which the types need
	;;
maybe) ! changed || exec "$0" ;;
build)
	scripts/wasm.sh
	install
	(cd web && npm run --silent build)
	;;
esac
