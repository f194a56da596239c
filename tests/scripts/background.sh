# Background jobs and their statuses.
# core
# shells: bash zsh mksh ash
(sleep 0.2; exit 3) & a=$!
(exit 4) & b=$!
sh -c 'exit 5' & c=$!
wait $c; echo "c: $?"
wait $a; echo "a: $?"
wait $b; echo "b: $?"
wait; echo "all: $?"
[ "$a" != "$b" ] && [ "$b" != "$c" ] && echo different
for i in 1 2 3; do (echo "$i" >"out$i") & done
wait
cat out1 out2 out3
sleep 0.1 | cat & wait $!; echo "a pipeline: $?"
false | sh -c 'exit 6' & wait $!; echo "its last: $?"
kill -0 $$ && echo alive
(exec sleep 100) & p=$!; until read -r c </proc/$p/comm && [ "$c" = sleep ]; do sleep 0.02; done
kill $p; wait $p 2>/dev/null; echo "terminated: $?"
(exec sleep 100) & p=$!; until read -r c </proc/$p/comm && [ "$c" = sleep ]; do sleep 0.02; done
kill -9 $p; wait $p 2>/dev/null; echo "killed: $?"
