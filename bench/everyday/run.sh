#!/usr/bin/env bash
# run.sh SUITE ROUNDS "PEER-STORE ...": joins, pages or files against the servers
# named in turn, or crowd and churn against Mirsal alone. Called by bench/run.sh, which says
# what BENCH, OUT, WORK and MIRSAL are. The peers' configurations are those of the
# other suites, with a place for files (over HTTPS) added.
set -euo pipefail
suite=$1 rounds=$2 who=$3
cd "$(dirname "$0")/../.."
go build -o "$WORK/everyday" ./bench/everyday
cp -r "$BENCH/peers" "$WORK/peers"
cat >>"$WORK/peers/prosody.cfg.lua.in" <<'LUA'
Component "upload.@DOMAIN@" "http_file_share"
	http_file_share_size_limit = 100*1024*1024
	http_file_share_daily_quota = 100*1024*1024*1024
	http_external_url = "https://localhost:26230/"
	http_host = "localhost"
LUA
sed -i 's|^c2s_ports = .*|&\nhttp_ports = { }\nhttps_ports = { 26230 }\nhttp_max_content_size = 100*1024*1024\nhttps_interfaces = { "127.0.0.1" }\nhttps_ssl = { key = "@STATE@/key.pem", certificate = "@STATE@/cert.pem" }|' "$WORK/peers/prosody.cfg.lua.in"
sed -i 's|^auth_password_format:.*|  - port: 25250\n    ip: "127.0.0.1"\n    module: ejabberd_http\n    tls: true\n    request_handlers:\n      /upload: mod_http_upload\n&|; s|^modules:|&\n  mod_http_upload:\n    host: "upload.@DOMAIN@"\n    put_url: "https://localhost:25250/upload"\n    max_size: 104857600\n    docroot: "/dev/shm/ejabberd-upload"|' "$WORK/peers/ejabberd.yml.in"
# With the owner 200 (more the rooms of ejabberd do not take unless each is told to) and 10,000 (what a room here takes).
export WORK OUT suite rounds who
"$WORK/peers/isolated.sh" bash -euo pipefail -c '
	peers=$WORK/peers
	port() { bash -c ". \"\$0\"; port_of \"\$1\"" "$peers/common.sh" "$1"; }
	trap "for p in \$who; do \"$peers/\${p%-*}.sh\" stop \"\${p#*-}\"; done; rm -rf /dev/shm/ejabberd-upload" EXIT
	people=199 mode=$suite extra="-people 199"
	case $suite in
	crowd) people=9999 mode=joins who=mirsal-sqlite extra="-people 9999 -rate 1000 -together 64" ;;
	pages) people=2 extra="-messages 5000" ;;
	files) people=2 extra="-people 4 -files 20 -size 20000000" ;;
	churn) people=20 who=mirsal-sqlite extra="-people 10 -rate 5 -duration ${MINUTES:-30}m -limit 60m" ;;
	esac
	export MIRSAL_ARGS="--set upload.quota=20000000000 --set rooms.max_per_account=1000"
	for _ in $(seq "$rounds"); do
		for p in $who; do
			server="$peers/${p%-*}.sh" store=${p#*-}
			ops=
			[ "$suite" != churn ] || { ops="-ops 127.0.0.1:27229"; MIRSAL_ARGS="$MIRSAL_ARGS --ops 127.0.0.1:27229"; }
			pid=$("$server" start "$store")
			"$peers/accounts.sh" "$p" $((people + 5))
			"$WORK/everyday" "$mode" -addr "127.0.0.1:$(port "$p")" -label "$p" -pid "$pid" $ops $extra | tee -a "$OUT/$suite.jsonl" || echo "$p: FAILED"
			"$server" stop "$store"
		done
	done
'
