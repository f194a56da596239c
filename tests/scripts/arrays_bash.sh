# Associative arrays, slices and namerefs.
# shells: bash
declare -A m=([one]=1 [two]=2 ["with space"]=3)
m[four]=4
for k in "${!m[@]}"; do echo "$k=${m[$k]}"; done | sort
[[ -v m[one] ]] && echo present; [[ -v m[none] ]] || echo absent
unset 'm[one]'; echo ${#m[@]}
declare -n ref=m; ref[five]=5; echo "${m[five]}"
a=({a..j}); echo "${a[@]:3:4}" "${a[-1]}" "${a[@]: -2}"
echo "${a[@]/[aeiou]/#}" "${a[@]^}" "${#a[*]}"
declare -p a | cut -c1-40
declare -ai n=(1+1 2*3); echo "${n[@]}"
sorted=($(printf '%s\n' pear fig apple | sort)); echo "${sorted[*]}"
count() { local -A seen=(); for w; do ((seen[$w]++)); done; for w in "${!seen[@]}"; do echo "$w ${seen[$w]}"; done | sort; }
count a b a c b a
matrix=(); for i in 0 1 2; do for j in 0 1 2; do matrix[i*3+j]=$((i * j)); done; done; echo "${matrix[@]}"
echo "${a[@]@Q}"; echo "${m[@]@k}" | wc -w
