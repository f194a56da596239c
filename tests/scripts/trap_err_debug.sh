# ERR, DEBUG and RETURN traps.
# shells: bash
trap 'echo "error $? in line $LINENO"' ERR
false
(exit 3)
if false; then :; fi
false || true
! true
f() { false; true; }
f
set -E
f
set +E
trap - ERR
trap 'echo "+ $BASH_COMMAND"' DEBUG
x=1
echo $x
for i in a b; do :; done
trap - DEBUG
g() { echo in g; }
set -T
trap 'echo returned' RETURN
g
trap - RETURN
set -eu
trap 'echo "failed with $?"; exit 9' ERR
cat missing 2>/dev/null
