# ps, pidof and killall see the guest's processes and no others.
# shells: bash zsh mksh
cp "${SHELL_COMMAND%% *}" napper
./napper -c 'echo >a; sleep 60; :' & a=$!
./napper -c 'echo >b; sleep 61; :' & b=$!
while [ ! -e a ] || [ ! -e b ]; do sleep 0.05; done
pidof napper | wc -w
ps -o pid,ppid,comm,args | grep '[n]apper' | while read -r p parent comm rest; do [ "$parent" = $$ ] && echo "mine: $comm $rest"; done
killall napper; wait $a 2>/dev/null; echo $?; wait $b 2>/dev/null; echo $?
pidof napper || echo none
rm -f napper
killall sleep
