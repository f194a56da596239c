# A file offset shared by shell and programs.
# shells: bash zsh mksh ash
seq 1 10 >f
{ read -r a; read -r b; echo "$a $b"; cat | tr '\n' ' '; echo; } <f
exec 3<f; read -r x <&3; (read -r y <&3; echo "sub $y"); read -r z <&3; echo "$x $z"; exec 3<&-
seq 3 | { read -r a; cat; }
(echo one; echo two) >out; echo three >>out; cat out
exec 4>log; echo a >&4; sh -c 'echo b >&4'; (echo c >&4); echo d >&4; exec 4>&-; tr '\n' ' ' <log; echo
while read -r n; do [ "$n" = 5 ] && break; done <f; echo "$n"
i=0; while read -r line; do i=$((i + 1)); echo "$line" | cat >/dev/null; done <f; echo $i
while read -r line; do sh -c 'read -r swallowed'; i=$((i + 1)); done <f; [ $i -gt 10 ] && echo $i
echo abcdef >g; exec 5<>g; printf XY >&5; read -r rest <&5; echo "$rest"; exec 5>&-; cat g
