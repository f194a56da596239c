# Coprocesses of mksh.
# shells: mksh
while read -r a op b; do print -r -- $((a $op b)); done |&
print -p 3 + 4; read -rp r; print $r
print -p 6 '*' 7; read -rp r; print $r
exec 5>&p 6<&p
print -u5 9 - 4; read -ru6 r; print $r
exec 5>&- 6<&-
wait; print "ended"
(read -r x; print "got $x"; exit 3) |&
pid=$!
print -p hello; read -rp line; print "$line"
wait $pid; print $?
