# What a subshell inherits and what it cannot change.
# core
# shells: bash zsh mksh ash
x=outer; cd /
(x=inner; cd /tmp 2>/dev/null; echo "$x"); echo "$x $PWD"
f() { echo "function $x"; }
(x=2; f); f
(umask 077; umask); umask
(exit 3); echo $?
((exit 4); echo $?; exit 5); echo $?
( ( ( echo deep; exit 6 ) ) ); echo $?
x=$(x=sub; echo $x); echo "$x"
{ x=group; }; echo "$x"
echo piped | { read -r y; echo "$y"; }
[ "$$" = "$(echo $$)" ] && echo "same \$\$"
[ "$(sh -c 'echo $PPID')" != "" ] && echo "has a parent"
set -- a b c; (shift; echo $#); echo $#
(set -f; echo *nothing*); (readonly r=1; echo $r); r=2; echo $r
