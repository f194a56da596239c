# Field splitting.
# shells: bash mksh ash
show() { echo "$#:"; for a; do echo " <$a>"; done; }
x='  a  b c '
show $x; show "$x"
IFS=:; y='a::b:'; show $y; show "$y"
IFS=' :'; z='a : b:: c'; show $z
IFS=; show $x
unset IFS; show $x
set -- 1 2 '3 4'; show $*; show "$*"; show $@; show "$@"
IFS=,; echo "$*"; IFS=; echo "$*"; unset IFS
show "" ''; show $nothing; show ${nothing:-a b} "${nothing:-a b}"
line='root:x:0:0:root:/root:/bin/sh'
IFS=: read -r user _ uid _ <<E
$line
E
echo "$user $uid"
show a"$x"b; show a${x}b
