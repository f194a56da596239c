# Megabytes through pipes, with writers and readers of different pace.
# shells: bash mksh ash
head -c 2097152 /dev/zero | tr '\0' 'x' | md5sum
head -c 2097152 /dev/zero | dd bs=4096 2>/dev/null | dd bs=65536 iflag=fullblock 2>/dev/null | wc -c
{ head -c 1000000 /dev/zero; sleep 0.1; head -c 1097152 /dev/zero; } | cat | cat | md5sum
head -c 600000 /dev/zero | (head -c 10 >/dev/null; sleep 0.1; cat) | wc -c >count
[ "$(cat count)" -le 599990 ] && echo "the rest arrived"
seq 1 20000 | tac | sort -n | md5sum
