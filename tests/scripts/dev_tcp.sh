# Talking to a server on loopback.
# shells: bash
# listener
exec 3<>/dev/tcp/127.0.0.1/$PORT
read -r line <&3; echo "$line"
echo hello >&3; read -r line <&3; echo "$line"
printf 'two\nthree\n' >&3; read -r a <&3; read -r b <&3; echo "$a / $b"
echo quit >&3; cat <&3
exec 3>&-
for i in 1 2 3 4 5; do
    (exec 4<>/dev/tcp/127.0.0.1/$PORT; read -r _ <&4; echo "client $i" >&4; read -r r <&4; echo "$r" >r$i) &
done
wait
cat r?
exec 5<>/dev/tcp/127.0.0.1/$PORT
{ for i in $(seq 500); do echo "line $i"; done; echo quit; } >&5 &
md5sum <&5
wait
(exec 6<>/dev/tcp/127.0.0.1/1) 2>/dev/null || echo refused
