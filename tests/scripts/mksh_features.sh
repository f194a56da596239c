# What mksh has of its own.
# shells: mksh
typeset -i x=5 y; y=x*3; print $y; typeset -u up=shout; print $up; typeset -Z4 z=7; print $z; typeset -L3 l=abcdef; print "[$l]"
set -A a -- p q r; print "${a[@]}" ${#a[*]}; print -r -- "${a[1]@Q}"
[[ abc = a*c && ! -e none ]] && print match; [[ a < b ]] && print less
print -n no newline; print; print -r 'raw\n'; print -- -x; print -u2 err
let 'n = 2 + 3 * 4'; print $n; (( n > 10 )) && print big; print $((n << 2)) $((16#ff)) $((8#17))
nameref r=x; r=9; print $x
for i in {1..3}; do print -n $i; done; print
case abc in a?c) print one ;& x) print fall ;; esac
f() { typeset v=local; print $v; }; f; print "<$v>"
print ${x:+yes} ${up//S/s} ${#up}; print $'tab\there \x41'
whence -v print; alias ll='echo alias'; eval ll
v=${ echo value;}; print $v; v=${| REPLY=reply; }; print $v
kill -l 1; ulimit -n >/dev/null && print limits; print $KSH_VERSION | cut -c1-9
