#!/bin/bash
# conformance-peers.sh [--width N] [mirsal|prosody|ejabberd]…
# Starts each server on loopback with a new folder for its data, runs `mirsal
# conformance` against it, writes docs/conformance/NAME.txt, and stops it again.
# Prosody and ejabberd are those of Debian's packages; one that is not installed
# is skipped with a sentence. They are configured to do all that their packages
# can do, in so far as the suite asks for it, with the modules of prosody-modules
# if that is installed, or unpacked where PROSODY_MODULES says. Ports are PORT
# (28200) and the next few.
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
MIRSAL=${MIRSAL:-$ROOT/bin/mirsal}
PORT=${PORT:-28200}
DOMAIN=example.org
TLSPORT=$((PORT + 1)) WEB=$((PORT + 2)) COMPONENT=$((PORT + 3))
WIDTH=100
[ "${1:-}" != --width ] || { WIDTH=$2; shift 2; }
[ $# -gt 0 ] || set -- mirsal prosody ejabberd
[ "$MIRSAL" != "$ROOT/bin/mirsal" ] || make -s build # an old one would speak of what was
DIR=$(mktemp -d)
PASSWORD=$(head -c 12 /dev/urandom | base64 | tr -d '+/=')
SECRET=$PASSWORD$PASSWORD
pid=

# stop ends the server that this script started, and no other.
stop() {
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null || true
	for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	pid=
}
trap 'stop; rm -rf "$DIR"' EXIT

die() { echo "conformance-peers: $*" >&2; exit 1; }

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=$DOMAIN" \
		-addext "subjectAltName=DNS:$DOMAIN,DNS:conference.$DOMAIN,DNS:upload.$DOMAIN" \
		-keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
	cat "$DIR/cert.pem" "$DIR/key.pem" >"$DIR/both.pem"
}

