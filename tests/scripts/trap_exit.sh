# The EXIT trap runs once, with the status, in whichever way the shell ends.
# shells: bash zsh mksh ash
trap 'echo "exit $?"' EXIT
(trap 'echo "sub $?"' EXIT; exit 3); echo "after $?"
$SHELL_COMMAND -c 'trap "echo inner; exit 5" EXIT; exit 4'; echo "inner gave $?"
$SHELL_COMMAND -c 'trap "echo ended" EXIT; true'; echo "true gave $?"
$SHELL_COMMAND -c 'trap "echo ended" EXIT; false'; echo "false gave $?"
$SHELL_COMMAND -c 'set -e; trap "echo because of -e" EXIT; false; echo no'; echo "set -e gave $?"
x=$(trap 'echo from substitution' EXIT; echo body); echo "$x"
trap - EXIT
trap 'echo bye' EXIT
exit 6
