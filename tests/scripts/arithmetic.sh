# Arithmetic expansion.
# shells: bash zsh mksh ash
echo $((1 + 2 * 3)) $(((1 + 2) * 3)) $((7 / 2)) $((7 % 3)) $((-7 / 2)) $((-7 % 3))
echo $((1 << 10)) $((1024 >> 3)) $((6 & 3)) $((6 | 3)) $((6 ^ 3)) $((~5)) $((!0)) $((!5))
echo $((3 > 2)) $((3 < 2)) $((3 == 3)) $((3 != 3)) $((1 && 0)) $((1 || 0)) $((5 > 3 ? 10 : 20))
x=5; echo $((x += 3)) $((x -= 1)) $((x *= 2)) $((x /= 7)) $x
echo $((0x1f)) $((0x7fffffff))
i=0; while [ $((i += 1)) -lt 5 ]; do :; done; echo $i
fact() { [ "$1" -le 1 ] && { echo 1; return; }; echo $(($1 * $(fact $(($1 - 1))))); }
fact 10
gcd() { a=$1 b=$2; while [ "$b" -ne 0 ]; do t=$((a % b)) a=$b b=$t; done; echo "$a"; }
gcd 1071 462
primes= n=2
while [ $n -lt 60 ]; do
    p=1 d=2
    while [ $((d * d)) -le $n ]; do [ $((n % d)) -eq 0 ] && { p=0; break; }; d=$((d + 1)); done
    [ $p = 1 ] && primes="$primes $n"
    n=$((n + 1))
done
echo "$primes"
(echo $((1 / 0))) 2>/dev/null || echo "division by zero"
