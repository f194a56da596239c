# The pipefail option.
# shells: bash zsh mksh ash
set -o pipefail
sh -c 'exit 3' | true; echo "first failed: $?"
sh -c 'exit 3' | sh -c 'exit 4' | true; echo "the rightmost failure: $?"
true | true; echo "none: $?"
if sh -c 'cat >/dev/null; exit 2' </dev/null | cat; then echo yes; else echo "no $?"; fi
set +o pipefail
sh -c 'exit 3' | true; echo "without: $?"
