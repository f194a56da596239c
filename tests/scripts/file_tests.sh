# test and its operators.
# shells: bash zsh mksh ash
touch f; mkdir d; ln -s f l; ln -s nowhere broken; mkfifo p; echo x >s; cp s x; chmod +x x
for o in e f d h L p s r w x; do
    r=
    for n in f d l broken p s x none; do [ -$o $n ] && r="$r $n"; done
    echo "-$o:$r"
done
touch -d '2020-01-01 00:00:00' old; touch -d '2021-01-01 00:00:00' new
[ new -nt old ] && echo newer; [ old -ot new ] && echo older; [ f -ef l ] && echo same
[ abc = abc ] && [ abc != abd ] && [ -z "" ] && [ -n x ] && echo strings
[ 3 -lt 10 ] && [ 10 -ge 10 ] && [ ! 1 -eq 2 ] && echo numbers
[ a = a -a b = b ] && echo and; [ a = b -o b = b ] && echo or
test; echo $?; test x; echo $?; [ ]; echo $?
stat -c '%F %s' f d l p s; readlink l; readlink broken; ls -1
ln s hard; stat -c %h s; rm s; cat hard; mv hard moved; [ -e moved ] && echo moved
