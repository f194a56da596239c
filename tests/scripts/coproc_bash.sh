# Coprocesses of bash.
# shells: bash
coproc bc_ { while read -r a op b; do echo $((a $op b)); done; }
echo 3 + 4 >&"${bc_[1]}"; read -r r <&"${bc_[0]}"; echo "$r"
echo 6 '*' 7 >&"${bc_[1]}"; read -r r <&"${bc_[0]}"; echo "$r"
eval "exec ${bc_[1]}>&-"
wait $bc__PID; echo "ended $?"
coproc CAT { cat; }
out=${CAT[1]} in=${CAT[0]}
for w in x y z; do echo $w >&$out; read -r r <&$in; echo "back $r"; done
kill $CAT_PID; wait $CAT_PID; echo "killed $?"
coproc awk '{ print NR, $0; fflush() }'
for i in a b; do echo $i >&${COPROC[1]}; read -r r <&${COPROC[0]}; echo "$r"; done
exec {COPROC[1]}>&-
wait $COPROC_PID; echo "awk $?"
