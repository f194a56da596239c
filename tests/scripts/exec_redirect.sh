# exec with redirections, duplicates and closings.
# shells: bash zsh mksh ash
exec 3>out
echo to three >&3
echo more >&3
exec 3>&-
cat out
(echo x >&3) 2>/dev/null || echo "closed"
exec 4<out
read -r a <&4; read -r b <&4; echo "$a, $b"
exec 4<&-
exec 5>&1 >file
echo hidden
exec >&5 5>&-
cat file
{ echo out; echo err >&2; } 3>&1 1>&2 2>&3 3>&- | sed 's/^/was err: /'
exec 6<>rw; echo hello >&6; exec 6>&-; cat rw
echo appended >>out; wc -l <out
f() { echo inside; } >fout
f; cat fout
echo a >x; cat <x >y; cat y
: >empty; wc -c <empty
sh -c 'echo one; echo two >&2' >both 2>&1; sort both
exec 7>many 8>&7 9>&8; echo 7 >&7; echo 8 >&8; echo 9 >&9; exec 7>&- 8>&- 9>&-; cat many
while read -r l; do echo "loop: $l"; done <out >looped; cat looped
