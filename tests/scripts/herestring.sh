# Here-strings.
# shells: bash zsh mksh
cat <<<"one line"
x='a b  c'
wc -w <<<$x
read -r first rest <<<"$x"; echo "$first|$rest"
tr a-z A-Z <<<"up $(echo and) up"
while IFS=: read -r a b; do echo "$b-$a"; done <<<"k1:v1
k2:v2"
cat <<<''| wc -c
md5sum <<<"$(seq 1 30000)"
f() { read -r v; echo "got $v"; }
f <<<1; f <<<2
grep -c o <<<$'one\ntwo\nthree'
