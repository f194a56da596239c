# Two hundred children at once, each waited for. mksh forgets what more than a few ended with: it waits after each ten.
# shells: bash zsh mksh ash
# seconds: 120
batch=200
case $KSH_VERSION in *MIRBSD*) batch=10 ;; esac
i=0 sum=0 pids=
collect() {
    for p in $(echo $pids); do wait $p; sum=$((sum + $?)); done
    pids=
}
while [ $i -lt 200 ]; do
    (exit $((i % 7))) &
    pids="$pids $!"
    i=$((i + 1))
    [ $((i % batch)) = 0 ] && collect
done
echo "statuses add up to $sum"
