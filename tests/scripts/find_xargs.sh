# find -exec and xargs, also in parallel.
# shells: bash zsh mksh ash
mkdir -p t/a/b t/c
for i in 1 2 3 4 5 6 7 8 9; do echo "content $i" >t/f$i; done
echo x >t/a/x.txt; echo yy >t/a/b/y.txt; ln -s ../f1 t/c/link
find t -name '*.txt' -exec cat {} \; | sort
find t -type f -exec grep -l 'content [1-3]' {} + | sort
find t -type l; find t -type d | sort; find t -size -2c -type f
find t -type f -print0 | sort -z | xargs -0 -n 4 echo | sort
seq 1 20 | xargs -P 4 -n 1 sh -c 'echo $(($0 * $0)) >t/sq$0'
cat t/sq* | sort -n | tail -n 2
seq 5 | xargs -I{} echo "<{}>"
echo 'a b "c d"' | xargs -n 1 echo
printf '1\n2\n' | xargs sh -c 'exit 3'; echo "xargs: $?"
find t -name 'sq*' -exec rm {} +; find t -type f | wc -l
find t -name 'f?' | sort | xargs cat | md5sum
