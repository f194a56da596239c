# Parameter expansion.
# core
# shells: bash zsh mksh ash
p=/usr/local/lib/libx.so.1
echo ${p##*/} ${p%/*} ${p#*/} ${p%%.*} ${#p}
unset u; e=
echo "${u-unset} ${e-empty} ${u:-a} ${e:-b} ${u+c} ${e+d} ${p:+set}"
echo "${u:=assigned} $u"
(echo ${missing:?is missing}) 2>/dev/null; echo "status $?"
s='one two  three'; echo "${s% *}" "${s#* }"
x='a.b.c'; while [ "$x" != "${x#*.}" ]; do echo "${x%%.*}"; x=${x#*.}; done; echo "$x"
q='quo"te'; echo "$q" "${q%\"*}"
echo "a${p:+b}c" '${p}' "\${p}"
trim() { t=$1; t="${t#"${t%%[! ]*}"}"; t="${t%"${t##*[! ]}"}"; echo "[$t]"; }
trim '   padded text  '
case $p in *.so.*) echo shared ;; esac
repeat() { n=$2 r=; while [ "$n" -gt 0 ]; do r=$r$1 n=$((n - 1)); done; echo "$r"; }
repeat ab 5
printf '%5d|%-5s|%05.1f|%x|%o|%c|%s\n' 42 ab 3.14159 255 8 z end
printf '%s-%s\n' a b c; printf '%b' 'tab\there\n'; printf '%%\n'
