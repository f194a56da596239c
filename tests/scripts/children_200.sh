# Two hundred children at once, each waited for.
# shells: bash zsh mksh ash
# seconds: 120
i=0 pids=
while [ $i -lt 200 ]; do
    (exit $((i % 7))) &
    pids="$pids $!"
    i=$((i + 1))
done
sum=0
for p in $(echo $pids); do wait $p; sum=$((sum + $?)); done
echo "statuses add up to $sum"
