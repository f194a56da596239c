# Stopping and continuing children, by themselves and by others; how their ends are reported.
# core
# shells: bash mksh ash
# mask: numbers
state() {
    while read -r key value rest; do [ "$key" = State: ] && echo "$value"; done </proc/$p/status
}
# A process is where it is only a while after the signal.
until_state() {
    i=0
    while [ "$(state)" != "$1" ] && [ $i -lt 200 ]; do sleep 0.02; i=$((i + 1)); done
    echo "$1 $(state)"
}
sleep 30 & p=$!
until_state S
kill -STOP $p; until_state T
kill -CONT $p; until_state S
# What is fatal waits until the process goes on.
kill -STOP $p; until_state T
kill -TERM $p; kill -TERM $p; until_state T
kill -CONT $p; wait $p 2>/dev/null; echo "ended $?"
# SIGKILL does not wait.
sleep 30 & p=$!
until_state S
kill -STOP $p; until_state T
kill -KILL $p; wait $p 2>/dev/null; echo "killed $?"
# A process that stops itself, and goes on where it was.
sh -c 'kill -STOP $$; echo woken; exit 3' & p=$!
until_state T
kill -CONT $p; wait $p; echo "status $?"
# A trap for SIGCONT is run first of all.
sh -c 'trap "echo continued" CONT; kill -STOP $$; echo after; exit 4' & p=$!
until_state T
kill -CONT $p; wait $p; echo "status $?"
# SIGTSTP can be caught and ignored.
sh -c 'trap "echo caught" TSTP; kill -TSTP $$; trap "" TTIN; kill -TTIN $$; echo "both over"'
# A continue that comes before a stop ends it; one without any is no more than its trap.
sh -c 'kill -CONT $$; echo "still here"'
# Many at once, through a process group of their own and one by one.
set --
for n in 1 2 3 4; do sh -c 'while [ ! -e go ]; do sleep 0.02; done; echo "done" >>list' & set -- "$@" $!; done
kill -STOP "$@"
for p in "$@"; do until_state T; done
: >go; sleep 0.2; ls list 2>/dev/null || echo "nobody went on"
kill -CONT "$@"
wait "$@"; cat list; rm list go
