# Input of background commands, and output that crosses.
# shells: bash mksh ash
# stdin: from the harness\nsecond line\n
cat & wait $!; echo "empty: $?"
read -r line; echo "$line"
{ read -r line; echo "kept: $line"; } <&0
(cat <&0; echo "at the end") | cat
exec </dev/null; read -r x; echo "null: $?"
sort <<E &
b
a
E
wait
