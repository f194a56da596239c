# Options of read.
# shells: bash
printf 'a b c d\n' | { read -r x y z; echo "$x|$y|$z"; }
printf 'back\\slash\n' | { read x; echo "$x"; }
printf 'back\\slash\n' | { read -r x; echo "$x"; }
printf 'abcdef' | { read -rn 3 x; echo "$x"; read -rn 3 x; echo "$x"; }
printf 'a:b:c' | { read -rd : x; echo "$x"; read -rd : x; echo "$x"; read -rd : x; echo "$x $?"; }
printf '1 2 3\n' | { read -ra arr; echo "${#arr[@]} ${arr[2]}"; }
printf 'no newline' | { read -r x; echo "$x $?"; }
printf 'x\0y\0' | while IFS= read -rd '' v; do echo "<$v>"; done
printf '  spaces  \n' | { IFS= read -r x; echo "[$x]"; }
printf 'one\\\ntwo\n' | { read x; echo "$x"; }
printf 'ab\ncd' | { read -rN 4 x; echo "${x@Q}"; }
read -ru 5 x 5<<<"from five"; echo "$x"
printf '1,2;3' | { IFS=,\; read -r a b c; echo "$a $b $c"; }
printf 'left\nrest\nof it\n' >f
{ read -r x; echo "shell: $x"; cat; } <f
cat f | { read -r x; echo "shell: $x"; cat; }
