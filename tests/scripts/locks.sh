# Locks made with mkdir, and many processes that count under them.
# shells: bash zsh mksh ash
echo 0 >n
lock() { until mkdir lock 2>/dev/null; do sleep 0.01; done; }
add() { i=0; while [ $i -lt 8 ]; do lock; read -r x <n; echo $((x + 1)) >n; rmdir lock; i=$((i + 1)); done; }
add & add & add &
wait
cat n
(set -C; echo $$ >pidfile) 2>/dev/null && echo "got it"
(set -C; echo $$ >pidfile) 2>/dev/null || echo "held"
read -r owner <pidfile; [ "$owner" = $$ ] && echo mine; rm pidfile
ln -s target once && ! ln -s other once 2>/dev/null && readlink once
