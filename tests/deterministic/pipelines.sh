# Pipelines whose parts run at the same time.
i=0
while [ $i -lt 300 ]; do echo "$i $((i * 7919 % 1000)) word$((i % 17))"; i=$((i + 1)); done > data
sort -k2,2n data | head -n 5
awk '{ n[$3]++; s += $2 } END { for (w in n) print w, n[w]; print s }' data | sort | tail -n 4
cut -d' ' -f3 data | sort | uniq -c | sort -rn | sed -n 1,3p
tr a-z A-Z < data | grep -c WORD1 | cat | cat | cat
