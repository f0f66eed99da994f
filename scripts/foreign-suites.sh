#!/bin/bash
# foreign-suites.sh: fetches other people's tests of XMPP servers for e2e/foreign, into
# e2e/foreign/suites, which is not committed. slixmpp's integration tests are in
# its source distribution on the Python package index, from where pip fetches it
# as it is set up on this machine. aioxmpp's on that index are without the tests;
# Debian has the same version with them, as the source of python3-aioxmpp.
# Versions and hashes are fixed, here and in e2e/foreign/requirements.txt. Does
# nothing when all is there; says what it could not fetch.
set -uo pipefail
cd "$(dirname "$0")/../e2e/foreign" || exit

AIOXMPP=pool/main/p/python-aioxmpp/python-aioxmpp_0.13.3.orig.tar.gz
AIOXMPP_SHA256=b8f06c21a8429286bf2ef26e4617a2e772df74566a0aa3d4c9501f8f50b6735a
list=requirements.txt
pip=(/usr/bin/python3 -m pip --disable-pip-version-check --quiet --no-input)

lack() {
	echo "foreign-suites: $1; e2e/foreign: the suites of slixmpp and aioxmpp"
	exit 0
}

slixmpp() {
	"${pip[@]}" install --root-user-action ignore --target suites/python --no-deps --require-hashes -r $list &&
		"${pip[@]}" download --no-deps --no-binary :all: --require-hashes -r $list -d suites/fetched &&
		mkdir suites/slixmpp && tar -xzf suites/fetched/slixmpp-*.tar.gz -C suites/slixmpp --strip-components 1 --wildcards '*/itests'
}

# Debian's mirror is the one that apt uses; apt looks at the hash
aioxmpp() {
	local mirror
	for mirror in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
		/usr/lib/apt/apt-helper download-file "$mirror$AIOXMPP" suites/fetched/aioxmpp.tar.gz "SHA256:$AIOXMPP_SHA256" \
			>/dev/null 2>&1 || continue
		mkdir suites/aioxmpp && tar -xzf suites/fetched/aioxmpp.tar.gz -C suites/aioxmpp tests
		return
	done
	return 1
}

cmp -s $list suites/.installed && exit
[ -x /usr/bin/python3 ] && /usr/bin/python3 -m pip --version >/dev/null 2>&1 || lack 'python3-pip is lacking'
rm -rf suites
mkdir -p suites/fetched
slixmpp || lack 'pip could not fetch slixmpp'
aioxmpp || lack 'apt could not fetch the source of aioxmpp'
rm -rf suites/fetched
cp $list suites/.installed
echo 'foreign-suites: fetched the suites of slixmpp and aioxmpp'
