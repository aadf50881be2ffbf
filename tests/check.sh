#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a machine can say of the sources without running them: format, includes, warnings with both compilers.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
if command -v clang-format-14 >/dev/null || command -v clang-format >/dev/null; then
	format=$(command -v clang-format-14 || command -v clang-format)
	git ls-files '*.c' '*.h' | xargs "$format" --dry-run --Werror 2>&1 | head -n 40 | grep . && bad=1
else
	echo "clang-format is not here: the format was not checked"
fi
bash tests/architecture.sh || bad=1
for cc in gcc clang-14; do
	dir=out/warnings-$cc
	[ -f "$dir/build.ninja" ] || CC=$cc meson setup "$dir" >/dev/null || bad=1
	ninja -C "$dir" 2>&1 | grep -E 'error:|warning:' && bad=1
done
exit $bad
