#!/bin/bash
# install-test-deps.sh: the foreign programs that tests drive, from Debian's
# packages and, for e2e/browser and e2e/calls/foreign, from npm; for e2e/omemo, a Go module that only it
# uses; and, for e2e/foreign, the suites that foreign-suites.sh fetches. Does nothing when all are there. Where
# it cannot install (not Debian, not root, no network) it names what is lacking
# and which tests will be skipped, and goes on; with MIRSAL_REQUIRE=all, as in
# CI, those tests fail.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# npm_packages installs what a folder's package-lock.json lists, and nothing else; no package's
# scripts run. The copy of that file tells the tests that all is there.
npm_packages() {
	local dir=$1 uses=$2
	cmp -s $dir/package-lock.json $dir/node_modules/.installed && return
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		echo "install-test-deps: node and npm are lacking; $uses"
	elif (cd $dir && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null); then
		cp $dir/package-lock.json $dir/node_modules/.installed
		echo "install-test-deps: installed the npm packages of $dir"
	else
		echo "install-test-deps: npm could not install the packages of $dir: $uses"
	fi
}
npm_packages e2e/browser 'e2e/browser, e2e/wasm, e2e/screen, e2e/calls: Chromium'
npm_packages e2e/calls/foreign 'e2e/calls/foreign: calls with stanza.js'

# go_modules fetches what e2e/omemo/libsignal is built of: a module of its own, which
# the build of Mirsal does not touch.
go_modules() {
	local dir=e2e/omemo/libsignal
	(cd $dir && GOTOOLCHAIN=local GOFLAGS=-mod=readonly go mod download) </dev/null ||
		echo "install-test-deps: the modules of $dir could not be fetched: OMEMO against libsignal"
}
go_modules
# at the end: it needs what is installed here, and comes whatever is lacking
trap scripts/foreign-suites.sh EXIT

# package | what uses it
list='
gcc|all unit tests: the race detector
libc6-dev|all unit tests: the race detector
profanity|e2e/clients, e2e/screen: a person with Profanity
tmux|e2e/terminal: Profanity and others, driven in a terminal
python3-slixmpp|e2e/clients: slixmpp
python3-omemo|e2e/clients: OMEMO with slixmpp; e2e/omemo
python3-oldmemo|e2e/clients: OMEMO with slixmpp; e2e/omemo
python3-twomemo|e2e/omemo: OMEMO against other implementations
python3-xmlschema|e2e/clients: OMEMO with slixmpp; e2e/omemo
go-sendxmpp|e2e/clients: go-sendxmpp over STARTTLS and direct TLS
python3|internal/xmpp: differential against expat
chromium|e2e/browser, e2e/wasm, e2e/screen, e2e/calls: headless Chromium
strace|e2e/crash: every acknowledgement is preceded by its sync
dino-im|e2e/clients: a person with Dino
gir1.2-atspi-2.0|e2e/clients: Dino, used as with a screen reader
python3-gi|e2e/clients: Dino, used as with a screen reader
at-spi2-core|e2e/clients: Dino, used as with a screen reader
dbus-daemon|e2e/clients: Dino, in a session of its own
xvfb|e2e/clients: Dino, on a screen that is not there
openbox|e2e/clients: Dino, on a screen that is not there
xdotool|e2e/clients: Dino, its keyboard and mouse
imagemagick|e2e/clients: Dino, pictures of its screen
gdb|e2e/engine: the memory of the server, looked through for texts
poezio|e2e/clients: a person with Poezio
prosody|e2e/foreign: the suites, against another server
python3-pip|e2e/foreign: fetches the suite of slixmpp
python3-pytest|e2e/foreign: runs the suites
python3-aioxmpp|e2e/foreign: the suite of aioxmpp
python3-aiohttp|e2e/foreign: the suite of slixmpp
iproute2|e2e/netns, e2e/calls: networks with routers between them
nftables|e2e/netns, e2e/calls: networks with routers between them
python3-pyasn1-modules|e2e/foreign: the suite of slixmpp
'

has() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

report() {
	printf 'install-test-deps: %s; lacking:\n' "$1"
	while IFS='|' read -r pkg uses; do
		case " $lacking " in *" $pkg "*) printf '  %-18s %s\n' "$pkg" "$uses" ;; esac
	done <<<"$list"
	exit 0
}

if ! command -v dpkg-query >/dev/null; then
	lacking=$(grep -o '^[a-z0-9-]*' <<<"$list" | tr '\n' ' ')
	report 'this is not Debian, so nothing was looked for (a program may still be there)'
fi

lacking=
while IFS='|' read -r pkg _; do
	[ -z "$pkg" ] || has "$pkg" || lacking="$lacking $pkg"
done <<<"$list"
[ -n "$lacking" ] || exit 0
lacking=${lacking# }

[ "$(id -u)" = 0 ] || report "not root, so nothing was installed (as root: apt-get install $lacking)"

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
install() { apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $lacking </dev/null; }
if ! install >/dev/null 2>&1; then
	apt-get -qq update </dev/null && install || report 'apt-get could not install everything'
fi
# Debian starts servers that it installs; the tests start their own
case " $lacking " in *' prosody '*) service prosody stop >/dev/null 2>&1 ;; esac
echo "install-test-deps: installed $lacking"
