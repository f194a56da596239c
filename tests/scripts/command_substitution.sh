# Nested command substitution.
# core
# shells: bash zsh mksh ash
echo "$(echo "$(echo "$(echo deep)")")"
echo `echo \`echo ticks\``
x=$(printf 'a\n\n\n'); echo "[$x]"
x=$(printf '\n\na'); echo "[$x]"
echo "$(exit 3)$?"; y=$(exit 4); echo $?
z=$(cat <<E
$(echo in heredoc)
E
); echo "$z"
n=$(seq 1 20000 | wc -l); echo $((n + 1))
big=$(seq 1 20000); echo ${#big}
w=$(for i in 1 2 3; do echo $(for j in a b; do echo $(echo $i$j); done); done); echo "$w"
case $(echo b) in $(echo a)) echo no ;; $(echo b)) echo yes ;; esac
count() { if [ "$1" -gt 0 ]; then echo "$(count $(($1 - 1)))."; fi; }
count 12
v=$(echo out; echo err >&2) 2>err; echo "$v"
t=$( (echo sub) ); echo $t
d=$(cd /; pwd); echo "$d"
