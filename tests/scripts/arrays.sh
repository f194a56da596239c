# Indexed arrays.
# shells: bash mksh
a=(one two three)
echo "${a[0]} ${a[2]} ${#a[@]}"
a+=(four five)
a[10]=eleven
echo "${!a[@]}" "${#a[@]}"
unset 'a[1]'
echo "${a[@]}"
for x in "${a[@]}"; do echo "<$x>"; done
b=("with space" 'and *' "")
echo "${#b[@]}"; for x in "${b[@]}"; do echo "[$x]"; done
set -A c x y z 2>/dev/null || c=(x y z)
echo "${c[*]}"; IFS=-; echo "${c[*]}"; unset IFS
i=1; echo "${c[i+1]}"; c[i]=changed; echo "${c[1]}"
d=($(seq 1 50)); s=0; for n in "${d[@]}"; do s=$((s + n)); done; echo $s
f() { echo "$# args: $2"; }; f "${b[@]}"
unset a; echo "${#a[@]}"
