# #! lines, and files without one.
# shells: bash zsh mksh ash
sh=$(command -v sh)
printf '#!%s\necho "first: $1 $#"; exit 3\n' "$sh" >one; chmod +x one
./one a b; echo $?
printf '#!%s -x\necho traced\n' "$sh" >two; chmod +x two
./two 2>&1 | sed 's/^[^a-z]*//'
printf '#! %s  with args \n' "$(command -v echo)" >three; chmod +x three
./three x
printf '#!./one\n' >four; chmod +x four
./four 2>/dev/null; echo "of a script: $?"
printf 'echo "without a line: $1"\n' >five; chmod +x five
./five arg
printf '#!/nonexistent/interpreter\n' >six; chmod +x six
./six 2>/dev/null; [ $? -ge 126 ] && echo "no interpreter"
printf '#!%s -f\nBEGIN { x = 1 }\n/b/ { print NR, $0 }\n' "$(command -v awk)" >seven; chmod +x seven
printf 'a\nb\nab\n' | ./seven
PATH=$PWD:$PATH; one by name; echo $?
printf '#!%s\necho $0 | sed "s|.*/||"\n' "$sh" >eight; chmod +x eight; eight; ln -s eight nine; nine
# The lines above differ by where the shells are.
rm -f one two three four five six seven eight nine
printf 'exit 9\n' >ten; . ./ten
echo not reached
