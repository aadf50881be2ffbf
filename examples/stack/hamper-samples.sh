#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the sample files in the folder $1, the same bytes every time.
set -eu
cd "$1"

echo "stations.csv: 20000 measurements"
{
	echo 'station,day,temperature,"rain, mm",note'
	seed=7 n=0
	while [ $n -lt 20000 ]; do
		n=$((n + 1)) seed=$(((seed * 1103515245 + 12345) % 2147483648))
		case $((seed / 65536 % 40)) in
		0) note='"said ""never again"""' ;;
		1) note='"gauge frozen, read by hand"' ;;
		*) note= ;;
		esac
		echo "S$((seed / 4096 % 60)),$n,$((seed / 1024 % 500 - 150)),$((seed / 512 % 90)),$note"
	done
} > stations.csv

echo "noise.bin: 65536 bytes without a pattern"
{
	seed=11 n=0
	while [ $n -lt 8192 ]; do
		bytes= n=$((n + 1))
		for i in 1 2 3 4 5 6 7 8; do
			seed=$(((seed * 1103515245 + 12345) % 2147483648)) byte=$((seed / 65536 % 256))
			bytes="$bytes\\0$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
		done
		printf %b "$bytes"
	done
} > noise.bin

echo "zeros.bin: 262144 zero bytes"
head -c 262144 /dev/zero > zeros.bin

echo "numbers.txt: 1 to 40000"
seq 1 40000 > numbers.txt

echo "SHA256SUMS: the sums of all"
sha256sum -- *.bin *.csv *.txt > SHA256SUMS
