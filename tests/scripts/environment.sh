# The environment through several programs.
# shells: bash zsh mksh ash
export A=1; B=2; sh -c 'echo "$A<$B>"'
C=3 sh -c 'D=4; export D; sh -c "echo \$C\$D"'
env -u A sh -c 'echo "<$A>"'; unset A; sh -c 'echo "<$A>"'
env E='sp ace' F= sh -c 'echo "$E|$F|"'
i=0; big=x; while [ $i -lt 14 ]; do big=$big$big; i=$((i + 1)); done
export big; sh -c 'echo ${#big}'
env | grep -c '^big='
j=0; while [ $j -lt 300 ]; do eval "export V$j=$j"; j=$((j + 1)); done
env | grep -c '^V[0-9]'; sh -c 'echo $V0 $V299'
sh -c 'echo $#' x $(seq 1 2000); sh -c 'shift 1999; echo $1' x $(seq 1 2000 | tr '\n' ' ')
