# CHLD traps run once for each child.
# shells: bash
set -m
n=0
trap 'n=$((n + 1))' CHLD
for i in 1 2 3 4 5; do (exit $i) & wait $!; done
echo "$n children"
trap 'echo child' CHLD
sleep 0.1 &
wait $!; s=$?
echo "status $s"
trap - CHLD
