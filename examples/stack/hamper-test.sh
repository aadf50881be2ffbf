# SPDX-License-Identifier: MIT
# Packs the samples and looks at them in every way that hamper has.
set -eu
samples=${SAMPLES:-/usr/share/hamper/samples}

fail()
{
	echo "FAILED: $1"
	exit 1
}

rm -rf in out
mkdir -p in/deep/er
cp "$samples"/* in
cp "$samples/prose.txt" in/deep/er
chmod 0750 in/prose.txt

(cd in && hamper pack ../all.hamper SHA256SUMS *.txt *.csv *.bin deep/er/prose.txt)
hamper verify all.hamper
hamper list all.hamper
[ "$(hamper list all.hamper | wc -l)" -eq 10 ] || fail "the list has a header, a rule and 8 files"
echo "ok: the list has all files"

hamper unpack all.hamper out
diff -r in out || fail "what comes out is what went in"
(cd out && sha256sum --quiet --check SHA256SUMS) || fail "what comes out has its sums"
[ "$(stat -c %a out/prose.txt)" = 750 ] || fail "modes are kept"
echo "ok: what comes out is what went in"

hamper report all.hamper
hamper report all.hamper > report
grep -q "sha256 $(sha256sum < in/noise.bin | cut -d' ' -f1)" report || fail "the report has the sums"
hamper report all.hamper html > report.html
[ "$(grep -c '<tr><td>' report.html)" -eq 8 ] || fail "the page has a row for each file"
echo "ok: the reports have all files"

[ "$(stat -c %s all.hamper)" -lt 300000 ] || fail "924 KB fit in 300 KB"
echo "ok: the archive is small"

n=0
while [ $n -lt 200 ]; do
	n=$((n + 1))
	cp all.hamper damaged.hamper
	printf '\377\000\377' | dd of=damaged.hamper bs=1 seek=$((n * 1187)) conv=notrunc status=none
	if hamper verify damaged.hamper > said 2>&1; then fail "damage at $((n * 1187)) is not seen"; fi
done
echo "ok: 200 damages are seen"

if (cd in && hamper pack ../x.hamper ../report) 2> said; then fail "../report is packed"; fi
grep -q 'leads out of the archive' said || fail "a name that leads out is named"
if hamper pack x.hamper report no-such-file 2> said; then fail "a missing file is packed"; fi
grep -q 'no-such-file: No such file' said || fail "a missing file is named"
[ ! -e x.hamper ] || fail "a failure leaves no archive"
echo "ok: a failure leaves no archive"
