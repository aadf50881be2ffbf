#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compares the table in docs/architecture.md (folder | job | may include) with the #include lines, keeps SQL where it belongs, and
# sees that no writer goes untested.
# A folder may include itself and what its row names; a row that nothing uses is wrong as well.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
fail() { printf '%s\n' "$*"; bad=1; }

# Rows: | `core/http` | … | `core/base` |
table=$(sed -n '/^| *folder *| *job *| *may include/,/^$/p' docs/architecture.md | sed -n 's/^| *`\([^`]*\)` *|[^|]*| *\(.*\) *|$/\1 \2/p' | tr -d '`,')
[ -n "$table" ] || { echo "docs/architecture.md has no table folder | job | may include"; exit 1; }

folder_of() { # backend/core/http/x.c -> core/http; backend/main.c -> .
	local f=${1#backend/}
	case $f in */*) printf '%s\n' "${f%/*}" ;; *) printf '.\n' ;; esac
}

declare -A may used seen
while read -r folder includes; do may[$folder]=" $includes "; seen[$folder]=0; done <<<"$table"

while IFS=: read -r file line; do
	from=$(folder_of "$file")
	header=$(sed -n 's/.*#include "\([^"]*\)".*/\1/p' <<<"$line")
	case $header in */*) to=${header%/*} ;; *) to=. ;; esac
	[ -n "${may[$from]+x}" ] || { fail "$file: folder $from has no row in docs/architecture.md"; continue; }
	seen[$from]=1
	[ "$from" = "$to" ] && continue
	case ${may[$from]} in
	*" $to "*) used["$from $to"]=1 ;;
	*) fail "$file includes $header: docs/architecture.md does not let $from include $to" ;;
	esac
done < <(find backend -name '*.[ch]' | sort | xargs grep -H '#include "')

for from in "${!may[@]}"; do
	[ "${seen[$from]}" = 1 ] || fail "docs/architecture.md has a row for $from, where no file is"
	for to in ${may[$from]}; do
		[ "$to" = - ] || [ -n "${used["$from $to"]+x}" ] || fail "docs/architecture.md lets $from include $to, which nothing does"
	done
done

sql=$(find backend -name '*.c' | grep -v -e '/models[a-z_]*\.c$' -e '/migrations\.c$' -e '^backend/core/store/' |
	xargs grep -nE '"[^"]*(SELECT .* FROM |INSERT INTO|DELETE FROM|UPDATE [a-z_]+ SET)' || true)
[ -z "$sql" ] || fail "SQL outside models*.c, migrations.c and core/store:"$'\n'"$sql"

# What a writer publishes is a test's to say, writer by writer.
writers=$(sed -n '/^\/\* ---- writers/,/^\/\* ---- readers/s/^int \([a-z_]*\)(.*/\1/p' backend/apps/builds/builds.h)
[ -n "$writers" ] || fail "builds.h declares no writers between '/* ---- writers' and '/* ---- readers'"
for writer in $writers; do
	grep -q "\b$writer(" tests/unit/apps/builds/models_test.c ||
		fail "$writer() of builds.h is not run by tests/unit/apps/builds/models_test.c: say there what it publishes"
done

[ $bad = 0 ] && echo "the includes match docs/architecture.md"
exit $bad
