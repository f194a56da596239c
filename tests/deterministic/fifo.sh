# Readers and writers that meet at a FIFO.
mkfifo f
( for i in 1 2 3 4 5; do echo "line $i"; done > f ) &
while read -r line; do echo "read $line"; done < f
wait
( cat f & cat f & cat f & wait ) &
for i in 1 2 3 4 5 6; do echo "item $i"; done > f
wait
