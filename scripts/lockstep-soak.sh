#!/bin/sh
# Runs real aarch64 programs on two CPU backends at once until the time is over, and fails at the first difference:
#
#   scripts/lockstep-soak.sh [SECONDS]       1800 by itself
#
#   SEVM          the program (target/release/sevm of CARGO_TARGET_DIR)
#   LOCKSTEP      the backends (translate,unicorn)
#   SEVM_CACHE    where scripts/fetch-arm64.sh keeps what it fetches
set -eu

here=$(dirname "$0")
seconds=${1:-1800}
cache=${SEVM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sevm}
sevm=${SEVM:-${CARGO_TARGET_DIR:-$cache/target}/release/sevm}
backends=${LOCKSTEP:-translate,unicorn}
busybox=$(sh "$here/fetch-arm64.sh" busybox-static bin/busybox)
tree=${SEVM_TREE:-$cache/arm64/trees/tools}
[ -d "$tree" ] || { echo "lockstep-soak: no $tree; 'cargo test --release --test tree' makes it" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
end=$(($(date +%s) + seconds))
runs=0
round=0

awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%d line %d of %d\n", i * 7919 % 9973, i, i % 97 }' >"$work/text"

"$sevm" run "$busybox" --list >"$work/applets"

echo "4*a(1); 2^200; quit" >"$work/bc"

# check NAME COMMAND...: runs it, unless the time is over.
check() {
    name=$1
    shift
    [ "$(date +%s)" -lt $end ] || { echo "lockstep-soak: $runs runs in $seconds s without a difference" && exit 0; }
    status=0
    (cd "$work" && LC_ALL=C timeout -s KILL 900 "$@" >out 2>err </dev/null) || status=$?
    if [ $status -eq 137 ]; then
        # Too long on this machine, which is no difference.
        echo "lockstep-soak: $name was stopped after 900 s"
        return 0
    fi
    if [ $status -ne 0 ]; then
        echo "lockstep-soak: $name ended with $status after $runs runs" >&2
        head -c 20000 "$work/err" >&2
        exit 1
    fi
    runs=$((runs + 1))
}

# Programs of the tree see the work directory as /work, static ones are run where it is.
in_tree() {
    name=$1
    shift
    check "$name" "$sevm" run --cpu "lockstep:$backends" --root "$tree" --bind "$work:/work" --cwd /work "$@"
}
applet() {
    grep -qx -e "$1" "$work/applets" || return 0
    check "busybox $1" "$sevm" run --cpu "lockstep:$backends" "$busybox" "$@"
}

while :; do
    round=$((round + 1))
    export ROUND=$round
    for sum in md5sum sha1sum sha256sum sha512sum sha3sum cksum crc32 sum; do applet $sum text; done
    applet gzip -kf text
    applet gunzip -c text.gz
    applet bzip2 -kf text
    applet bunzip2 -c text.bz2
    applet sort -n text
    applet sort -k4,4 -k1,1n text
    applet awk '{ n[$1 % 101] += NF; s = s substr($0, 1, 3) } END { for (k in n) t += n[k]; print t, length(s) }' text
    applet sed -e 's/\([0-9]*\) line/<\1>/' -e '/7/d' text
    applet grep -c '9.*[13]7$' text
    applet od -A d -t x2 text
    applet tar cf t.tar text
    applet tr a-y b-z
    applet wc text
    applet dc -e '2 200 ^ p 7 % p'
    applet bc -l "$work/bc"
    applet seq -w 1 2000
    applet diff text text
    applet hexdump -C text
    applet uuencode -m text name
    applet factor "$((round * 1000003 + 12345678901))"
    applet sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i + 1)); x=$x$((i * ROUND % 7)); done; echo "$x" | sed s/1/one/g | md5sum'
    in_tree bash bash -c 'declare -A m; for ((i = 0; i < 400; i++)); do m[$((i * ROUND % 37))]+=$i; done; echo "${!m[@]} ${m[@]}"; [[ abc$ROUND =~ ([a-z]+)([0-9]+) ]]; echo "${BASH_REMATCH[2]}"'
    in_tree "bash pipes" bash -c 'seq 300 | sort -rn | paste -sd, | tr 0-4 a-e | sha256sum; diff <(seq 30) <(seq 1 2 30) | wc -l; printf "%05.1f|%q\n" 2.25 "a b"'
    in_tree python3 python3 -c 'import json, hashlib, os
