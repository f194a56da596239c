# Coprocesses of zsh.
# shells: zsh
# It keeps an end of its own pipe open, so it is told when to end.
coproc while read -r a op b && [[ $a != quit ]]; do echo $((a $op b)); done
print -p 3 + 4; read -rp r; echo $r
print -p 6 \* 7; read -rp r; echo $r
print -p quit
coproc tr a-z A-Z
print -p hello
coproc exit
sleep 0.1
coproc { read -r line; echo "[$line]"; read -r line; echo "($line)"; }
print -p one; print -p two
read -rp a; read -rp b; echo $a $b
wait; echo done
