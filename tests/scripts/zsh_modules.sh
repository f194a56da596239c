# Modules of zsh that make system calls of their own.
# shells: zsh
zmodload zsh/system zsh/stat zsh/datetime zsh/zselect zsh/files 2>/dev/null || { echo "no modules"; exit }
sysopen -rw -o creat -u fd file; syswrite -o $fd "hello"; exec {fd}>&-
sysopen -r -u fd file; sysread -i $fd x; echo $x; exec {fd}<&-
zstat -H h file; echo $h[size] $h[nlink]
(( EPOCHSECONDS > 1600000000 )) && echo "clock"
zselect -t 20; echo "timed out: $?"
coproc { sleep 0.2; echo ready }
read -p x; echo $x
[[ $sysparams[pid] == $$ ]] && echo pid; echo $errnos[2]
mkdir dd; zf_mv file dd/ 2>/dev/null || mv file dd/; ls dd