n = int(os.environ["ROUND"])
d = {str(i): [i * n / 7, -i, None, "ä" * (i % 5)] for i in range(60)}
assert json.loads(json.dumps(d)) == d
print(hashlib.sha256(json.dumps(d).encode()).hexdigest(), 3 ** (200 + n) % 1000007, sum(x ** 0.5 for x in range(500)))'
    in_tree "python3 math" python3 -c 'import math, decimal, re, random, struct, zlib
random.seed(7)
for i in range(20):
    x = random.uniform(-1e3, 1e3) * 10 ** random.randint(-20, 20)
    print(repr(x), math.sin(x), math.exp(min(x, 700)), math.log(abs(x)), math.gamma(abs(x) % 100 + 0.1), struct.pack("<fe", max(min(x, 1e30), -1e30), x % 1000))
print(decimal.Decimal(2).sqrt(), zlib.crc32(zlib.compress(bytes(range(256)) * 20)), re.sub(r"(\d+)(?=9)", r"<\1>", "1929394959"))'
    in_tree perl perl -e 'my %h; for my $i (1 .. 2000) { $h{$i % 97} .= chr(65 + $i * $ENV{ROUND} % 26) } my $s = join "", map { $h{$_} } sort { $a <=> $b } keys %h; $s =~ s/(A+)B?/<$1>/g; printf "%s %d %.15g\n", substr($s, 0, 60), length $s, atan2(1, 3) ** 1.5; print join(",", map { sprintf "%x", $_ } unpack "N*", pack "w*", 1 .. 50), "\n"'
    in_tree lua lua5.4 -e 'local t = {} for i = 1, 1500 do t[i] = tostring(i * 7919 % 1009) end table.sort(t) print(table.concat(t, " ", 1, 40), string.format("%q %a %.14g", "x\0y", 1 / 3, 2 ^ 0.5)) local s = 0 for i = 1, 2000 do s = s + math.sin(i) * i // 3 end print(s, string.pack("<i4d", 7, s):byte(1, -1))'
    in_tree sqlite3 sqlite3 :memory: "create table t(a integer, b text); with recursive n(i) as (select 1 union all select i + 1 from n where i < 800) insert into t select i * 7919 % 1003, 'text ' || i from n; create index x on t(a); select count(*), sum(length(b)), avg(a), max(b) from t where a % 3 = 1; select a, group_concat(b) from t group by a limit 5; select round(1.0 / 3, 10), upper(hex(randomblob(0))), printf('%.12g', 2.5e-7);"
    for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512 sm3 ripemd160; do in_tree "openssl $digest" openssl dgst -$digest -provider default -provider legacy text; done
    for cipher in aes-128-cbc aes-256-ctr aes-128-ecb aria-128-cbc camellia-128-cbc chacha20 sm4-cbc des3; do
        in_tree "openssl $cipher" openssl enc -$cipher -nosalt -pbkdf2 -pass pass:x -in text -out cipher.$cipher
    done
    in_tree "openssl genrsa" openssl genrsa -out k.pem 512
    in_tree "openssl sign" openssl dgst -sha256 -sign k.pem -out sig text
    in_tree "openssl ec" openssl ecparam -name prime256v1 -genkey -noout -out e.pem
    in_tree "openssl ed25519" openssl genpkey -algorithm ed25519 -out d.pem
    in_tree gawk gawk 'BEGIN { for (i = 0; i < 900; i++) { a[i % 31] = a[i % 31] i; s += sqrt(i) * cos(i) } n = asorti(a, k); print n, s, length(a[7]), gensub(/(1+)2/, "<\\1>", "g", a[5]) }'
    in_tree jq jq -n -c '[range(200) | {a: ., b: (. * 1.5 | tostring), c: (. % 7)}] | group_by(.c) | map({k: .[0].c, n: length, s: (map(.a) | add)})'
    in_tree git git hash-object text
    in_tree xz tar czf t.tgz text
    in_tree coreutils sort -R --random-source=text text
    in_tree date date -u -d @86400 +%c
done
