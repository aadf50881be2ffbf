# SPDX-License-Identifier: MIT
set -eu
samples=${SAMPLES:-/usr/share/hamper/samples}

fail()
{
	echo "FAILED: $1"
	exit 1
}

same()
{
	[ "$2" = "$3" ] || fail "$1: have \"$2\", expected \"$3\""
	echo "ok: $1"
}

printf 'name,wish\nAnn,"tea & cake"\nÅsa,coffee\n' > guests.csv
printf '{{title|upper}}\n{{#rows}}\n{{number}} {{name|upper}}: {{wish|html}}\n{{/rows}}\n' > list
same "rows and values" "$(wickfill list guests.csv title=guests)" "GUESTS
1 ANN: tea &amp; cake
2 ÅSA: coffee"

if wickfill list guests.csv 2> out; then fail "a missing value passes"; fi
same "a missing value is named" "$(cat out)" \
	'wickfill: list: line 1: there is no value "title"'

printf 'name\n' > nobody.csv
printf '{{#rows}}{{name}}{{/rows}}{{^rows}}nobody comes{{/rows}}' > empty
same "an empty table" "$(wickfill empty nobody.csv)" "nobody comes"

printf '{{#rows}}\n{{station}};{{day}}\n{{/rows}}\n' > days
wickfill days "$samples/stations.csv" > one
tail -n +2 "$samples/stations.csv" | cut -d, -f1,2 | tr , ';' > other
cmp one other || fail "20000 rows are what cut says"
echo "ok: 20000 rows are what cut says"
