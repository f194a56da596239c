# Expansion and matching that only bash has.
# shells: bash
s='Hello World'
echo "${s:6}" "${s:0:5}" "${s: -5:3}" "${s/o/0}" "${s//o/0}" "${s/#Hello/Bye}" "${s/%World/All}"
echo "${s^^}" "${s,,}" "${s~}" "${s@U}" "${s@Q}" "${s@L}"
[[ $s =~ ^(H[a-z]+)\ (W.*)$ ]] && echo "${BASH_REMATCH[1]}|${BASH_REMATCH[2]}"
[[ abc < abd && ! -e missing ]] && echo less
printf -v v '%03d-%s' 7 x; echo "$v"
printf -v 'arr[2]' '%s' y; echo "${arr[2]}"
printf '%q\n' "it's" 'a b' $'new\nline'
printf '%(%Y-%m-%d)T\n' 86400
echo $'\x41\u00e9\t|' | od -c | head -n 1
n=5; echo "${!n@}" | head -c 0; v2=n; echo "${!v2}"
echo {a,b}{1,2} {3..1} {a..e..2} x{,y}
let 'i = 3 ** 4' 'j = i % 10'; echo "$i $j"; ((k = i > 80 ? 1 : 2)); echo $k
for ((a = 0, b = 10; a < b; a += 3, b--)); do echo -n "$a,$b "; done; echo
echo "$((16#ff)) $((2#1010)) $((36#zz)) $((9223372036854775807 + 1))"
mapfile -t -s 1 -n 2 m < <(seq 5); echo "${m[@]}"
caller() { echo "${FUNCNAME[0]} from ${FUNCNAME[1]}"; }; outer() { caller; }; outer
echo "${s//[aeiou]/}" "${#BASH_VERSINFO[@]}"
