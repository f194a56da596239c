# Signals between processes, and traps.
trap 'echo got usr1' USR1
trap 'echo got term; exit 9' TERM
( i=0; while [ $i -lt 5 ]; do kill -USR1 $$; i=$((i + 1)); sleep 0.01; done; kill -TERM $$ ) &
n=0
while :; do n=$((n + 1)); [ $((n % 1000)) -eq 0 ] && echo "round $n"; done
