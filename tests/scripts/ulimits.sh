# Limits that a shell sets and its children feel.
# shells: bash zsh mksh ash
(ulimit -n 20; ulimit -n; sh -c 'ulimit -n')
(ulimit -c 0; ulimit -c)
(ulimit -f 8; sh -c 'head -c 100000 /dev/zero >big; echo "cut: $?"' 2>/dev/null; echo "file size: $(wc -c <big)")
(ulimit -S -n 64; ulimit -H -n >h; ulimit -n; [ "$(cat h)" != 64 ] && echo "hard is another")
(ulimit -s 1024; ulimit -s; sh -c 'ulimit -s')
(ulimit -t 7; ulimit -t)
(ulimit -n 8; sh -c 'exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null && echo up to seven; exec 8</dev/null' 2>/dev/null; echo "eight: $?")
rm -f big h
