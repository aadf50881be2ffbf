#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The control script: sets up what is missing, compiles, starts, stops, tests. `./reqpm.sh help` lists the commands.
set -u
CALLER=$PWD
case $0 in */*) SELF=$0 ;; *) SELF=./$0 ;; esac
cd "$(dirname "$(readlink -f "$0")")" || exit 1
ROOT=$PWD
OUT=out/release
BIN=$ROOT/$OUT/reqpm
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

# What the tools of these packages are called, where neither apt-get nor dnf can be asked.
TOOLS=(cc meson ninja pkg-config rpmbuild createrepo_c bwrap cpio make curl)

say() { printf 'reqpm.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

data_dir() {
	if [ -n "${REQPM_DATA_DIR:-}" ]; then printf '%s\n' "$REQPM_DATA_DIR"
	elif [ "$(id -u)" = 0 ]; then printf '/var/lib/reqpm\n'
	elif [ -n "${XDG_STATE_HOME:-}" ]; then printf '%s/reqpm\n' "$XDG_STATE_HOME"
	elif [ -n "${HOME:-}" ]; then printf '%s/.local/state/reqpm\n' "$HOME"
	else die "HOME is not set: say in REQPM_DATA_DIR where the data is"; fi
}
absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$CALLER/$1" ;; esac; } # a path of the caller's

use_port() {
	case $1 in '' | 0* | *[!0-9]* | ??????*) say "the port must be a number between 1 and 65535, not \"$1\""; exit 2 ;; esac
	PORT=$1
	RUN=$LOGS/server-$PORT # .pid: the process, where it is reached, its data folder; .out and .err: what it said at the start
}
MEANT=$(data_dir) || exit
MEANT=$(absolute "$MEANT") # the data folder of a server that is started
LOGS=$(absolute "${REQPM_LOG_DIR:-$ROOT/logs}")
use_port "${REQPM_PORT:-8000}"

# ---- setup

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

announce() { # $1: packages that are missing; $2: why; $3: what root would type to have them
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		die "missing $2: $1; to install needs root, and sudo is not here; as root: $3 $1"
	say "installing $1 ($2)"
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
		missing=$(missing_debian "${names[@]}" | paste -sd ' ')
		[ -z "$missing" ] && return
		announce "$missing" "$why" "apt-get install"
		# shellcheck disable=SC2086
		as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' sh $missing ||
			die "apt-get could not install: $missing"
	elif command -v dnf >/dev/null; then
		local -n names=FEDORA_$1
		missing=$(missing_fedora "${names[@]}" | paste -sd ' ')
		[ -z "$missing" ] && return
		announce "$missing" "$why" "dnf install"
		# shellcheck disable=SC2086
		as_root dnf -q -y install $missing || die "dnf could not install: $missing"
	else
		missing=$(for t in "${TOOLS[@]}"; do command -v "$t" >/dev/null || printf '%s\n' "$t"; done)
		[ -z "$missing" ] ||
			die "no ${missing//$'\n'/, } here, and neither apt-get nor dnf: install by hand what docs/operations.md lists"
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
	local text
	[ -f $OUT/build.ninja ] || text=$(meson setup $OUT --buildtype=release -Db_ndebug=false 2>&1) ||
		{ printf '%s\n' "$text" >&2; die "meson could not set $OUT up"; }
	text=$(ninja -C $OUT reqpm 2>&1) || { printf '%s\n' "$text" >&2; die "reqpm does not compile"; }
}

# One at a time: whoever sets up or starts meanwhile waits. unlock() before anything that stays.
lock() {
	{ mkdir -p out && : >>out/lock; } 2>/dev/null || die "$ROOT/out cannot be written: it is somebody else's, or the disk is full"
	exec 9>>out/lock
	flock -n 9 || { say "waiting for another ./reqpm.sh that sets up or starts"; flock 9; }
}
unlock() { exec 9>&-; }

setup() {
	lock
	install_packages "to compile reqpm" BUILD
	install_packages "to build packages" RUN
	make_user
	# In a shell of its own, so that a machine without the npm registry can build packages all the same.
	(build_page) || say "going on without it: the binary says so in place of the page; the terminal client has all the page has"
	compile
}

# ---- the server

alive() { # $1: a process; one that has ended but was not waited for is not
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -n "$state" ] && [ "$state" != Z ]
}

# When a process was started, in ticks since this boot: numbers of processes are given out again.
birth() { sed -n 's/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

server_pid() { # prints it when it runs
	local pid='' born=''
	[ ! -f "$RUN.pid" ] || { read -r pid; read -r _; read -r _; read -r born; } 2>/dev/null <"$RUN.pid"
	[ -n "$pid" ] && alive "$pid" && [ "${born:-none}" = "$(birth "$pid")" ] || return 1
	grep -qaz -e '^serve$' -e '^reqpm --keeper ' "/proc/$pid/cmdline" 2>/dev/null || return 1
	printf '%s\n' "$pid"
}

# Where the server is reached and where its data is: as it was started, else as it would be.
find_server() {
	URL=http://127.0.0.1:$PORT DATA=$MEANT
	server_pid >/dev/null || return 0
	{ read -r _ && IFS= read -r URL && IFS= read -r DATA; } <"$RUN.pid" || URL=http://127.0.0.1:$PORT DATA=$MEANT
}

answers() { curl -fsS -m 2 -o /dev/null "$URL/healthz" 2>/dev/null; }

# A command of the terminal client, about this script's server unless the caller names another one. In the caller's
# folder: paths are his.
become_client() {
	[ -x "$BIN" ] || die "not set up yet: ./reqpm.sh setup"
	unlock
	cd "$CALLER" || die "the folder $CALLER is not there any more"
	export REQPM_PROGRAM=$SELF
	# The token of this server is no other's business.
	[ -n "${REQPM_SERVER:-}" ] || export REQPM_SERVER=$URL REQPM_DATA_DIR=$DATA
	exec "$BIN" "$@"
}

# A browser may change things after this link was opened in it. Without one the server runs all the same.
sign_in() { REQPM_SERVER=$URL REQPM_DATA_DIR=$DATA "$BIN" login >&2 || :; }

# What the command line says of port, data and addresses is what counts for this script, too.
BINDS=()
take_server_options() {
	local name value
	while [ $# -gt 0 ]; do
		case $1 in --*=*) name=${1%%=*} value=${1#*=} ;; *) name=$1 value=${2-} ;; esac
		case $name in
		--port) use_port "$value" ;;
		--data-dir) MEANT=$(absolute "$value") ;;
		--bind) BINDS+=("$value") ;;
		esac
		shift
	done
}

local_url() { # $1: the address that the server says it serves
	local host=${BINDS[0]-localhost} b
	for b in "${BINDS[@]}"; do case $b in localhost | 127.0.0.1 | 0.0.0.0 | ::) host=localhost ;; esac; done
	case $host in
	localhost) printf 'http://127.0.0.1:%s\n' "$PORT" ;;
	*) case $1 in
		http://127.0.0.1:*) case $host in *:*) printf 'http://[%s]:%s\n' "$host" "$PORT" ;; *) printf 'http://%s:%s\n' "$host" "$PORT" ;; esac ;;
		*) printf '%s\n' "$1" ;;
		esac ;;
	esac
}

make_logs() {
	[ -d "$LOGS" ] || { mkdir -p "$LOGS" && chmod 755 "$LOGS"; } 2>/dev/null || die "no folder $LOGS: set REQPM_LOG_DIR to one that can be made"
	{ : >"$RUN.out" && : >"$RUN.err"; } 2>/dev/null || die "$LOGS takes no file: the disk is full, or it is somebody else's; REQPM_LOG_DIR names another"
	[ "$(id -u)" != 0 ] || for f in server worker; do touch "$LOGS/$f.log" && chown reqpm: "$LOGS/$f.log"; done
}

note_server() { # $1: its process, or that which becomes it
	{ printf '%s\n' "$1" "$URL" "$DATA" "$(birth "$1")" >"$RUN.pid"; } 2>/dev/null || { kill "$1"; wait "$1"; rm -f "$RUN.pid"; die "$LOGS takes no file: the disk is full"; }
}

# The server outlives the caller: a lock or a pipe that he holds is not to be held by it.
close_inherited() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
}

start() { # options of `serve`
	local pid served
	take_server_options "$@"
	find_server
	if pid=$(server_pid); then say "the server runs already (process $pid, $URL)"; return 0; fi
	make_logs
	(close_inherited && cd "$CALLER" && exec setsid "$BIN" serve --port "$PORT" --data-dir "$DATA" --log-file "$LOGS/server.log" \
		--worker-log-file "$LOGS/worker.log" "$@" >"$RUN.out" 2>"$RUN.err" </dev/null) &
	pid=$!
	note_server "$pid" # whoever is interrupted now can stop it all the same
	# Its own word that it serves: at its address somebody else might answer.
	for _ in $(seq 300); do
		served=$(sed -n 's/^reqpm serves //p' "$RUN.out")
		[ -z "$served" ] || break
		alive "$pid" || break
		sleep 0.1
	done
	if [ -z "$served" ] && ! alive "$pid"; then
		rm -f "$RUN.pid"
		[ -s "$RUN.err" ] || die "the server did not start; see $LOGS/server.log"
		cat "$RUN.err" >&2
		wait "$pid"
		exit
	fi
	[ -n "$served" ] || die "the server (process $pid) does not serve after 30 s; see $LOGS/server.log"
	URL=$(local_url "$served")
	note_server "$pid"
	say "the server runs: $URL (data in $DATA, logs in $LOGS)"
}

stop() {
	local pid
	pid=$(server_pid) || { say "no server runs on port $PORT"; return 0; }
	kill -TERM "$pid" || die "process $pid cannot be signalled: it is somebody else's"
	for _ in $(seq 150); do
		alive "$pid" || { rm -f "$RUN.pid"; say "stopped"; return 0; }
		sleep 0.1
	done
	die "the server (process $pid) has not ended within 15 s; see $LOGS/server.log"
}

# The same data again, unless the options say otherwise.
restart() { # options of `serve`
	take_server_options "$@"
	find_server
	MEANT=$DATA
	stop && start "$@"
}

show_logs() {
	case ${1:-all} in
	server | worker) set -- 50 "$LOGS/$1.log" ;;
	all) set -- 30 "$LOGS/server.log" "$LOGS/worker.log" ;;
	*) say "logs of what? server, worker or all"; exit 2 ;;
	esac
	[ -e "$2" ] || die "there is no $2: no server was started with its logs there (REQPM_LOG_DIR)"
	exec tail -n "$1" -F "${@:2}"
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
	unlock
	# Started in the background, a shell hands down ignored signals, which tests send.
	exec env --default-signal REQPM_NODE="$(command -v node)" bash tests/run.sh "$@"
}

# ----

usage() {
	cat <<'TEXT'
usage: ./reqpm.sh COMMAND

  build PATH… [OPTION…]  set everything up, start the server if none runs, build and watch
  setup                  install what is missing and compile out/release/reqpm
  start | stop | restart the server on REQPM_PORT (8000), with its data in REQPM_DATA_DIR; start and
                         restart take the options of `reqpm serve`
  status                 what runs and how; exit 0 only when all is well
  login                  print a new link that signs a browser in, once
  logs [server|worker|all], in REQPM_LOG_DIR (logs/)
  watch | list | show | log | cancel | delete | retry
                         the other commands of out/release/reqpm, about this server; each has --help
  test [--long]          set up and run every test
  check                  format, architecture, warnings with gcc and clang, clang-tidy
TEXT
}

command=${1:-help}
[ $# -gt 0 ] && shift
find_server
case $command in
build)
	# What leads to no build installs and starts nothing.
	[ $# -gt 0 ] || { say "build what? ./reqpm.sh build PATH…, with folders of specs, source RPMs or a packages.json"; exit 2; }
	case " $* " in *" --help "* | *" -h "*) [ ! -x "$BIN" ] || become_client build --help ;; esac
	setup
	# Who names a server means that one.
	[ -n "${REQPM_SERVER:-}" ] || answers || start
	become_client build "$@"
	;;
setup) setup && say "ready: $BIN" ;;
start | restart)
	setup || exit # before the old one goes
	case " $* " in *" --help "* | *" -h "*) exec "$BIN" serve --help ;; esac
	"$command" "$@" && sign_in
	;;
stop) stop ;;
status | login | watch | list | show | log | cancel | delete | retry) become_client "$command" "$@" ;;
logs) show_logs "$@" ;;
test) run_tests "$@" ;;
check) setup && install_packages "to check reqpm" TEST && unlock && exec bash tests/check.sh ;;
help | -h | --help) usage ;;
*)
	say "there is no command $command"
	usage >&2
	exit 2
	;;
esac
