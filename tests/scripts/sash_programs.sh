# Programs and wild cards started by sash.
# shells: sash
echo external
seq 3
-touch x1 x2 y1
ls x*
sh -c "exit 3"
missing-program
sort nothing-there
cat x1
seq 1 5 | wc -l
echo quoted "two words" 'and $these'
setenv NAME value
sh -c 'echo $NAME'
alias say -echo said:
say hello
unalias say
echo last
