# A report made by the usual text tools.
# shells: bash zsh mksh ash
i=1
while [ $i -le 40 ]; do
    case $((i % 4)) in 0) d=sales ;; 1) d=tech ;; 2) d=legal ;; *) d=ops ;; esac
    echo "emp$i $d $((i * 137 % 911)) 20$((10 + i % 10))"
    i=$((i + 1))
done >staff
awk '{ n[$2]++; s[$2] += $3 } END { for (d in n) printf "%-6s %3d %8.2f\n", d, n[d], s[d] / n[d] }' staff | sort
cut -d' ' -f2 staff | sort | uniq -c | sort -rn | awk '{ print $2 "=" $1 }' | sort
sort -k3,3nr staff | head -n 3; sort -k2,2 -k3,3n staff | sed -n '1p;$p'
grep -c tech staff; grep -E '^emp(1|2)[0-9] ' staff | wc -l; grep -v -e sales -e tech staff | md5sum
sed -n 's/^\(emp[0-9]*\) legal \([0-9]*\).*/\2:\1/p' staff | sort -n | head -n 2
tr a-z A-Z <staff | head -n 1; rev staff | head -n 1; nl staff | tail -n 1
paste -d, - - <staff | head -n 2; fold -w 20 staff | head -n 3; tac staff | head -n 1
head -n 15 staff >part.a; tail -n +16 staff >part.b; wc -l part.* | tail -n 1; cat part.* | cmp - staff && echo whole
expand -t 4 staff | wc -c; od -An -c staff | head -n 1
diff staff part.a | head -n 2; seq -w 8 11; factor 360; echo '2^64' | bc
