# Many clients of one server at once.
# shells: bash
# listener
client() {
    local fd line n=0
    exec {fd}<>/dev/tcp/127.0.0.1/$PORT
    read -r line <&$fd
    for i in 1 2 3 4 5 6 7 8; do echo "c$1 m$i" >&$fd; read -r line <&$fd; [ "$line" = "$i c$1 m$i" ] && n=$((n + 1)); done
    echo quit >&$fd; read -r line <&$fd
    exec {fd}>&-
    echo "$1 $n $line" >client$1
}
for c in {1..12}; do client $c & done
wait
cat client{1..12}
