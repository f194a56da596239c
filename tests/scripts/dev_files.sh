# The devices that scripts use.
# shells: bash zsh mksh ash
echo lost >/dev/null; cat /dev/null | wc -c
head -c 100 /dev/zero | tr '\0' 0 | wc -c
head -c 16 /dev/urandom | wc -c; [ "$(head -c 16 /dev/urandom | md5sum)" != "$(head -c 16 /dev/urandom | md5sum)" ] && echo differ
sh -c 'echo full >/dev/full' 2>/dev/null; echo $?
echo to stdout >/dev/stdout; echo to stderr >/dev/stderr
echo via fd | cat /dev/fd/0; echo via stdin | cat /dev/stdin
head -n 1 /dev/fd/3 3<$0
[ -c /dev/null ] && [ -c /dev/zero ] && [ -c /dev/tty ] && echo devices
ls -l /dev/null | cut -c1; test -t 0 || echo "no terminal"
dd if=/dev/zero of=sparse bs=1 count=0 seek=1000000 2>/dev/null; wc -c <sparse; du sparse | cut -f1
