# Options u, x, v, n and noclobber.
# shells: bash mksh ash
$SHELL_COMMAND -c 'set -u; echo ${unset-ok}; echo $unset; echo no' 2>/dev/null; [ $? -ne 0 ] && echo "unset is an error"
$SHELL_COMMAND -c 'set -x; x=1; echo $x "a b"; : $((x + 1))' 2>&1
$SHELL_COMMAND -c 'PS4="trace: "; set -x; for i in 1 2; do true $i; done' 2>&1
printf 'echo one\nif then\n' >bad; $SHELL_COMMAND -n bad 2>/dev/null || echo "syntax error"
$SHELL_COMMAND -c 'set -C; echo 1 >f; echo 2 >f; echo 3 >|f; cat f' 2>/dev/null
case $- in *e*) echo e ;; *) echo "no e" ;; esac
set -a; exported=1; set +a; sh -c 'echo "<$exported>"'
set -f; echo *; set +f
$SHELL_COMMAND -c 'echo "$0 $1 $#"' name a b
echo 'echo "from stdin $1"' | $SHELL_COMMAND -s arg
