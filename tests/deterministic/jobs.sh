# Background jobs that end in an order of their own, and what wait tells of them.
for n in 1 2 3 4 5 6; do
    ( i=0; while [ $i -lt $((n * 37 % 11 * 20)) ]; do i=$((i + 1)); done; echo "job $n $RANDOM"; exit $n ) &
done
wait
( sleep 0.3; echo late ) &
( sleep 0.1; echo early ) &
wait $!; echo "status $?"
wait
echo "pid $$ last $!"
