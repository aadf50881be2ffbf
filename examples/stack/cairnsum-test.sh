# SPDX-License-Identifier: MIT
# Runs cairnsum on the samples, whose sums another program made.
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

printf 123456789 > digits
same "crc32" "$(cairnsum -a crc32 digits)" "cbf43926  digits"
same "crc32c" "$(cairnsum -a crc32c digits)" "e3069283  digits"
same "adler32" "$(cairnsum -a adler32 digits)" "091e01de  digits"

(cd "$samples" && cairnsum --check SHA256SUMS) || fail "the samples have their sums"
echo "ok: the samples have their sums"

n=0
while [ $n -le 300 ]; do
	head -c $n "$samples/noise.bin" > part
	[ "$(cairnsum part)" = "$(sha256sum part)" ] || fail "sha256 of $n bytes"
	n=$((n + 1))
done
echo "ok: sha256 of 0 to 300 bytes is what sha256sum says"

cairnsum digits > list
printf x >> digits
if cairnsum -c list > out 2>&1; then fail "a changed file passes"; fi
grep -q '^digits: FAILED$' out || fail "a changed file is named"
echo "ok: a changed file is named"

if cairnsum no-such-file 2> out; then fail "a missing file passes"; fi
grep -q 'no-such-file: No such file' out || fail "a missing file is named"
echo "ok: a missing file is named"
