# When set -e ends a shell and when it does not.
# shells: bash zsh mksh ash
run() { $SHELL_COMMAND -c "$1"; echo "-> $?"; }
run 'set -e; false; echo no'
run 'set -e; false || true; echo yes'
run 'set -e; if false; then :; fi; echo yes'
run 'set -e; ! true; echo yes'
run 'set -e; false && true; echo yes'
run 'set -e; (exit 3); echo no'
run 'set -e; x=$(false); echo no'
run 'set -e; f() { false; echo in; }; if f; then echo then; fi'
run 'set -e; while false; do :; done; echo yes'
run 'set -e; true | false; echo no'
run 'set -e; false | true; echo yes'
run 'set -e; { false; } || echo caught; echo yes'
run 'set -e; sh -c "exit 4"'
run 'set -e; trap "echo trap \$?" EXIT; sh -c "exit 5"; echo no'
run 'set -e; set +e; false; echo off'
run 'false; set -e; echo "$?"'
