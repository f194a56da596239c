# Sixty children that each run a program and leave a file.
# shells: bash zsh mksh ash
# seconds: 120
mkdir d
i=1
while [ $i -le 60 ]; do
    expr $i \* $i >d/$i &
    i=$((i + 1))
done
wait
ls d | wc -l
cat d/* | sort -n | tail -n 3
cat d/* | awk '{ s += $1 } END { print s }'
rm -r d
