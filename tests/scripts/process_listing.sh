# ps, pidof, pgrep and killall see the guest's processes.
# shells: bash ash
cp "$(command -v busybox)" napper
./napper sleep 60 & a=$!
./napper sleep 61 & b=$!
sleep 0.2
pidof napper | wc -w
pgrep -f 'sleep 6[01]' | wc -l
ps -o pid,ppid,comm,args | grep '[n]apper' | while read -r p parent comm rest; do [ "$parent" = $$ ] && echo "mine: $comm $rest"; done
killall napper; wait $a; echo $?; wait $b; echo $?
pidof napper || echo none
