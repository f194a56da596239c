# Sorting in parts at the same time, then merging.
# shells: bash zsh mksh ash
# seconds: 120
awk 'BEGIN { x = 7; for (i = 0; i < 8000; i++) { x = (x * 1103515245 + 12345) % 2147483648; print int(x / 65536) } }' >data
for n in 0 1 2 3; do tail -n +$((n * 2000 + 1)) data | head -n 2000 >p.a$n; done
for f in p.a?; do sort -n $f >$f.s & done
wait
cat p.a?.s | sort -n >all; sort -n data | cmp - all && echo merged
wc -l <all; head -n 2 all; tail -n 1 all; uniq all | wc -l
rm -f p.* data all
