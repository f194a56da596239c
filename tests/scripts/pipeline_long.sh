# A chain of many processes, built by evaluation.
# shells: bash zsh mksh ash
chain='seq 1 500'
i=0
while [ $i -lt 25 ]; do chain="$chain | cat"; i=$((i + 1)); done
eval "$chain" | md5sum
eval "$chain" | tail -n 1
add() { while read -r n; do echo $((n + 1)); done; }
seq 3 | add | add | add | add | add | tr '\n' ' '; echo
