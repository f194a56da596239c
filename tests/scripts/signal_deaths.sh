# Statuses of processes that die by signals.
# core
# shells: bash zsh mksh ash
for s in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM USR1 USR2; do
    sh -c "ulimit -c 0; kill -$s \$\$; sleep 1" 2>/dev/null
    echo "$s $?"
done 2>/dev/null
(sh -c 'kill -9 $$'; echo "inner $?") 2>/dev/null
sh -c 'trap "" TERM; kill -TERM $$; echo survived'
sh -c 'trap "exit 3" TERM; kill -TERM $$; echo no'; echo $?
(exec sleep 5) & kill -KILL $!; wait $! 2>/dev/null; echo "job $?"
kill -TERM 999999 2>/dev/null || echo "no such process"
kill -l 15
