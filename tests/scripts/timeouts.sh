# timeout, and alarms made with background sleepers.
# shells: bash zsh mksh ash
timeout 0.3 sleep 20; echo "timed out: $?"
timeout 20 sh -c 'exit 3'; echo "in time: $?"
{ timeout -s KILL 0.3 sleep 20; } 2>/dev/null; echo "killed: $?"
timeout -s INT 0.3 sh -c 'trap "echo interrupted; exit 9" INT; while :; do sleep 0.1; done'; echo "by INT: $?"
timeout 5 true && echo true
limit() { n=$1; shift; "$@" & j=$!; (sleep "$n"; kill $j 2>/dev/null) >/dev/null & k=$!; wait $j 2>/dev/null; s=$?; kill $k 2>/dev/null; wait $k 2>/dev/null; return $s; }
limit 0.2 sleep 10; echo "limit: $?"
limit 10 true; echo "limit: $?"
time_of() { a=$(date +%s); "$@"; b=$(date +%s); echo $((b - a)); }
t=$(time_of sleep 1); [ "$t" -ge 1 ] && [ "$t" -le 10 ] && echo "a second passed"
