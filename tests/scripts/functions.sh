# Functions: recursion, local variables, return values.
# shells: bash zsh mksh ash
fib() { if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 9
hanoi() { [ "$1" -eq 0 ] && return; hanoi $(($1 - 1)) $2 $4 $3; moves=$((moves + 1)); hanoi $(($1 - 1)) $4 $3 $2; }
moves=0; hanoi 7 a b c; echo $moves
f() { return $1; }; f 3; echo $?; f 0 && echo zero
g() { set -- x y; echo "$# $1"; }; set -- 1 2 3; g; echo $#
h() { v=changed; }; v=old; h; echo $v; (h; v=sub); echo $v
unset -f h; h 2>/dev/null; echo $?
i() { cat; }; echo piped | i | i | i
j() { echo "$@" | tr ' ' ','; }; j a "b c" d
echo() { printf 'shadow: %s\n' "$*"; }; echo hi; unset -f echo; echo real
