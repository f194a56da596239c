# select menus.
# shells: bash zsh mksh
# stdin: 2\n9\n\n1\nquit it\n3\n
PS3='pick: '
select x in apple banana "cherry pie" stop; do
    echo "reply=$REPLY x=$x"
    case $x in cherry*) break ;; esac
done
echo "left with $x"
select y in a b; do echo "no more input $y"; done
echo "end of input: $?"
