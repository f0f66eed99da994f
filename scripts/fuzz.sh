#!/bin/bash
# fuzz.sh MINUTES: runs every fuzz target of the tree, sharing the minutes, at
# least five seconds each. What it finds lands in the package's testdata/fuzz.
set -uo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-5}
case $minutes in '' | *[!0-9]*) echo 'usage: make fuzz MINUTES=n' >&2; exit 2 ;; esac

targets=$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]*' /dev/null |
	sed -E 's|^(.*)/[^/]*:func (.*)|\1 \2|' | sort -u)
[ -n "$targets" ] || { echo 'no fuzz targets found' >&2; exit 1; }
each=$((minutes * 60 / $(wc -l <<<"$targets")))
[ "$each" -ge 5 ] || each=5

passed=0 failed=0
while read -r dir name; do
	printf '== %s %s, %ss\n' "$dir" "$name" "$each"
	if go test -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" "./$dir" </dev/null; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done <<<"$targets"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
