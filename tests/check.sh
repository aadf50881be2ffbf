#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a machine can say of the sources without running them: format, includes, warnings with both compilers, clang-tidy.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
if command -v clang-format-14 >/dev/null || command -v clang-format >/dev/null; then
	format=$(command -v clang-format-14 || command -v clang-format)
	find backend tests -name '*.[ch]' -not -path '*/node_modules/*' | xargs "$format" --dry-run --Werror 2>&1 | head -n 40 | grep . && bad=1
else
	echo "clang-format is not here: the format was not checked"
fi
bash tests/architecture.sh || bad=1
for cc in gcc clang-14; do
	dir=out/warnings-$cc
	[ -f "$dir/build.ninja" ] || CC=$cc meson setup "$dir" >/dev/null || bad=1
	ninja -C "$dir" 2>&1 | grep -E 'error:|warning:' && bad=1
done
# Last, because it takes minutes, and as the second compiler was told to compile.
if command -v clang-tidy-14 >/dev/null || command -v clang-tidy >/dev/null; then
	tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
	find backend -name '*.c' |
		xargs -P "$(nproc)" -n 4 "$tidy" -p out/warnings-clang-14 --quiet \
			2> >(grep -v 'warnings* generated' >&2) || bad=1
else
	echo "clang-tidy is not here: what it looks for was not checked"
fi
exit $bad
