#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The control script: sets up what is missing, compiles, starts, stops, tests. `./reqpm.sh help` lists the commands.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit 1
ROOT=$PWD
CALLER=${OLDPWD:-$PWD}
PORT=${REQPM_PORT:-8000}
OUT=out/release
BIN=$ROOT/$OUT/reqpm
LOGS=$ROOT/logs
NODE_VERSION=22.23.3 # where the system's node is older than the page's and tests' tools need
export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false

DEBIAN_BUILD=(gcc meson ninja-build pkg-config libuv1-dev libjansson-dev libsqlite3-dev libssl-dev zlib1g-dev
	libseccomp-dev libsolv-dev libsolvext-dev libcurl4-openssl-dev)
DEBIAN_RUN=(rpm createrepo-c bubblewrap cpio make curl)
DEBIAN_TEST=(libcmocka-dev clang-14 libclang-rt-14-dev clang-format-14 dnf python3-websockets chromium)
FEDORA_BUILD=(gcc meson ninja-build pkgconf-pkg-config libuv-devel jansson-devel sqlite-devel openssl-devel zlib-devel
	libseccomp-devel libsolv-devel libcurl-devel)
FEDORA_RUN=(rpm-build createrepo_c bubblewrap cpio make curl)
FEDORA_TEST=(libcmocka-devel clang clang-tools-extra compiler-rt python3-websockets chromium)

