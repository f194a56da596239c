# A pool of tokens in a FIFO that lets three workers run at once.
# shells: bash zsh mksh ash
mkfifo tokens; exec 4<>tokens; rm tokens
printf '1\n2\n3\n' >&4
i=0
mkdir running
while [ $i -lt 15 ]; do
    read -r t <&4
    {
        mkdir running/$t && set -- running/* && [ $# -le 3 ] || echo "too many" >>bad
        sleep 0.03
        echo $i >done.$i
        rmdir running/$t
        echo "$t" >&4
    } &
    i=$((i + 1))
done
wait
ls done.* | wc -l; [ -e bad ] || echo "never more than three"
