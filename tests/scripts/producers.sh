# Several producers append to one file; nothing is lost.
# shells: bash zsh mksh ash
for w in a b c d; do
    (i=0; while [ $i -lt 100 ]; do echo "$w $i"; i=$((i + 1)); done >>all) &
done
wait
wc -l <all; sort all | uniq | wc -l
for w in a b c d; do grep "^$w" all | awk '$2 != NR - 1 { bad++ } END { print bad + 0 }'; done
(for w in x y z; do (i=0; while [ $i -lt 200 ]; do echo "$w$i"; i=$((i + 1)); done) & done; wait) | sort | md5sum
rm all
