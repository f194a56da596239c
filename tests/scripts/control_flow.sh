# Loops, cases, lists.
# shells: bash zsh mksh ash
for i in 1 2 3; do for j in a b c; do [ $j = b ] && continue; [ $i = 2 ] && continue 2; [ $i$j = 3c ] && break 2; echo $i$j; done; done
i=0; until [ $i -ge 3 ]; do i=$((i + 1)); echo $i; done
for x; do echo "arg $x"; done
set -- p q; for x do echo "arg $x"; done
case word in w*d) echo match ;; *) echo no ;; esac
case x in a | x | y) echo alt ;; esac; case '' in '') echo empty ;; esac
case "a b" in "a b") echo quoted ;; esac; case ']' in []]) echo bracket ;; esac
true && echo and || echo or; false && echo and || echo or
{ echo group; false; } || echo after; ! false && echo negated
if false; then echo 1; elif true; then echo 2; else echo 3; fi
while :; do break; done; echo $?; while false; do :; done; echo $?
n=0; while true; do n=$((n + 1)); case $n in 3) continue ;; 6) break ;; esac; echo -n "$n "; done; echo
f() { while true; do return 4; done; }; f; echo $?
echo a; echo b & wait; (echo c); { echo d; }
seq 3 | while read -r x; do seq $x | while read -r y; do echo -n "$x$y "; done; done; echo
