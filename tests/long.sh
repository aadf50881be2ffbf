# SPDX-License-Identifier: MIT
#
# Sourced by tests/run.sh with --long: the same checks for longer. Benchmarks print; they do not judge.
check "long: 1,000,000 histories of the scheduler" env REQPM_HISTORIES=1000000 out/release/tests/unit/builds_scheduler_simulation_test
for seed in $(seq 1 50); do
	REQPM_SEED=$seed node_suite "long: viewers of a killed server, seed $seed" out/release tests/scenarios/model.test.mjs
done
for n in 1 2 3 4 5; do node_suite "long: kills during one build, round $n" out/release tests/scenarios/crash.test.mjs; done
found=0
for program in nginx caddy haproxy slowhttptest; do
	if PATH=$PATH:/usr/sbin command -v "$program" >/dev/null; then found=1; else echo "long: $program is not here, its tests are skipped"; fi
done
[ "$found" = 0 ] || node_suite "long: proxies" out/release tests/proxy/*.test.mjs
ninja -C out/release tests/bench/fanout tests/bench/order >/dev/null
out/release/tests/bench/fanout 1000 400 1
out/release/tests/bench/fanout 1000 800 8
out/release/tests/bench/order tests/bench/data/specs-1089.dep.gz
for args in "185 1" "185 20" "740 1"; do
	# shellcheck disable=SC2086
	REQPM_BIN=$PWD/out/release/reqpm "${REQPM_NODE:-node}" tests/bench/wide.mjs $args
done
REQPM_BIN=$PWD/out/release/reqpm "${REQPM_NODE:-node}" tests/bench/sandbox.mjs
