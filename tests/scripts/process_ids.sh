# Process ids, in the shell and in /proc.
# shells: bash zsh mksh ash
[ "$(sh -c 'echo $PPID')" -gt 0 ] && echo positive
sh -c 'echo $$ $PPID' >ids; read -r child parent <ids; [ "$parent" = $$ ] && echo "my child"
[ "$child" != $$ ] && echo "another id"
( (exec sleep 5) & echo $! >p; wait) & sleep 0.2
read -r p <p; [ -d /proc/$p ] && echo "in /proc"
tr '\0' ' ' </proc/$p/cmdline; echo
read -r comm </proc/$p/comm; echo "$comm"
kill $p; wait
[ -d /proc/$p ] || echo gone
read -r pid rest </proc/self/stat; [ "$pid" = $$ ] && echo "self is the shell"
readlink /proc/$$/cwd | sed 's|.*/||'
[ -e /proc/$$/fd/0 ] && echo descriptors
rm -f ids p
