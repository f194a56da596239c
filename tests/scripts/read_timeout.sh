# read -t on an idle pipe, on data and at the end.
# shells: bash zsh mksh ash
mkfifo f
sleep 3 >f & p=$!
if read -t 0.3 -r x <f; then echo "read $x"; else s=$?; [ $s -ne 0 ] && echo "timed out"; fi
kill $p; wait $p 2>/dev/null
echo data | { read -t 5 -r x; echo "$? $x"; }
: | { read -t 5 -r x; echo "end: $?"; }
(sleep 0.2; echo late) | { read -t 5 -r x; echo "$? $x"; }
(echo early; sleep 1; echo late) | { read -t 5 -r x; echo "$x"; read -t 0.2 -r x || echo "no more yet"; }
