# Temporary files that a trap cleans up.
# shells: bash zsh mksh ash
t=$(mktemp -d ./tmp.XXXXXX); [ -d "$t" ] && echo made
cat >inner <<'E'
d=$(mktemp -d ./work.XXXXXX)
trap 'rm -rf "$d"; exit 3' TERM INT
trap 'rm -rf "$d"' EXIT
echo x >"$d/x"; : >"$d/ready"
echo "$d" >where
while :; do sleep 0.05; done
E
$SHELL_COMMAND inner & p=$!
while [ ! -s where ]; do sleep 0.02; done
read -r d <where; [ -e "$d/x" ] && echo there
kill -TERM $p; wait $p; echo "ended $?"
[ -e "$d" ] || echo "cleaned up"
f=$(mktemp ./f.XXXXXX); stat -c %a "$f"; rm "$f"; rmdir "$t" inner 2>/dev/null; rm -f where; [ -d "$t" ] || echo removed
exec 3>gone; rm gone; echo "to an unlinked file" >&3 && echo written; exec 3>&-
