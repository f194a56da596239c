# Local variables and dynamic scope.
# shells: bash zsh ash
f() { local x=1 y; y=2; g; echo "f: $x $y"; }
g() { x=changed; local y=3; echo "g: $x $y"; }
x=global y=global; f; echo "top: $x $y"
h() { local IFS=:; set -- a b c; echo "$*"; }; h; set -- a b; echo "$*"
r() { local n=$1; [ "$n" -gt 0 ] && r $((n - 1)); echo -n "$n "; }; r 5; echo
readonly c=const; (c=2) 2>/dev/null || echo readonly
export e=exported; sh -c 'echo $e'; e=changed; sh -c 'echo $e'; unset e; sh -c 'echo "<$e>"'
k() { export inner=1; }; k; sh -c 'echo $inner'
