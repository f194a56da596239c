# Descriptors that the shell numbers itself.
# shells: bash
exec {log}>log
[ $log -ge 10 ] && echo "from ten on"
echo first >&$log
echo second >&"$log"
exec {copy}>&$log {log}>&-
echo third >&$copy
{ echo closed >&$log; } 2>/dev/null || echo "log is closed"
exec {copy}>&-
cat log
exec {in}<log
while read -r -u $in line; do echo "-> $line"; done
exec {in}<&-
{ cat; echo x >&"$w"; } {w}>side <<<"in"; cat side
echo x >&"$w" 2>/dev/null && echo "still open"
exec {w}>&-
