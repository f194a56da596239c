# ps, pidof and killall see the guest's processes and no others.
# shells: bash zsh mksh
# A name that nothing else on the machine has.
n=nap$$
cp "${SHELL_COMMAND%% *}" $n
# They wait for a writer that never comes.
mkfifo never
./$n -c 'echo >a; read -r x <never; :' 2>/dev/null & a=$!
./$n -c 'echo >b; read -r y <never; :' 2>/dev/null & b=$!
while [ ! -e a ] || [ ! -e b ]; do sleep 0.05; done
pidof $n | wc -w
ps -o pid,ppid,comm,args | grep "[n]ap$$" | while read -r p parent comm rest; do
    [ "$parent" = $$ ] && echo "mine: $comm $rest" | sed "s/$n/napper/g"
done
killall $n; wait $a 2>/dev/null; echo $?; wait $b 2>/dev/null; echo $?
pidof $n || echo none
rm -f $n never
