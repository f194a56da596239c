# Writers whose reader goes away.
# shells: bash zsh mksh ash
yes | head -n 3
sh -c 'yes; echo "not reached" >&2' | head -n 1
(trap '' PIPE; sh -c 'while echo line; do :; done 2>/dev/null; echo "write failed: $?" >&2') | head -n 2
{ sh -c 'yes >/dev/fd/1'; echo "yes ended with $?" >&2; } | head -n 1
seq 1 100000 | sed 5q
