# Traps for signals that the shell sends itself and its children send it.
# core
# shells: bash zsh mksh ash
trap 'echo usr1' USR1
trap 'echo usr2 >&2' USR2
kill -USR1 $$
kill -USR2 $$
kill -s USR1 $$; echo "status $?"
sh -c "kill -USR1 $$"
echo child done
trap '' USR1
kill -USR1 $$; echo ignored
sh -c 'kill -USR1 $$; echo inherited'
trap - USR1
{ (kill -USR1 $(sh -c 'echo $PPID'); sleep 1; echo unreachable); } 2>/dev/null; echo "default again: $?"
trap 'echo int; exit 7' INT
kill -INT $$
echo not here
