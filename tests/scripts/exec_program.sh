# exec of programs, and what failing gives.
# shells: bash zsh mksh ash
(exec echo replaced; echo no); echo $?
(exec sh -c 'exit 7'); echo $?
(exec /nonexistent) 2>/dev/null; echo "missing: $?"
touch plain; (exec ./plain) 2>/dev/null; echo "not executable: $?"
./missing 2>/dev/null; echo $?; ./plain 2>/dev/null; echo $?
no-such-command 2>/dev/null; echo $?
mkdir dir; ./dir 2>/dev/null; echo $?
chmod +x plain; ./plain; echo "empty script: $?"
A=1 B='two words' env | grep -E '^(A|B)=' | sort
env -i X=only "$(command -v env)"
(exec 3>side; exec sh -c 'echo kept >&3'); cat side
x=shell; x=assigned sh -c 'echo $x'; echo $x
sh -c 'echo "$0:$1:$2"' zero one 'tw o'
command -v cd >/dev/null && command echo command
[ "$(exec echo in substitution)" = "in substitution" ] && echo same
