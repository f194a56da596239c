# eval, dot scripts and aliases.
# shells: bash zsh mksh ash
# args: first second
eval 'x=1; y="$x 2"'; echo "$y"
n=var; eval "$n=value"; eval "echo \$$n"
printf 'echo "sourced: $#"; z=set; return 5; echo no\n' >lib
. ./lib; echo "$? $z"
echo "$1 $2 $#"
eval "eval \"echo nested \\\$x\""
for i in 1 2 3; do eval "v$i=$((i * i))"; done; echo $v1 $v2 $v3
eval false; echo $?; eval; echo $?
echo 'f() { echo "from lib $1"; }' >lib2; . ./lib2; f arg
