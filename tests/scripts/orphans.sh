# Grandchildren outlive their parent.
# shells: bash zsh mksh ash
mkfifo f
sh -c '(sleep 0.3; echo "grandchild" >f) & echo parent ends'
cat f
x=$( (sleep 0.2; echo held open) & echo first); echo "$x"
parent() { while read -r key value; do [ "$key" = PPid: ] && echo "$value"; done </proc/$1/status; }
sh -c 'sleep 3 & echo $!' >pid; read -r p <pid
i=0; while [ "$(parent $p)" = "" ] && [ $i -lt 5 ]; do i=$((i + 1)); done
kill -0 $p && echo "still there"
[ "$(parent $p)" != "$$" ] && echo "not mine"
wait $p 2>/dev/null; echo "cannot wait: $?"
kill $p; rm pid