say() { printf 'reqpm.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

data_dir() {
	if [ -n "${REQPM_DATA_DIR:-}" ]; then printf '%s\n' "$REQPM_DATA_DIR"
	elif [ "$(id -u)" = 0 ]; then printf '/var/lib/reqpm\n'
	else printf '%s/reqpm\n' "${XDG_STATE_HOME:-$HOME/.local/state}"; fi
}
DATA=$(data_dir)
case $DATA in /*) ;; *) DATA=$CALLER/$DATA ;; esac
PIDFILE=$LOGS/server-$PORT.pid
export REQPM_DATA_DIR=$DATA
export REQPM_SERVER=${REQPM_SERVER:-http://127.0.0.1:$PORT}

# ---- setup

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "this needs root, and sudo is not here; run as root: $*"; fi
}

missing_debian() { # prints the packages of its arguments that are not installed
	local have
	have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p')
	for p in "$@"; do grep -qxF -- "$p" <<<"$have" || printf '%s\n' "$p"; done
}
missing_fedora() { for p in "$@"; do rpm -q --quiet "$p" || printf '%s\n' "$p"; done; }

install_packages() { # $1: why; the rest: an array's name per system, DEBIAN_… and FEDORA_…
	local why=$1 missing
	shift
	if command -v apt-get >/dev/null; then
		local -n names=DEBIAN_$1
		missing=$(missing_debian "${names[@]}")
		[ -z "$missing" ] && return
		say "installing ${missing//$'\n'/ } ($why)"
		# shellcheck disable=SC2086
		as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' sh $missing ||
			die "apt-get could not install: ${missing//$'\n'/ }"
	elif command -v dnf >/dev/null; then
		local -n names=FEDORA_$1
		missing=$(missing_fedora "${names[@]}")
		[ -z "$missing" ] && return
		say "installing ${missing//$'\n'/ } ($why)"
		# shellcheck disable=SC2086
		as_root dnf -q -y install $missing || die "dnf could not install: ${missing//$'\n'/ }"
	else
		die "neither apt-get nor dnf is here: install by hand what docs/operations.md lists"
	fi
}

# The server gives root up before its first socket; somebody must be there to become.
make_user() {
	[ "$(id -u)" = 0 ] || return 0
	getent passwd reqpm >/dev/null && return 0
	say "adding the system user reqpm (whom the server becomes when root starts it)"
	useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin reqpm ||
		die "the user reqpm could not be added"
}

# The page is put into the binary; nothing else needs node.
build_page() {
	local stamp
	stamp=$(cd frontend && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
	[ "$(cat out/page/stamp 2>/dev/null)" = "$stamp" ] && return
	need_node
	node_modules frontend
	say "building the page"
	mkdir -p out/page
	(cd frontend && npm run --silent build && node scripts/embed.mjs dist ../out/page) >out/page.log 2>&1 ||
		{ cat out/page.log >&2; die "the page does not build"; }
	printf '%s\n' "$stamp" >out/page/stamp
}

compile() {
	[ out/page/page.c -nt $OUT/build.ninja ] && [ -f $OUT/build.ninja ] && meson setup --reconfigure $OUT >/dev/null
	[ -f $OUT/build.ninja ] || meson setup $OUT --buildtype=release -Db_ndebug=false >/tmp/reqpm-meson.$$ 2>&1 ||
		{ cat /tmp/reqpm-meson.$$ >&2; rm -f /tmp/reqpm-meson.$$; die "meson could not set $OUT up"; }
	rm -f /tmp/reqpm-meson.$$
	local text
	text=$(ninja -C $OUT reqpm 2>&1) || { printf '%s\n' "$text" >&2; die "reqpm does not compile"; }
}

setup() {
	install_packages "to compile reqpm" BUILD
	install_packages "to build packages" RUN
	make_user
	# In a shell of its own, so that a machine without the npm registry can build packages all the same.
	(build_page) || say "going on without it: the binary says so in place of the page; the terminal client has all the page has"
	compile
}

# ---- the server

server_pid() { # prints it when it runs
	local pid
	pid=$(cat "$PIDFILE" 2>/dev/null) || return 1
	[ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" != "" ] && grep -qaz -e '^serve$' -e '^reqpm --keeper ' "/proc/$pid/cmdline" 2>/dev/null || return 1
	printf '%s\n' "$pid"
}

answers() { curl -fsS -m 2 -o /dev/null "$REQPM_SERVER/healthz" 2>/dev/null; }

sign_in() { # a browser may change things after this link was opened in it
	local url
	url=$(curl -fsS -m 2 -X POST -H "Authorization: Bearer $(cat "$DATA/token")" "$REQPM_SERVER/api/login/code" 2>/dev/null |
		sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
	[ -z "$url" ] || say "sign a browser in (once, within 10 minutes): $url"
}

start() {
	local pid
	if pid=$(server_pid); then say "the server runs already (process $pid, $REQPM_SERVER)"; return 0; fi
	mkdir -p "$LOGS" "$DATA" || die "no folder $DATA: set REQPM_DATA_DIR to one that can be made"
	[ "$(id -u)" = 0 ] && chmod 755 "$LOGS" && for f in server worker; do
		touch "$LOGS/$f.log" && chown reqpm: "$LOGS/$f.log"
	done
	: >"$LOGS/start.err"
	setsid "$BIN" serve --port "$PORT" --data-dir "$DATA" --log-file "$LOGS/server.log" \
		--worker-log-file "$LOGS/worker.log" "$@" >/dev/null 2>"$LOGS/start.err" </dev/null &
	pid=$!
	printf '%s\n' "$pid" >"$PIDFILE" || die "the disk of $DATA takes no file"
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || { rm -f "$PIDFILE"; cat "$LOGS/start.err" >&2; die "the server did not start"; }
		answers && { say "the server runs: $REQPM_SERVER (data in $DATA, logs in $LOGS)"; sign_in; return 0; }
		sleep 0.1
	done
	die "the server (process $pid) does not answer at $REQPM_SERVER; see $LOGS/server.log"
}

stop() {
	local pid
	pid=$(server_pid) || { say "no server runs"; return 0; }
	kill -TERM "$pid" || die "process $pid cannot be signalled: it is somebody else's"
	for _ in $(seq 150); do
		kill -0 "$pid" 2>/dev/null || { rm -f "$PIDFILE"; say "stopped"; return 0; }
		sleep 0.1
	done
	die "the server (process $pid) has not ended within 15 s; see $LOGS/server.log"
}

show_logs() {
	case ${1:-all} in
	server | worker) exec tail -n 50 -F "$LOGS/${1}.log" ;;
	all) exec tail -n 30 -F "$LOGS/server.log" "$LOGS/worker.log" ;;
	*) say "logs of what? server, worker or all"; exit 2 ;;
	esac
}

# ---- tests

node_ready() { command -v node >/dev/null && node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a==20&&b>=19)?0:1)'; }

# Debian 12's node is 18. A newer one comes from the npm registry into a folder of this project.
need_node() {
	export PATH=$ROOT/out/node/bin:$PATH
	node_ready && return
	command -v npm >/dev/null || install_packages "to fetch a newer node" NPM
	local arch
	case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "no node for $(uname -m): install node 20.19 or newer" ;; esac
	say "installing node $NODE_VERSION into out/node (the system's is older than 20.19)"
	mkdir -p out/node && (cd out/node && npm pack --loglevel=error "node-linux-$arch@$NODE_VERSION" >/dev/null &&
		tar xzf "node-linux-$arch-$NODE_VERSION.tgz" --strip-components=1 && rm -f ./*.tgz) || die "node could not be installed"
	hash -r # bash remembers where the old one was
	node_ready || die "out/node holds no working node"
}
DEBIAN_NPM=(npm)
FEDORA_NPM=(npm)

node_modules() { # $1: a folder with a package-lock.json
	[ -f "$1/package-lock.json" ] || return 0
	cmp -s "$1/package-lock.json" "$1/node_modules/.reqpm-lock" && return
	say "installing the npm modules of $1"
	(cd "$1" && npm ci --ignore-scripts --loglevel=error >/dev/null) || die "npm ci failed in $1"
	cp "$1/package-lock.json" "$1/node_modules/.reqpm-lock"
}

build_folder() { # $1: folder, the rest: meson options
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; die "meson could not set $dir up"; }
}

run_tests() {
	setup
	install_packages "to test reqpm" TEST
	need_node
	node_modules tests
	node_modules frontend
	# Started in the background, a shell hands down ignored signals, which tests send.
	exec env --default-signal REQPM_NODE="$(command -v node)" bash tests/run.sh "$@"
}

# ----

usage() {
	cat <<'TEXT'
usage: ./reqpm.sh COMMAND

  build PATH… [OPTION…]  set everything up, start the server if none runs, build and watch
  setup                  install what is missing and compile out/release/reqpm
  start | stop | restart the server on REQPM_PORT (8000), with its data in REQPM_DATA_DIR
  status                 what runs and how; exit 0 only when all is well
  logs [server|worker|all]
  test [--long]          set up and run every test
  check                  format, architecture, warnings with gcc and clang, clang-tidy
TEXT
}

absolute_paths() { # the paths of `build` are the caller's, but this script works in its own folder
	ARGS=()
	for a in "$@"; do
		if [ "${a#-}" = "$a" ] && [ "${a#/}" = "$a" ] && [ -e "$CALLER/$a" ]; then ARGS+=("$CALLER/$a"); else ARGS+=("$a"); fi
	done
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
build)
	absolute_paths "$@"
	setup
	answers || start
	exec "$BIN" build "${ARGS[@]}"
	;;
setup) setup && say "ready: $BIN" ;;
start) setup && start "$@" ;;
stop) stop ;;
restart) stop && setup && start "$@" ;;
status)
	[ -x "$BIN" ] || die "not set up yet: ./reqpm.sh setup"
	exec "$BIN" status "$@"
	;;
logs) show_logs "$@" ;;
test) run_tests "$@" ;;
check) setup && install_packages "to check reqpm" TEST && exec bash tests/check.sh ;;
help | -h | --help) usage ;;
*)
	say "there is no command $command"
	usage >&2
	exit 2
	;;
esac
