# Record locks between processes.
# shells: zsh
zmodload zsh/system || exit
: >lock
echo 0 >n
add() { for i in {1..10}; do ( zsystem flock lock; read -r x <n; echo $((x + 1)) >n ); done }
add & add & add &
wait
cat n
( zsystem flock lock; : >ready; sleep 1; echo first >>order ) &
until [[ -e ready ]]; do sleep 0.02; done
( zsystem flock -t 0 lock || echo "busy: $?" )
( zsystem flock lock; echo second >>order )
wait
cat order; rm ready
zsystem flock -f fd lock; ( zsystem flock -t 0 lock || echo held ); zsystem flock -u $fd; ( zsystem flock -t 0 lock && echo released )
