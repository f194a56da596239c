# Stopping and continuing a child.
# shells: bash zsh mksh ash
state() { while read -r key value rest; do [ "$key" = State: ] && echo "$value"; done </proc/$p/status; }
until_state() { i=0; while [ "$(state)" != "$1" ] && [ $i -lt 100 ]; do sleep 0.02; i=$((i + 1)); done; state; }
(exec sleep 30) & p=$!
until_state S
kill -STOP $p; until_state T
kill -CONT $p; until_state S
kill -STOP $p; kill -TERM $p; until_state T
kill -CONT $p; wait $p 2>/dev/null; echo "ended $?"
sh -c 'kill -STOP $$; echo woken; exit 3' & p=$!
until_state T
kill -CONT $p; wait $p; echo "status $?"
(exec sleep 30) & p=$!
kill -STOP $p; until_state T; kill -KILL $p; wait $p 2>/dev/null; echo "killed $?"
