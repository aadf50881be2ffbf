#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs every suite and ends with `N passed, N failed`. Called by `./reqpm.sh test`, which has installed what they need.
#   release, gcc            unit, contract, scenarios, fuzz corpora, architecture
#   clang, address+undefined  unit, fuzz corpora, contract, scenarios
#   gcc, thread               unit, contract, scenarios
# --long adds the campaigns that take hours.
set -u
cd "$(dirname "$0")/.." || exit 1
LONG=${1:-}
passed=0 failed=0 names=() before=$SECONDS

count() { # name, passed, failed, skipped; a suite that ran no test has failed
	[ "${2:-0}" -gt 0 ] || set -- "$1" 0 "$((${3:-0} > 0 ? $3 : 1))" "${4:-0}"
	passed=$((passed + $2)) failed=$((failed + $3))
	printf '%-46s %5d passed %3d failed %5d s' "$1" "$2" "$3" $((SECONDS - before))
	[ "${4:-0}" = 0 ] && echo || printf '  %d skipped\n' "$4"
	before=$SECONDS
	[ "$3" -eq 0 ] || names+=("$1")
}

# Tests say in a line "# SKIP reason" why they do not run. What is installed for the tests is here, so only what this user or machine
# cannot do counts as a reason; under the sanitizers all do, for what is left out there ran before.
may_skip() { # reason
	case $1 in
	"only root "*) [ "$(id -u)" != 0 ] ;;
	"no file system can be mounted here") ! unshare -m mount -t tmpfs none /mnt 2>/dev/null ;;
	*) [ -n "${REQPM_QUICK:-}" ] ;;
	esac
}

unexcused() { # log, skipped: how many of these may not be
	local n=$2 line reason
	while IFS= read -r line; do
		reason=${line##*# SKIP}
		if may_skip "${reason# }"; then n=$((n - 1)); else echo "may not be skipped: $line" >&2; fi
	done < <(grep '# SKIP' "$1")
	echo $((n > 0 ? n : 0))
}

total() { awk '{n += $1} END {print n + 0}'; }

setup_folder() { # folder, environment, options
	local dir=$1 vars=$2
	shift 2
	# shellcheck disable=SC2086
	[ -f "$dir/build.ninja" ] || env $vars meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; return 1; }
	# It was made for building packages, before there was cmocka.
	[ -d "$dir/tests/unit" ] || meson setup --reconfigure "$dir" >"$dir.log" 2>&1 || { cat "$dir.log"; return 1; }
	ninja -C "$dir" >"$dir.log" 2>&1 || { tail -n 60 "$dir.log"; return 1; }
}

meson_suites() { # name, folder, suites…
	local name=$1 dir=$2 log
	shift 2
	log=$dir/meson-logs/testlog.txt
	local args=()
	for s in "$@"; do case $s in -*) args+=(--no-suite "${s#-}") ;; *) args+=(--suite "$s") ;; esac; done
	meson test -C "$dir" --no-rebuild --print-errorlogs "${args[@]}" >"$dir/run.log" 2>&1
	local ok bad skipped
	ok=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$dir/run.log") bad=$(sed -n 's/^\(Fail\|Timeout\|Unexpected Pass\): *//p' "$dir/run.log" | total)
	skipped=$({ sed -n 's/^Skipped: *//p' "$dir/run.log"; sed -n 's/ SKIPPED TEST(S)$//p' "$log"; } | total) # programs, their tests
	[ -n "$ok" ] || { ok=0 bad=1; tail -n 40 "$dir/run.log"; }
	[ "$bad" = 0 ] || sed -n '/=====/,$p' "$dir/run.log" | tail -n 150
	count "$name" "$ok" $((bad + $(unexcused "$log" "$skipped"))) "$skipped"
}

# A test of none of these suites would never run, and nobody would miss it.
all_in_suites() { # folder, suites…
	local list=(meson test -C "$1" --no-rebuild --list) all run orphans
	shift
	all=$("${list[@]}") && run=$("${list[@]}" "${@/#/--suite=}") || { echo "$all"; return 1; }
	orphans=$(comm -23 <(sort <<<"$all") <(sort <<<"$run"))
	[ -z "$orphans" ] || { printf 'of no suite that is run:\n%s\n' "$orphans"; return 1; }
}

