# Named pipes between processes.
# core
# shells: bash zsh mksh ash
mkfifo p q
echo through >p & cat p; wait
(while read -r x; do echo $((x * 2)); done <p >q) &
(seq 5 >p) &
cat q | tr '\n' ' '; echo; wait
cat p >got & (echo one; sleep 0.1; echo two) >p; wait; cat got
exec 3<>p; echo kept >&3; read -r k <&3; echo "$k"; exec 3>&-
wait
[ -p p ] && echo "is a pipe"; ls -l p | cut -c1
head -c 300000 /dev/zero >q & wc -c <q; wait
rm p q
