# Process substitution in both directions.
# shells: bash zsh
cat <(echo one) <(echo two)
diff <(seq 5) <(seq 2 6); echo "diff: $?"
paste <(seq 3) <(seq 4 6) <(printf 'a\nb\nc\n')
while read -r n; do s=$((s + n)); done < <(seq 100); echo "sum $s"
seq 10 | tee >(wc -l >lines) >(md5sum >sum) >/dev/null
i=0; while [[ ! -s sum || ! -s lines ]] && ((i++ < 100)); do sleep 0.05; done
cat lines sum
f() { cat "$1" "$2" | sort -n; }
f <(seq 1 2 9) <(seq 2 2 10) | tr '\n' ' '; echo
wc -c < <(head -c 200000 /dev/zero)
echo text > >(sed 's/^/seen: /' >seen); while [[ ! -s seen ]]; do sleep 0.05; done; cat seen
