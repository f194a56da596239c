# Subshells reset traps; ignored signals stay ignored.
# shells: bash zsh mksh ash
trap 'echo parent' USR1
trap '' USR2
sh -c 'kill -USR2 $$; echo "usr2 ignored"'
me() { sh -c 'echo $PPID'; }
(kill -USR1 "$(me)"; echo no) 2>/dev/null; echo "died of it: $?"
(trap 'echo own' USR1; kill -USR1 "$(me)"; echo yes)
(trap - USR2; kill -USR2 "$(me)"; echo "still here")
kill -USR1 $$
