# mapfile with its options.
# shells: bash
seq 1 10 >f
mapfile a <f; echo "${#a[@]} ${a[0]}"
mapfile -t a <f; echo "${a[*]}"
mapfile -t -n 3 -O 5 b <f; echo "${!b[@]}"
show() { echo "at $1: $2"; }
mapfile -t -C show -c 4 c <f; echo "${#c[@]}"
printf 'x\0y\0z' | { mapfile -d '' d; echo "${#d[@]} ${d[2]}"; }
exec 4<f; mapfile -t -u 4 -s 8 e; echo "${e[@]}"; exec 4<&-
readarray -t lines < <(seq 1 20000); echo "${#lines[@]} ${lines[19999]}"
