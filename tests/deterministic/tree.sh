# A tree of processes three levels deep.
level() {
    [ "$1" -eq 0 ] && { echo "leaf $2"; return; }
    level $(($1 - 1)) "$2.1" &
    level $(($1 - 1)) "$2.2" &
    wait
    echo "node $2"
}
level 3 r