open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# ready waits until the server listens on all three ports.
ready() {
	for p in "$PORT" "$TLSPORT" "$WEB"; do
		for _ in $(seq 300); do
			if open "$p"; then continue 2; fi
			kill -0 "$pid" 2>/dev/null || { tail -n 20 "$DIR/$1"/* >&2 || true; die "$1 ended while starting"; }
			sleep 0.1
		done
		die "$1 does not open port $p"
	done
}

# host_meta writes the two files that a web server would have to serve.
host_meta() {
	mkdir -p "$1/.well-known"
	cat >"$1/.well-known/host-meta" <<-END
		<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
		<Link rel='urn:xmpp:alt-connections:websocket' href='wss://$DOMAIN:$WEB/xmpp-websocket'/>
		<Link rel='urn:xmpp:alt-connections:xbosh' href='https://$DOMAIN:$WEB/http-bind'/>
		</XRD>
	END
	cat >"$1/.well-known/host-meta.json" <<-END
		{"links": [
		{"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://$DOMAIN:$WEB/xmpp-websocket"},
		{"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://$DOMAIN:$WEB/http-bind"}]}
	END
}

mirsal() {
	mkdir -p "$DIR/mirsal"
	printf '[components]\n"bridge.%s" = "%s"\n' "$DOMAIN" "$SECRET" >"$DIR/mirsal/mirsal.toml"
	printf '%s\n' "$PASSWORD" | "$MIRSAL" account add "alice@$DOMAIN" --password-stdin --data "$DIR/mirsal/data" >/dev/null
	"$MIRSAL" serve --config "$DIR/mirsal/mirsal.toml" --data "$DIR/mirsal/data" --domain "$DOMAIN" --cert "$DIR/cert.pem" --key "$DIR/key.pem" \
		--c2s "127.0.0.1:$PORT" --c2s-tls "127.0.0.1:$TLSPORT" --http "127.0.0.1:$WEB" --http-plain off --ops off \
		--set "services.calls=stun:turn.$DOMAIN,turn:turn.$DOMAIN:3478?transport=udp" --set "services.secret=$SECRET" \
		--set "listen.component=127.0.0.1:$COMPONENT" --set "contact.abuse=mailto:abuse@$DOMAIN" >"$DIR/mirsal/out" 2>&1 &
	pid=$!
}

# community lists those modules of Debian's prosody-modules that speak what is
# looked at, as far as they are there. (Its sasl2 needs a newer Prosody than
# Debian has beside it, and breaks every login with this one.)
community() {
	for m in cloud_notify; do
		for d in "${PROSODY_MODULES:-}" /usr/lib/prosody/modules; do
			[ ! -d "$d/mod_$m" ] || { printf '"%s"; ' "$m"; break; }
		done
	done
}

prosody() {
	mkdir -p "$DIR/prosody/data" "$DIR/prosody/www"
	host_meta "$DIR/prosody/www"
	cat >"$DIR/prosody/prosody.cfg.lua" <<-END
		run_as_root = true
		plugin_paths = { "${PROSODY_MODULES:-/usr/lib/prosody/modules}" }
		data_path = "$DIR/prosody/data"
		pidfile = "$DIR/prosody/pid"
		log = { warn = "$DIR/prosody/log" }
		interfaces = { "127.0.0.1" }
		c2s_ports = { $PORT }
		c2s_direct_tls_ports = { $TLSPORT }
		s2s_ports = { }
		component_ports = { $COMPONENT }
		component_interfaces = { "127.0.0.1" }
		http_ports = { }
		https_ports = { $WEB }
		http_interfaces = { "127.0.0.1" }
		https_interfaces = { "127.0.0.1" }
		ssl = { key = "$DIR/key.pem", certificate = "$DIR/cert.pem" }
		https_ssl = { key = "$DIR/key.pem", certificate = "$DIR/cert.pem" }
		c2s_direct_tls_ssl = { key = "$DIR/key.pem", certificate = "$DIR/cert.pem" }
		authentication = "internal_hashed"
		c2s_require_encryption = true
		-- the default of Debian's package, and the rest of what it has for the suite
		modules_enabled = {
			"disco"; "roster"; "saslauth"; "tls"; "blocklist"; "bookmarks"; "carbons"; "pep"; "private"; "smacks";
			"vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "register"; "time"; "uptime"; "version"; "limits";
			"mam"; "turn_external"; "bosh"; "websocket"; "http_files"; "server_contact_info"; "lastactivity"; "posix";
			$(community)
		}
		modules_disabled = { "s2s" }
		limits = { c2s = { rate = "10kb/s" } }
		contact_info = { abuse = { "mailto:abuse@$DOMAIN" } }
		turn_external_host = "turn.$DOMAIN"
		turn_external_secret = "$SECRET"
		http_files_dir = "$DIR/prosody/www"
		http_paths = { files = "/"; bosh = "/http-bind"; websocket = "/xmpp-websocket" }
		VirtualHost "$DOMAIN"
		Component "conference.$DOMAIN" "muc"
			modules_enabled = { "muc_mam" }
		Component "upload.$DOMAIN" "http_file_share"
		Component "bridge.$DOMAIN"
			component_secret = "$SECRET"
	END
	prosodyctl --config "$DIR/prosody/prosody.cfg.lua" register alice "$DOMAIN" "$PASSWORD" >"$DIR/prosody/register" 2>&1 ||
		{ cat "$DIR/prosody/register" >&2; die 'prosodyctl makes no account'; }
	command prosody -F --config "$DIR/prosody/prosody.cfg.lua" >"$DIR/prosody/out" 2>&1 </dev/null &
	pid=$!
}

ejabberd() {
	mkdir -p "$DIR/ejabberd/db" "$DIR/ejabberd/upload"
	cat >"$DIR/ejabberd/ejabberd.yml" <<-END
		hosts: ["$DOMAIN"]
		loglevel: warning
		certfiles: ["$DIR/both.pem"]
		ca_file: "$DIR/cert.pem"
		auth_password_format: scram
		disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
		c2s_protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1, cipher_server_preference, no_compression]
		listen:
		  - {port: $PORT, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, starttls_required: true}
		  - {port: $TLSPORT, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, tls: true}
		  - {port: $COMPONENT, ip: "127.0.0.1", module: ejabberd_service}
		  - port: $WEB
		    ip: "127.0.0.1"
		    module: ejabberd_http
		    tls: true
		    request_handlers:
		      /bosh: mod_bosh
		      /ws: ejabberd_http_ws
		      /upload: mod_http_upload
		      /.well-known/host-meta: mod_host_meta
		      /.well-known/host-meta.json: mod_host_meta
		access_rules:
		  local: {allow: all}
		shaper_rules:
		  max_user_sessions: 10
		modules:
		  mod_adhoc: {}
		  mod_avatar: {}
		  mod_blocking: {}
		  mod_bosh: {}
		  mod_caps: {}
		  mod_carboncopy: {}
		  mod_client_state: {}
		  mod_disco:
		    server_info:
		      - {modules: all, name: "abuse-addresses", urls: ["mailto:abuse@$DOMAIN"]}
		  mod_host_meta:
		    bosh_service_url: "https://$DOMAIN:$WEB/bosh"
		    websocket_url: "wss://$DOMAIN:$WEB/ws"
		  mod_http_upload:
		    host: "upload.$DOMAIN"
		    put_url: "https://upload.$DOMAIN:$WEB/upload"
		    docroot: "$DIR/ejabberd/upload"
		  mod_last: {}
		  mod_mam:
		    default: always
		    assume_mam_usage: true
		  mod_muc:
		    host: "conference.$DOMAIN"
		    access_create: local
		    default_room_options:
		      mam: true
		  mod_offline: {}
		  mod_ping: {}
		  mod_privacy: {}
		  mod_private: {}
		  mod_pubsub:
		    plugins: [flat, pep]
		    force_node_config:
		      "eu.siacs.conversations.axolotl.*": {access_model: open}
		      "storage:bookmarks": {access_model: whitelist}
		  mod_push: {}
		  mod_push_keepalive: {}
		  mod_register: {}
		  mod_roster: {versioning: true}
		  mod_stream_mgmt: {resend_on_timeout: if_offline}
		  mod_stun_disco:
		    secret: "$SECRET"
		    services:
		      - {host: 192.0.2.1, port: 3478, type: stun, transport: udp, restricted: false}
		      - {host: 192.0.2.1, port: 3478, type: turn, transport: udp, restricted: true}
		  mod_time: {}
		  mod_vcard: {search: false}
		  mod_vcard_xupdate: {}
		  mod_version: {}
	END
	# the same program with the same options as Debian's, but without the port
	# mapper and without changing users
	local lib
	lib=$(dpkg -L ejabberd | sed -n 's|/ejabberd-[^/]*/ebin/ejabberd.app$||p')
	cd "$DIR/ejabberd"
	ERL_LIBS=$lib HOME=$DIR/ejabberd EJABBERD_CONFIG_PATH=$DIR/ejabberd/ejabberd.yml EJABBERD_LOG_PATH=$DIR/ejabberd/log \
		erl +K true -noinput -mnesia dir "\"$DIR/ejabberd/db\"" -ejabberd log_rotate_count 0 -s ejabberd \
		-eval "ok = ejabberd_auth:try_register(<<\"alice\">>, <<\"$DOMAIN\">>, <<\"$PASSWORD\">>)." >"$DIR/ejabberd/out" 2>&1 </dev/null &
	pid=$!
	cd "$ROOT"
}

# table runs the command and keeps what it prints.
table() {
	mkdir -p docs/conformance
	local status=0
	local args=("alice@$DOMAIN" --server "127.0.0.1:$PORT" --server-tls "127.0.0.1:$TLSPORT" --web "127.0.0.1:$WEB" --component "127.0.0.1:$COMPONENT")
	printf '$ mirsal conformance %s \\\n    %s\n\n' "${args[*]:0:5}" "${args[*]:5} --ca cert.pem" >"$DIR/table"
	printf '%s\n' "$PASSWORD" | "$MIRSAL" conformance "${args[@]}" --password-stdin --width "$WIDTH" --ca "$DIR/cert.pem" \
		>>"$DIR/table" 2>"$DIR/trouble" || status=$?
	if [ "$status" = 2 ] || [ -s "$DIR/trouble" ]; then cat "$DIR/trouble" >&2; tail -n 20 "$DIR/$1"/{out,log*} >&2 || true; die "$1: exit status $status"; fi
	cp "$DIR/table" "docs/conformance/$1.txt"
	echo "docs/conformance/$1.txt (exit status $status)"
}

certificate
for name in "$@"; do
	case $name in
	mirsal) ;;
	prosody)
		command -v prosody >/dev/null || { echo 'Prosody is not installed: skipped.'; continue; }
		# a table without what the others have would wrong it
		[ -n "$(community)" ] || { echo 'prosody-modules is not installed, nor does PROSODY_MODULES say where it is: Prosody is skipped.'; continue; }
		;;
	ejabberd) [ -n "$(dpkg -L ejabberd 2>/dev/null)" ] || { echo 'ejabberd is not installed: skipped.'; continue; } ;;
	*) die "there is no server $name here" ;;
	esac
	for p in "$PORT" "$TLSPORT" "$WEB" "$COMPONENT"; do if open "$p"; then die "port $p is taken: set PORT"; fi; done
	"$name"
	ready "$name"
	[ "$name" != ejabberd ] || sleep 3 # its port opens before the account is there
	table "$name"
	stop
done
