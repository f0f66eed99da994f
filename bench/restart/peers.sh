#!/usr/bin/env bash
# peers.sh OUT ROUNDS SESSIONS "PEER-STORE ..." [FLAGS]: the restart of each
# server named in turn, ROUNDS times, each beginning with a fresh one, one line
# of JSON each. BENCH is as for bench/run.sh, which calls this; RESTART names the
# program, FLAGS go to it. Run under $BENCH/peers/isolated.sh.
set -euo pipefail
out=$1 rounds=$2 sessions=$3 who=$4
shift 4
peers=$BENCH/peers
trap 'for p in $who; do "$peers/${p%-*}.sh" stop "${p#*-}"; done' EXIT
port() { bash -c '. "$0"; port_of "$1"' "$peers/common.sh" "$1"; }

for _ in $(seq "$rounds"); do
	for p in $who; do
		server="$peers/${p%-*}.sh" store=${p#*-}
		"$server" start "$store" >/dev/null
		"$peers/accounts.sh" "$p" "$sessions"
		"$RESTART" -addr "127.0.0.1:$(port "$p")" -sessions "$sessions" -label "$p" \
			-stop "$server stop $store" -start "KEEP=1 $server start $store" -pids "$server pid $store" "$@" | tee -a "$out" |
			jq -c '[.label, (.metrics | .back, .resumed, .failed_attempts, .back_50_seconds, .back_99_seconds, .back_100_seconds, .server_cpu_us_per_session)]' ||
			echo "$p: FAILED"
		"$server" stop "$store"
	done
done
