# Arrays of zsh: one-based, sorted, unique, associative.
# shells: zsh
a=(pear fig apple fig)
echo $a[1] $a[-1] $#a ${a[2,3]}
echo ${(o)a} ${(u)a} ${(O)a} ${(j:,:)a}
typeset -A m; m=(one 1 two 2); m[three]=3
for k in ${(ok)m}; do echo $k=$m[$k]; done
echo ${#m} ${+m[one]} ${+m[none]}
echo ${a:#fig} ${(M)a:#f*} ${a[(i)apple]} ${a[(r)f*]}
s="a:b:c"; echo ${(s.:.)s} ${${(s.:.)s}[2]}
echo ${(U)s} ${(l:8::.:)s} ${(C):-two words}
for x y in 1 2 3 4; do echo $x-$y; done
echo {1..5} {a..e..2} {01..03}
print -l ${(f)"$(seq 3)"}
echo ${(k)commands[(i)zzz-none]:-none}
typeset -i n=10; (( n **= 2 )); echo $n $(( 16#ff )) $(( [#2] 10 ))
setopt extendedglob; [[ abc == (#i)ABC ]] && echo match; echo ${${:-hello}//(#b)(l)/<$match[1]>}
