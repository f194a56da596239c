# Statuses of pipelines and their negation.
# core
# shells: bash zsh mksh ash
true | false; echo "last decides: $?"
false | true; echo "last decides: $?"
! false | false; echo "negated: $?"
sh -c 'exit 3' | sh -c 'cat; exit 5'; echo "five: $?"
echo one two three | tr ' ' '\n' | sort -r | while read -r word; do echo "<$word>"; done
printf '%s\n' 5 3 9 1 | sort -n | head -n 2 | tr '\n' ' '; echo
{ echo out; echo err >&2; } 2>&1 | sed 's/^/piped: /' | sort
(exit 7) | (exit 8) | (exit 9); echo "nine: $?"
if echo needle | grep -q needle; then echo found; fi
seq 1 1000 | awk '{ s += $1 } END { print s }'
