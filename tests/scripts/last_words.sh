# A script that ends by a signal of its own.
# shells: bash zsh mksh ash
echo before
trap 'echo "exit trap"' EXIT
sh -c 'kill -TERM $PPID'
sleep 2
echo "not reached"
