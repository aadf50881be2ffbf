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

count() { # name, passed, failed; a suite that ran no test has failed
	[ "${2:-0}" -gt 0 ] || set -- "$1" 0 "$((${3:-0} > 0 ? $3 : 1))"
	passed=$((passed + $2)) failed=$((failed + $3))
	printf '%-46s %5d passed %3d failed %5d s\n' "$1" "$2" "$3" $((SECONDS - before))
	before=$SECONDS
	[ "$3" -eq 0 ] || names+=("$1")
}

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
	local ok bad
	ok=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$dir/run.log") bad=$(sed -n 's/^\(Fail\|Timeout\|Unexpected Pass\): *//p' "$dir/run.log" | awk '{n+=$1} END {print n+0}')
	[ -n "$ok" ] || { ok=0 bad=1; tail -n 40 "$dir/run.log"; }
	[ "$bad" = 0 ] || { sed -n '/=====/,$p' "$dir/run.log" | tail -n 150; [ -f "$log" ]; }
	count "$name" "$ok" "$bad"
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
	local ok bad
	ok=$(sed -n 's/^# pass //p' "$log" | tail -n 1) bad=$(sed -n 's/^# \(fail\|cancelled\) //p' "$log" | awk '{n+=$1} END {print n+0}')
	[ -n "$ok" ] || { ok=0 bad=1; tail -n 40 "$log"; }
	[ "$bad" = 0 ] || grep -A40 '^ *not ok' "$log" | head -n 200
	count "$name" "$ok" "$bad"
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
check_vitest() { (cd frontend && npx vitest run --reporter=json --outputFile="$PWD/../out/vitest.json") >out/vitest.log 2>&1; }
check_vitest || tail -n 80 out/vitest.log
count "front end: vitest" "$(json_field out/vitest.json numPassedTests 0)" "$(json_field out/vitest.json numFailedTests 1)"
(cd frontend && REQPM_BINARY=$PWD/../out/release/reqpm npx playwright test -c ../tests/e2e/playwright.config.mjs) >out/e2e.log 2>&1 || tail -n 120 out/e2e.log
count "release: the page in Chromium" "$(sed -n 's/^ *\([0-9]*\) passed.*/\1/p' out/e2e.log | tail -n 1)" "$(awk '/^ *[0-9]+ (failed|flaky|interrupted|did not run)/ {n += $1} END {print n + 0}' out/e2e.log)"
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
