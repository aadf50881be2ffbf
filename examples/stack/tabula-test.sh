# SPDX-License-Identifier: MIT
# Runs tabula on small tables and on the large sample, which other programs count too.
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

printf 'fruit,weight\nplum,40\npear,170\napple,150\n' > fruit.csv
same "aligned" "$(tabula fruit.csv)" "fruit  weight
-----  ------
plum       40
pear      170
apple     150"
same "sorted by name" "$(tabula --csv -s fruit fruit.csv | tail -n +2 | head -n 1)" "apple,150"
same "sorted by number" "$(tabula --csv -n -s weight fruit.csv | tail -n 1)" "pear,170"
same "a total" "$(tabula -t weight fruit.csv)" "weight: 360 in 3 numbers of 3 rows"
same "the first row" "$(tabula --csv -k 1 < fruit.csv | tail -n 1)" "plum,40"

sum=0
while IFS=, read -r station day temperature rest; do
	case $day in
	day) ;;
	*) sum=$((sum + temperature)) ;;
	esac
done < "$samples/stations.csv"
same "the total of 20000 temperatures is the shell's" \
	"$(tabula -t temperature "$samples/stations.csv")" \
	"temperature: $sum in 20000 numbers of 20000 rows"

for column in station day temperature note; do
	tabula --csv -s $column "$samples/stations.csv" | sort > one
	sort "$samples/stations.csv" > other
	cmp one other || fail "sorting by $column keeps all rows"
	echo "ok: sorting by $column keeps all rows"
done

tabula --csv -n -s day "$samples/stations.csv" | cmp - "$samples/stations.csv" ||
	fail "what is in order stays as it is"
echo "ok: what is in order stays as it is"

if printf 'a,b\n1\n' | tabula 2> out; then fail "a ragged table passes"; fi
same "a ragged table is named" "$(cat out)" "tabula: -: line 2: 1 cells where the header has 2"
