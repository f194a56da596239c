# jobs, disown, fg and bg in a script.
# shells: bash
set -m
sleep 20 & sleep 30 &
jobs | sed 's/  */ /g'
jobs -p | wc -l
kill %2; wait %2; echo $?
p=$(jobs -p %1); disown %1; jobs; kill $p
sleep 0.3 & fg %1 >/dev/null; echo "foreground $?"
sleep 30 & kill -STOP %1; sleep 0.2; jobs | sed 's/  */ /g'
bg %1 >/dev/null; sleep 0.1; jobs -r | wc -l
# Who tells of the ended job, and where, depends on when the shell heard of its end.
{ kill %1; wait; jobs; } >/dev/null 2>&1; jobs | wc -l
