# Talking to a server with zsh's own module.
# shells: zsh
# listener
zmodload zsh/net/tcp || exit
ztcp 127.0.0.1 $PORT; fd=$REPLY
read -r line <&$fd; echo $line
print -u $fd hello; read -r -u $fd line; echo $line
print -u $fd quit; cat <&$fd
ztcp -c $fd
ztcp -l 0 2>/dev/null; echo "listening: $?"
