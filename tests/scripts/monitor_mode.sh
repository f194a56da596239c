# Job control in a script: process groups of their own.
# shells: bash mksh
set -m 2>/dev/null
group() { while read -r a b c d e rest; do echo "$e"; done </proc/$1/stat; }
sleep 30 & p=$!
[ "$(group $p)" = "$p" ] && echo "leads its group"
kill -TERM -$p; wait $p 2>/dev/null; echo "group killed: $?"
cat /dev/zero | sh -c 'cat >/dev/null; sleep 1' & p=$!
g=$(group $p); [ "$g" != "$$" ] && echo "a group for the pipeline"
kill -KILL -$g; wait $p 2>/dev/null; echo "pipeline: $?"
(exit 3) & wait $!; echo "status $?"
