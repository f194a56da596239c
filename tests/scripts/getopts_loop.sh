# getopts.
# shells: bash zsh mksh ash
parse() {
    OPTIND=1
    while getopts ':ab:c' o; do
        case $o in
            a) echo "a" ;;
            b) echo "b=$OPTARG" ;;
            c) echo "c" ;;
            :) echo "missing argument of $OPTARG" ;;
            '?') echo "unknown $OPTARG" ;;
        esac
    done
    shift $((OPTIND - 1))
    echo "rest: $*"
}
parse -a -b val file1 file2
parse -abc -- -x
parse -ab
parse -ac -bval -z more
parse nothing -a
parse -a - -b
