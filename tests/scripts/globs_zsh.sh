# Patterns and qualifiers of zsh.
# shells: zsh
mkdir -p d/one/two; cd d; touch a.c b.c one/x.c one/two/y.c; chmod 755 b.c; ln -s a.c link; : >empty; echo 123 >three
setopt extendedglob
echo **/*.c; echo *(/); echo *(@); echo *(*); echo *(.L0); echo *(.L+0); echo *.c(N); echo none*(N) end
echo ^*.c; echo (a|b).c; echo *~*.c; echo **/*(.:t); echo one/x.c(:r) one/x.c(:h)
echo <-100>(N) end; files=(*(oN)); echo $#files; echo *(om[1,0]) end
[[ foo.tar.gz == *.(tar|zip).gz ]] && echo archive
(echo none*) 2>/dev/null || echo "no match is an error"
