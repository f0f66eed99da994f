#!/usr/bin/env bash
# run.sh ROUNDS CALLS LENGTH: calls by Mirsal with its own relay, and by Prosody with coturn, in turns. BENCH, WORK
# and MIRSAL are as in bench/run.sh, whose suite "calls" this is. coturn is Debian's (apt-get install coturn). Everything is in a network and
# with names of its own: Mirsal at 10.77.0.1, the others at 10.77.0.2.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v turnserver prosody >/dev/null || { echo 'prosody and turnserver (coturn) are needed' >&2; exit 1; }
export BENCH WORK MIRSAL ROUNDS=$1 CALLS=$2 LENGTH=$3
go build -o "$WORK/calls" ./bench/calls
exec unshare -nm bash -euo pipefail -c '
	data=$(mktemp -d -p /dev/shm)
	export TMPDIR=$data
	pids=()
	finish() { kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; rm -rf "$data"; }
	trap finish EXIT
	ip link set lo up
	ip link add name lan type veth peer name other
	ip link set dev other up
	ip addr add 10.77.0.1/24 dev lan
	ip addr add 10.77.0.2/24 dev lan
	ip link set dev lan up
	printf "127.0.0.1 localhost\n10.77.0.1 mirsal.test\n10.77.0.2 prosody.test\n" >"$data/hosts"
	mount --bind "$data/hosts" /etc/hosts
	# port ADDRESS PORT: until somebody listens
	port() { for _ in $(seq 300); do (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null && return; sleep 0.1; done; echo "nobody listens at $1:$2" >&2; cat "$data"/*.log >&2; exit 1; }

	"$MIRSAL" serve --data "$data/mirsal" --domain mirsal.test --c2s 10.77.0.1:5222 --c2s-tls off --http off \
		--set listen.turn=10.77.0.1:3478 --set listen.turns=10.77.0.1:5349 --set turn.allow_private=true --set turn.relay_address=10.77.0.1 \
		--set calls.pair=1000 --set calls.callee=1000 --set calls.caller=1000 --set calls.newcomer=1000 >"$data/mirsal.log" 2>&1 &
	mirsal=$!
	pids+=("$mirsal")
	port 10.77.0.1 5222
	for name in alice bob; do echo secret-secret | "$MIRSAL" account add "$name@mirsal.test" --password-stdin --data "$data/mirsal" >/dev/null; done

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=prosody.test -addext subjectAltName=DNS:prosody.test \
		-keyout "$data/key.pem" -out "$data/cert.pem" 2>/dev/null
	mkdir -p "$data/prosody/data"
	sed -e "s|@STATE@|$data|g; s|@DIR@|$data/prosody|g; s|@DOMAIN@|prosody.test|g; s|@PORT@|5222|; s|@TLSPORT@|5223|; s|\"127.0.0.1\"|\"10.77.0.2\"|" \
		-e "s|@STORE@|storage = \"internal\"|; s|^modules_enabled = {|& \"turn_external\";|" "$BENCH/peers/prosody.cfg.lua.in" >"$data/prosody.cfg.lua"
	sed -i "/^VirtualHost/i turn_external_secret = \"for-this-run\"\nturn_external_host = \"prosody.test\"\nturn_external_tcp = true\nturn_external_tls_port = 5349" "$data/prosody.cfg.lua"
	for name in alice bob; do prosodyctl --config "$data/prosody.cfg.lua" register "$name" prosody.test secret-secret >/dev/null 2>&1; done
	prosody -F --config "$data/prosody.cfg.lua" >"$data/prosody.log" 2>&1 &
	prosody=$!
	pids+=("$prosody")
	turnserver -n --listening-ip 10.77.0.2 --relay-ip 10.77.0.2 --listening-port 3478 --tls-listening-port 5349 --use-auth-secret --static-auth-secret for-this-run \
		--realm prosody.test --cert "$data/cert.pem" --pkey "$data/key.pem" --no-cli --no-dtls --no-software-attribute --pidfile "$data/turn.pid" --userdb "$data/turn.db" --log-file stdout --simple-log >"$data/coturn.log" 2>&1 &
	coturn=$!
	pids+=("$coturn")
	port 10.77.0.2 5222
	port 10.77.0.2 3478

	cat "$data/mirsal/tls/ca.pem" "$data/cert.pem" >"$data/all.pem"
	SSL_CERT_FILE=$data/all.pem "$WORK/calls" -rounds "$ROUNDS" -calls "$CALLS" -length "$LENGTH" \
		-server "mirsal,mirsal.test,10.77.0.1:5222,$data/mirsal/tls/ca.pem,$mirsal," \
		-server "prosody+coturn,prosody.test,10.77.0.2:5222,$data/cert.pem,$prosody,$coturn"
' calls
