# wait -n takes whichever ends first.
# shells: bash
(sleep 0.3; exit 1) &
(sleep 0.9; exit 2) &
(exit 3) &
wait -n; echo "first: $?"
wait -n; echo "second: $?"
wait -n; echo "third: $?"
wait -n; echo "none left: $?"
(sleep 0.2; exit 9) & p=$!
wait -n -p who $p; s=$?
[ "$who" = "$p" ] && echo "the right one, $s"
(exit 11) & x=$!
sleep 5 & y=$!
wait -n $x $y; echo "one of two: $?"
kill $y; wait $y; echo "the other: $?"
for n in 1 2 3 4 5 6; do (exit $n) & done
sum=0
while wait -n; s=$?; [ $s -ne 127 ]; do sum=$((sum + s)); done
echo "sum $sum"
