# Two processes that signal each other in turn.
# shells: bash zsh mksh ash
me=$$
n=0
trap 'n=$((n + 1))' USR1
$SHELL_COMMAND -c '
    n=0 over=
    trap "n=\$((n + 1)); kill -USR1 '$me'" USR2
    trap "over=1" TERM
    : >ready
    while [ -z "$over" ]; do sleep 0.02; done
    echo "child saw $n"
' & child=$!
while [ ! -e ready ]; do sleep 0.02; done
i=1
while [ $i -le 10 ]; do
    kill -USR2 $child
    while [ $n -lt $i ]; do sleep 0.01; done
    i=$((i + 1))
done
kill -TERM $child
wait $child
echo "parent saw $n, child ended with $?"
