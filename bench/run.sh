#!/usr/bin/env bash
# run.sh [RESULTS-DIR]: the load runs behind docs/perf.md, Mirsal and its peers
# alternating in one run. BENCH names the folder with the load generator
# (xmppload) and the scripts that start the peers (peers); they are not part of
# this repository. ROUNDS (3) and SUITES (chat rate idle fsync login resume restart
# flood muc offline joins pages files crowd churn calls rings) can be chosen. bench/README.md tells what
# those of this repository do and how to read them; SESSIONS (5000) is the size of
# restart, MINUTES (30) the length of churn.
# Needs root: everything runs in a network namespace of its own.
#
# Each result line is JSON and holds the generator's arguments.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BENCH:?set BENCH to the folder that holds xmppload and peers}"
out=$(realpath -m "${1:-bench/results/$(date +%F)}")
peers=$BENCH/peers
rounds=${ROUNDS:-3}
who="ejabberd-pgsql prosody-internal mirsal-sqlite"
timing="--warmup 2s --duration 8s"
mkdir -p "$out"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$BENCH/xmppload" && go build -o "$work/xmppload" .)
make -s build
export XMPPLOAD=$work/xmppload MIRSAL=$PWD/bin/mirsal
bench() { "$peers/isolated.sh" "$peers/bench.sh" "$@"; }

for suite in ${SUITES:-chat rate idle fsync}; do
	case $suite in
	chat)
		bench "$out/chat.jsonl" "$rounds" 100 "$who" "chat --tls starttls --pairs 50 --window 4 --payload omemo $timing"
		;;
	rate)
		bench "$out/rate.jsonl" "$rounds" 400 "$who" "rate --tls starttls --pairs 200 --rate 500 --payload omemo --warmup 2s --duration 12s"
		;;
	idle) # a fresh server each time: memory freed by one run would serve the next
		for _ in $(seq "$rounds"); do
			bench "$out/idle.jsonl" 1 8000 "$who" "idle --tls starttls --sessions 8000 --hold 40s"
		done
		;;
	login) # every session cut at once, and back by a full login; beside it what a bare handshake costs
		for _ in $(seq "$rounds"); do go run ./bench/handshake -n 5000 >>"$out/handshake.jsonl"; done
		bench "$out/login.jsonl" "$rounds" 5000 "$who" "storm --tls starttls --sessions 5000 --login-concurrency 500"
		;;
	resume) # the same, back by resumption
		bench "$out/resume.jsonl" "$rounds" 5000 "$who" "storm --tls starttls --sessions 5000 --login-concurrency 500 --resume"
		;;
	restart) # the server restarted under all: back as clients come back, and all beginning when the port opens
		go build -o "$work/restart" ./bench/restart
		for from in drop open; do
			MIRSAL_ARGS="--set limits.enabled=true" RESTART=$work/restart "$peers/isolated.sh" bench/restart/peers.sh "$out/restart.jsonl" "$rounds" "${SESSIONS:-5000}" "$who" -from "$from"
		done
		;;
	calls) # two people who call each other, by Mirsal and by Prosody with coturn
		WORK=$work bench/calls/run.sh "$rounds" "${CALLS:-8}" "${LENGTH:-3s}" >>"$out/calls.jsonl"
		;;
	rings) # no peers: how long a ring takes while somebody else is attacked by calls
		WORK=$work bench/rings/run.sh -rounds "$rounds" >>"$out/rings.jsonl"
		;;
	flood) # no peers: the server with its limits, attacked
		go build -o "$work/flood" ./bench/flood
		for kind in connect handshake complete guess; do
			"$peers/isolated.sh" "$work/flood" -server "$MIRSAL" -kind "$kind" -rounds "$rounds" -data /dev/shm -settle 150s >>"$out/flood.jsonl"
		done
		;;
	muc) # one group chat of 200
		bench "$out/muc.jsonl" "$rounds" 200 "$who" "muc --tls starttls --members 200 --rate 5 --payload omemo $timing" \
			"muc --tls starttls --members 200 --window 4 --payload omemo $timing"
		;;
	offline) # messages to people who are away, and their catching up from the archive
		bench "$out/offline.jsonl" "$rounds" 200 "$who" "offline --tls starttls --fetch mam --payload omemo"
		;;
	joins | pages | files | crowd | churn)
		BENCH=$BENCH OUT=$out WORK=$work bench/everyday/run.sh "$suite" "$rounds" "$who"
		;;
	fsync)
		"$peers/isolated.sh" "$peers/fsync.sh" "$who" | tee "$out/fsync.txt"
		;;
	esac
done
