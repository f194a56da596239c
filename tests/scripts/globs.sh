# File name patterns.
# shells: bash mksh ash
mkdir -p d/sub && cd d
touch a.c b.c ab.h .hidden 'with space' '[x]' 'q?' sub/deep.c sub/e
echo *.c; echo ?.c; echo [ab].c; echo [!a].c; echo [a-c]*; echo .h*; echo *' '*
echo */; echo */*.c; echo nothing*; echo '*'; echo \*; echo "$(echo *.c)"
echo \[x\]; echo q\?; echo [[]*
p='*.c'; echo $p "$p"
for f in *; do echo "[$f]"; done
set -f; echo *.c; set +f
case abc in a*) echo a-star ;; esac
case '[x]' in \[*\]) echo bracket ;; esac
echo sub/../*.h