node_suite() { # name, binary folder, files…
	local name=$1 dir=$2 log=$2/node.log
	shift 2
	[ -e "$1" ] || return 0
	REQPM_BIN=$PWD/$dir/reqpm "${REQPM_NODE:-node}" --test --test-concurrency=3 --test-reporter=tap "$@" >"$log" 2>&1
	local ok bad skipped
	ok=$(sed -n 's/^# pass //p' "$log" | tail -n 1) bad=$(sed -n 's/^# \(fail\|cancelled\) //p' "$log" | total)
	skipped=$(sed -n 's/^# \(skipped\|todo\) //p' "$log" | total)
	[ -n "$ok" ] || { ok=0 bad=1; tail -n 40 "$log"; }
	[ "$bad" = 0 ] || grep -A40 '^ *not ok' "$log" | head -n 200
	count "$name" "$ok" $((bad + $(unexcused "$log" "$skipped"))) "$skipped"
}

json_field() { "${REQPM_NODE:-node}" -e 'try { console.log(JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]) } catch { console.log(process.argv[3]) }' "$@"; }

check() {
	local name=$1
	shift
	if "$@" >out/check.log 2>&1; then count "$name" 1 0; else cat out/check.log; count "$name" 0 1; fi
}

mkdir -p out
suites=(unit contract fuzz) # Meson's; the contract of our HTTP and WebSocket is tested with node
check "architecture" bash tests/architecture.sh
if setup_folder out/release "" --buildtype=release; then
	check "every test is of a suite that is run" all_in_suites out/release "${suites[@]}"
	meson_suites "release: unit, seams and fuzz corpora" out/release "${suites[@]}"
	node_suite "release: contract and scenarios" out/release tests/contract/*.test.mjs tests/scenarios/*.test.mjs
else
	count "release does not compile" 0 1
fi
# Compiled at leisure while the page is tested, which waits for much.
asan_folder() { setup_folder out/asan "CC=clang-14" -Db_sanitize=address,undefined --buildtype=debugoptimized; }
tsan_folder() { setup_folder out/tsan "" -Db_sanitize=thread --buildtype=debugoptimized; }
(renice -n 10 "$BASHPID" && asan_folder && tsan_folder) >/dev/null 2>&1 &
check "front end: types and lint" sh -c 'cd frontend && npm run --silent lint'
check_vitest() { rm -f out/vitest.json && (cd frontend && npx vitest run --reporter=json --outputFile="$PWD/../out/vitest.json") >out/vitest.log 2>&1; }
check_vitest || tail -n 80 out/vitest.log
vitest() { json_field out/vitest.json "num$1Tests" "$2"; }
skipped=$(($(vitest Pending 0) + $(vitest Todo 0)))
count "front end: vitest" "$(vitest Passed 0)" $(($(vitest Failed 1) + skipped)) $skipped
(cd frontend && REQPM_BINARY=$PWD/../out/release/reqpm npx playwright test -c ../tests/e2e/playwright.config.mjs) >out/e2e.log 2>&1 || tail -n 120 out/e2e.log
e2e() { grep -E "^ *[0-9]+ ($1)" out/e2e.log | total; }
count "release: the page in Chromium" "$(e2e passed)" "$(e2e 'failed|flaky|interrupted|did not run|skipped')" "$(e2e skipped)"
# A copy, because an ordinary user's server reads it too, and the checkout may be where he cannot go.
suppressions=$(mktemp) && trap 'rm -f "$suppressions"' EXIT && cp tests/tsan.supp "$suppressions" && chmod 644 "$suppressions"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$suppressions
export REQPM_QUICK=1 # what takes long and is the same under a sanitizer ran above
wait
if asan_folder; then
	meson_suites "clang, address+undefined: unit" out/asan "${suites[@]}"
	node_suite "clang, address+undefined: contract, scenarios" out/asan tests/contract/*.test.mjs tests/scenarios/*.test.mjs
else
	count "clang build does not compile" 0 1
fi
if tsan_folder; then
	# The keeper and its launchers have one thread each: there is nothing to see, and the sanitizer's own thread forbids the
	# launcher a user namespace of its own, which build roots of layers need.
	meson_suites "gcc, thread: unit" out/tsan unit contract -sandbox
	mapfile -t without_layers < <(ls tests/scenarios/*.test.mjs | grep -v -e /rpm -e /soft)
	node_suite "gcc, thread: contract and scenarios" out/tsan tests/contract/*.test.mjs "${without_layers[@]}"
else
	count "gcc thread build does not compile" 0 1
fi
[ "$LONG" = --long ] && [ -f tests/long.sh ] && . tests/long.sh

[ ${#names[@]} -eq 0 ] || printf 'failed: %s\n' "${names[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
