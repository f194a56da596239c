# Subshells reset traps; ignored signals stay ignored.
# shells: bash zsh mksh ash
trap 'echo parent' USR1
trap '' USR2
sh -c 'kill -USR2 $$; echo "usr2 ignored"'
# The process id of the subshell that calls it: the parent of what it starts.
me() { sh -c 'echo $PPID' >pid; read -r me <pid; rm pid; }
(me; kill -USR1 "$me"; echo no) 2>/dev/null; echo "died of it: $?"
(trap 'echo own' USR1; me; kill -USR1 "$me"; echo yes)
(trap - USR2; me; kill -USR2 "$me"; echo "still here")
kill -USR1 $$
