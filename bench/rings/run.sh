#!/usr/bin/env bash
# run.sh [FLAGS of rings]: how long a ring takes for others while one person is attacked by calls. BENCH, WORK and MIRSAL are as in bench/run.sh, whose
# suite "rings" this is. Everything is in a network of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
export WORK MIRSAL
go build -o "$WORK/rings" ./bench/rings
exec unshare -n bash -euo pipefail -c '
	ip link set lo up
	data=$(mktemp -d -p "${DATA:-/tmp}")
	finish() { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$data"; }
	trap finish EXIT
	"$MIRSAL" serve --data "$data/mirsal" --domain localhost --c2s 127.0.0.1:5222 --c2s-tls off --http off --set e2ee=optional \
		--set calls.pair=1000 --set calls.callee=1000 --set calls.caller=1000 --set calls.newcomer=1000 >"$data/log" 2>&1 &
	server=$!
	for _ in $(seq 300); do grep -q "^ready" "$data/log" && break; sleep 0.1; done
	for ((i = 0; i < 200; i++)); do printf "user%d\tsecret-secret\n" "$i"; done >"$data/accounts.tsv"
	"$MIRSAL" account import --data "$data/mirsal" "$data/accounts.tsv" >/dev/null
	"$WORK/rings" -addr 127.0.0.1:5222 -pid "$server" "$@" || { cat "$data/log" >&2; exit 1; }
' rings "$@"
